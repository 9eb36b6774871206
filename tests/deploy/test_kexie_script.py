"""The script `./kexie`: asking for help provides nothing and starts nothing."""

import subprocess

import pytest

from deploy.secrets.private_files import CHECKOUT
from tests.deploy.running import environment


@pytest.mark.timeout(180)  # every command loads all that it could start
@pytest.mark.parametrize("option", ["-h", "--help"])
@pytest.mark.parametrize(
    ("command", "says"),
    [("bench", "--limit"), ("chaos", "--mutants"), ("test", "--collect-only"), ("up", "--demo")],
)
def test_help_is_printed_and_neither_installs_nor_starts_anything(tmp_path, command, option, says):
    traced = subprocess.run(
        ("bash", "-x", "kexie", command, option),
        cwd=CHECKOUT, env=environment(tmp_path / "home"),
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert traced.returncode == 0, traced.stderr
    assert says in traced.stdout
    assert "provide_servers" not in traced.stderr
    assert not (tmp_path / "home").exists()


def test_what_is_no_question_for_help_provides_the_servers(tmp_path):
    """The trace of the test above names what it looks for."""
    traced = subprocess.run(
        ("bash", "-x", "kexie", "up", "--port", "many"),
        cwd=CHECKOUT, env=environment(tmp_path, AMQP_URI="amqp://x", MONGO_URI="mongodb://x"),
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert traced.returncode == 2
    assert "provide_servers" in traced.stderr
