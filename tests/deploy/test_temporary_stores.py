"""`./kexie test`: which tests run side by side."""

import pytest

from deploy.local.temporary_stores import SIDE_BY_SIDE, options_for_sharing


@pytest.fixture(autouse=True)
def no_broker_is_given(monkeypatch):
    monkeypatch.delenv("AMQP_URI")


@pytest.mark.parametrize("asked", ["", "-q", "tests/outreach", "tests/outreach -k evidence", "README.md LICENSE -x"])
def test_all_tests_those_of_a_folder_and_of_several_files_are_shared_out(asked):
    assert options_for_sharing(asked.split()) == SIDE_BY_SIDE


@pytest.mark.parametrize(
    "asked", ["README.md", "README.md::test_it -q", "tests --pdb", "-s", "--collect-only", "-p no:xdist tests"]
)
def test_one_file_and_what_a_person_watches_run_in_one_process(asked):
    assert options_for_sharing(asked.split()) == ()


def test_a_broker_that_is_given_has_no_virtual_hosts_of_ours(monkeypatch):
    monkeypatch.setenv("AMQP_URI", "amqp://elsewhere")

    assert options_for_sharing(["tests"]) == ()
