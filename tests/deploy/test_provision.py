"""Provisioning of the database may be repeated, also by two at once: `up` provisions, and so may an operator."""

import uuid

import pytest
from eventlet import GreenPool
from pymongo import MongoClient

from deploy.provision import make_user, set_user


@pytest.fixture
def database(addresses):
    with MongoClient(addresses[1]) as client:
        made = client[f"p{uuid.uuid4().hex[:10]}"]
        yield made
        made.command("dropAllUsersFromDatabase")


def users(database):
    return [(user["user"], user["roles"]) for user in database.command("usersInfo")["users"]]


def test_a_user_that_another_provisioning_made_meanwhile_is_left_to_it(database):
    role = {"role": "read", "db": database.name}

    assert make_user(database, "backup", pwd="a", roles=[role])
    assert not make_user(database, "backup", pwd="b", roles=[])
    assert users(database) == [("backup", [role])]


def test_many_at_once_make_one_user_with_its_role(database):
    address = {"database": database.name, "username": "awards", "password": "a"}
    role = {"role": "readWrite", "db": database.name}

    for _ in GreenPool(8).imap(lambda _: set_user(database.client, address, role), range(8)):
        pass

    assert users(database) == [("awards", [role])]
