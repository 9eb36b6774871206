"""Provisioning of database and broker may be repeated, also by two at once: `up` provisions, and so may an operator."""

import uuid

import pytest
from amqp.basic_message import Message
from amqp.exceptions import AccessRefused
from eventlet import GreenPool
from pymongo import MongoClient
from pymongo.uri_parser import parse_uri

from deploy.provision import WrongRootPassword, found_replica_set, is_provisioned, make_root, make_user, set_user
from services.chassis.amqp import connect
from services.contract.topology import SERVICES, exchange, queues, rpc_queue


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


def test_what_is_missing_at_the_broker_is_made_and_the_rest_stays(settings):
    with connect(settings, "tests.provision") as connection:
        channel = connection.default_channel
        channel.queue_delete(queues()[0].name)
        channel.queue_delete(rpc_queue("rural"))
        channel.exchange_delete(exchange("members"))
        channel.basic_publish(Message("{}", delivery_mode=2), routing_key=queues()[1].name)

        for _ in range(2):
            assert is_provisioned(f"amqp://127.0.0.1:1//;{settings.amqp_uri}")

        names = [*(queue.name for queue in queues()), *map(rpc_queue, SERVICES)]
        waiting = {name: channel.queue_declare(name, passive=True).message_count for name in names}
        assert waiting == dict.fromkeys(names, 0) | {queues()[1].name: 1}
        channel.exchange_declare(exchange("members"), type="topic", passive=True)


def test_a_broker_that_is_away_is_waited_for():
    assert not is_provisioned("amqp://127.0.0.1:1//")


def test_a_broker_that_does_not_know_us_is_not_waited_for(settings):
    stranger = settings.amqp_uri.replace("//kexie:", "//stranger:")

    with pytest.raises(AccessRefused):
        is_provisioned(stranger)


def test_a_wrong_password_of_root_is_told_at_once_where_there_are_users_already(addresses):
    with pytest.raises(WrongRootPassword):
        found_replica_set(parse_uri(addresses[1]), {"username": "root", "password": "of another site"})


def test_root_that_is_refused_cannot_be_made_from_another_machine():
    elsewhere = {"nodelist": [("mongo", 1)], "options": {}}

    with pytest.raises(WrongRootPassword):
        make_root(elsewhere, {"username": "root", "password": "p"})
