"""Requests are never on the broker's disk, since some of them are confidential."""

import eventlet
from amqp.basic_message import Message

from deploy.local.broker import Broker
from deploy.local.home import Home
from services.chassis.amqp import connect
from services.contract.topology import RPC_EXCHANGE
from tests.chassis.conftest import a_world
from tests.chassis.toy import Toy
from tests.stack import until


def is_on_disk(text):
    files = (Broker(Home.of_the_environment()).folder / "data").rglob("*")
    return any(text.encode() in content_of(file) for file in files if file.is_file())


def content_of(file):
    try:
        return file.read_bytes()
    except FileNotFoundError:  # the broker has done with it
        return b""


def test_a_request_that_waits_for_its_service_is_not_on_the_brokers_disk(addresses, keys):
    with a_world(addresses, keys) as world, connect(world.settings, "tests.disk") as connection:
        confidential, durable = world.a_new_id(), world.a_new_id()
        world.start(Toy).stop("outreach")
        call = eventlet.spawn(world.call, "outreach", "register_hall", name=confidential, district="511102")
        channel = connection.default_channel
        until(lambda: channel.queue_declare("rpc-outreach", passive=True).message_count == 1)

        channel.basic_publish(Message(durable, delivery_mode=2), exchange=RPC_EXCHANGE, routing_key="outreach.ping")

        until(lambda: is_on_disk(durable))
        assert channel.queue_declare("rpc-outreach", passive=True).message_count == 2
        assert not is_on_disk(confidential)
        call.kill()
