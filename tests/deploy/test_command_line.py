"""What the commands answer; nothing is started here."""

import stat
import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from deploy.__main__ import kexie as kexie_group
from deploy.errors import CommandFailed
from deploy.local.home import Home
from deploy.local.home_keys import require_sealing_key, token_keys
from deploy.local.ports import Ports, hold, port_of
from deploy.secrets.private_files import CHECKOUT
from tests.deploy.running import kexie

ELSEWHERE = {"AMQP_URI": "amqp://elsewhere", "MONGO_URI": "mongodb://elsewhere"}


def test_the_keys_of_a_home_are_made_once(tmp_path):
    assert token_keys(Home(tmp_path)) == token_keys(Home(tmp_path))
    assert stat.S_IMODE((tmp_path / "token.pem").stat().st_mode) == 0o600


def test_a_home_with_data_gets_no_new_sealing_key(tmp_path, monkeypatch):
    monkeypatch.delenv("SEALING_KEY", raising=False)
    home = Home(tmp_path)
    (home.subfolder("database") / "WiredTiger").touch()
    require_sealing_key(home)  # of an earlier release, which sealed nothing
    (tmp_path / "database.password").touch()
    require_sealing_key(home)

    (tmp_path / "sealing.key").unlink()

    with pytest.raises(CommandFailed, match=r"sealing.key is gone.*put its copy back"):
        require_sealing_key(home)
    assert not (tmp_path / "sealing.key").exists()


@pytest.mark.parametrize(
    "wrong",
    [
        "nothing_like_this",
        "up --port many",
        "run",
        "run weather",
        "token issue --subject wang",
        "token issue --subject wang --role king",
        "token issue --subject wang --role viewer --days 0",
        "token revoke t-1",
        "user add wang",
        "user add wang --role viewer --district 510000",
    ],
)
def test_wrong_use_ends_with_2_and_the_usage(tmp_path, wrong):
    answer = kexie(tmp_path, *wrong.split())

    assert answer.returncode == 2
    assert answer.stderr.startswith("Usage: kexie")


def groups(*words, command=kexie_group):
    """The words of every group of commands, the whole command line first."""
    yield words
    for name, inner in command.commands.items():
        if isinstance(inner, click.Group):
            yield from groups(*words, name, command=inner)


@pytest.mark.parametrize("words", list(groups()), ids=" ".join)
def test_every_command_has_a_line_of_help_that_fits_80_columns(words):
    page = CliRunner().invoke(kexie_group, [*words, "--help"], terminal_width=80).output
    lines = page.partition("Commands:\n")[2].splitlines()

    assert lines
    for line in lines:
        name, _, promise = line.strip().partition(" ")
        assert promise.strip(), name
        assert not promise.endswith("..."), line


def test_tests_get_their_arguments_as_they_are_and_pass_on_the_exit_code(tmp_path):
    arguments = ("-x", "-q", "--collect-only", "-k", "no_such and test", "tests/deploy/test_command_line.py")
    answer = kexie(tmp_path, "test", *arguments, **ELSEWHERE)

    assert answer.returncode == 5, answer.stdout  # pytest's word for: no test
    assert "deselected" in answer.stdout
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_embedded_where_addresses_are_given(tmp_path):
    answer = kexie(tmp_path, "test", "--version", **ELSEWHERE)

    assert answer.returncode == 0
    assert "broker" not in answer.stdout
    assert "database" not in answer.stdout


def test_a_port_is_kept_from_run_to_run_until_somebody_else_has_it(tmp_path):
    ports = Ports(Home(tmp_path))
    port = ports.take("broker")

    assert ports.take("broker") == port == ports["broker"]
    with ports.hold("broker") as held:
        assert port_of(held) == port
        assert ports.take("broker") != port


def test_a_port_is_promised_to_one_process_until_it_ends_though_nothing_listens_there(tmp_path):
    wanted = Ports(Home(tmp_path / "ours")).take("gateway")

    refused, taken = what_another_process_gets(wanted, tmp_path / "theirs")

    assert refused == "None"
    with hold(int(taken)) as held:
        assert port_of(held) == int(taken)


def what_another_process_gets(port, folder):
    """Its answer when it wants this port, and when it wants any."""
    command = f"""
from pathlib import Path
from deploy.local.ports import Home, Ports, hold
print(hold({port}), Ports(Home(Path({str(folder)!r}))).take("any"))
"""
    run = subprocess.run([sys.executable, "-c", command], cwd=CHECKOUT, capture_output=True, text=True, check=True)
    return run.stdout.split()
