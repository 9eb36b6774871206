"""The embedded database: nobody enters without the password that lies in its home."""

import subprocess
from contextlib import contextmanager

import pytest
from pymongo import MongoClient
from pymongo.errors import OperationFailure

from deploy.local.database import MEMBER, Database
from deploy.local.home import Home
from deploy.local.ports import answers
from deploy.local.supervisor import ending_with_parent
from tests.deploy.running import eventually


@pytest.fixture
def home(tmp_path):
    return Home(tmp_path / "home")


@contextmanager
def served(home, *, is_open=False):
    """The database of this home at work; an open one is told of no key, as it was before there were users."""
    database = Database(home)
    program = database.program()
    where = program.command.index("--keyFile")
    command = program.command[:where] if is_open else program.command
    server = subprocess.Popen((*ending_with_parent(), *command), stdout=subprocess.DEVNULL)
    try:
        eventually(lambda: answers(program.port))
        yield database, program.port
    finally:
        server.terminate()
        server.wait(timeout=30)


def client(port, **login):
    return MongoClient("127.0.0.1", port, directConnection=True, serverSelectionTimeoutMS=5_000, **login)


@pytest.mark.parametrize("login", [{}, {"username": "kexie", "password": "x"}, {**MEMBER, "password": "x"}])
def test_nobody_enters_without_the_password(home, login):
    with served(home) as (database, port):
        eventually(database.is_ready)

        for act in (lambda stranger: stranger.kexie.a.find_one(), lambda stranger: stranger.kexie.a.insert_one({})):
            with client(port, **login) as stranger, pytest.raises(OperationFailure) as refused:
                act(stranger)
            assert refused.value.code in (13, 18)  # unauthorized, authentication failed


def test_nobody_makes_the_first_user_before_us(home):
    with served(home) as (_, port), client(port) as stranger:
        with pytest.raises(OperationFailure) as refused:
            stranger.admin.command(
                "replSetInitiate", {"_id": "rs0", "members": [{"_id": 0, "host": f"127.0.0.1:{port}"}]}
            )
        assert refused.value.code == 13

        with pytest.raises(OperationFailure) as refused:
            stranger.admin.command("createUser", "mallory", pwd="x", roles=["root"])
        assert refused.value.code == 13


def test_a_home_from_before_there_were_users_keeps_its_data_also_at_another_port(home):
    with (
        served(home, is_open=True) as (_, port),
        client(port) as old,
    ):
        old.admin.command("replSetInitiate", {"_id": "rs0", "members": [{"_id": 0, "host": f"127.0.0.1:{port}"}]})
        eventually(lambda: old.admin.command("hello")["isWritablePrimary"])
        old.kexie.records.insert_one({"_id": "kept"})
    (home.folder / "ports.json").unlink()

    with served(home) as (database, other):
        eventually(database.is_ready)
        with MongoClient(database.uri) as ours:
            assert other != port
            assert ours.kexie.records.find_one() == {"_id": "kept"}
            assert ours.admin.command("usersInfo")["users"][0]["user"] == "kexie"


def test_what_lets_one_in_is_readable_by_the_owner_only_and_stays_the_same(home):
    before = Database(home)
    before.program()
    secrets = [home.folder / name for name in ("database.key", "database.password")]
    address = before.uri

    assert [file.stat().st_mode & 0o777 for file in secrets] == [0o600, 0o600]
    assert all(file.read_text() in address or file.name == "database.key" for file in secrets)
    assert Database(home).uri == address
