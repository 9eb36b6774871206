"""Answers that the broker refuses are lost alone: their requests are settled, and all others are answered."""

import json
import secrets
from dataclasses import replace
from urllib.parse import unquote, urlsplit

import pytest

from deploy.deployment import broker_rights
from deploy.local.broker import Broker
from deploy.local.home import Home
from services.chassis.amqp import connect
from services.chassis.provisioning import declare_shared
from services.chassis.rpc import Server
from services.contract import wire
from services.contract.topology import RPC_EXCHANGE
from tests.chassis.conftest import a_hall, a_world, held
from tests.chassis.outsider import Outsider
from tests.chassis.toy import Toy
from tests.stack import until

FORTY = 40


@pytest.fixture(scope="module")
def world(addresses, keys, tmp_path_factory):
    """The toy service as outreach's user with the rights of a site, serving one request after the other."""
    with a_world(addresses, keys) as world:
        ours = world.settings
        world.settings = replace(ours, amqp_uri=as_outreach(ours.amqp_uri, tmp_path_factory), rpc_workers=1)
        world.start(Toy)
        world.settings = ours
        yield world


def as_outreach(amqp_uri, tmp_path_factory):
    address, password = urlsplit(amqp_uri), secrets.token_hex(8)
    users = {"outreach": (password, broker_rights.of_service("outreach"))}
    file = tmp_path_factory.mktemp("rights") / "definitions.json"
    file.write_text(json.dumps(broker_rights.definitions(unquote(address.path[1:]), users)))
    Broker(Home.of_the_environment()).control("import_definitions", str(file))
    return f"amqp://outreach:{password}@{address.hostname}:{address.port}{address.path}"


@pytest.fixture(scope="module")
def outsider(world):
    with Outsider(world.settings) as one:
        yield one


@pytest.fixture
def link(world):
    """The service's connection, which a test may not end."""
    (server,) = {one for one in world.containers[0].extensions if isinstance(one, Server)}
    before = server._link.channel
    yield server._link
    assert server._link.channel is before


def add_a_seat(outsider, world, hall, reply_to):
    body = wire.encode({"args": [], "kwargs": {"hall_id": hall, "seats": 1}})
    outsider.send("outreach.add_seats", body, token=world.token(), reply_to=reply_to)


@pytest.mark.usefixtures("link")
def test_requests_whose_answers_may_not_be_written_are_settled_and_others_are_answered(world, outsider):
    hall = a_hall(world)
    for number in range(FORTY):
        add_a_seat(outsider, world, hall, reply_to=f"may.not.be.written.{number}")

    until(lambda: held(world, hall)["version"] == 1 + FORTY)
    assert world.call("outreach", "get_venue", id=hall)["version"] == 1 + FORTY


@pytest.mark.usefixtures("link")
def test_a_request_is_settled_whose_answer_finds_no_exchange(world, outsider):
    hall, other = a_hall(world), a_hall(world)
    database = world.database("outreach")
    outsider.send(
        "outreach.linger_in_hall", wire.encode({"kwargs": {"hall_id": hall}}), token=world.token(), reply_to="reply.x"
    )
    until(lambda: database["lingering"].find_one({"_id": hall}))

    with connect(world.settings, "tests.exchange") as connection:
        channel = connection.default_channel
        channel.exchange_delete(RPC_EXCHANGE)
        database["let_go"].insert_one({"_id": hall})
        until(lambda: held(world, hall)["version"] == 2)
        declare_shared(channel)

    with world.caller.link.writing() as channel:
        world.caller._refresh(channel)
    assert world.call("outreach", "get_venue", id=other)["version"] == 1
