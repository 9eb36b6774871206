"""Rights in a real broker: the five work with theirs, and do nothing else. Outside systems: `tests/gateway/door`."""

import json
import secrets
from contextlib import contextmanager
from dataclasses import replace
from urllib.parse import urlsplit

import pytest
from amqp.basic_message import Message
from amqp.exceptions import AccessRefused, NotAllowed
from kombu import Connection

from deploy.deployment import broker_rights
from deploy.local.broker import USER
from gateway.read_model.store import Store
from gateway.service import Gateway
from services.awards.service import Awards
from services.chassis.mongo import client
from services.chassis.provisioning import provision
from services.contract.topology import RPC_EXCHANGE, SERVICES, exchange
from services.members.service import Members
from services.outreach.service import Outreach
from services.rural.service import Rural
from tests.gateway.conftest import Http
from tests.journeys.test_stock_nameko import run_elsewhere
from tests.stack import Running, forget_databases

VHOST = "rights"


@pytest.fixture(scope="module")
def users():
    granted = {name: broker_rights.of_service(name) for name in SERVICES} | {
        "gateway": broker_rights.of_gateway(),
        "provision": broker_rights.of_provision(),
    }
    return {name: (secrets.token_hex(8), one) for name, one in granted.items()}


@pytest.fixture(scope="module")
def as_user(whole, users, tmp_path_factory):
    """Settings of a process that comes as this user, in a vhost where nobody may more than that."""
    file = tmp_path_factory.mktemp("rights") / "definitions.json"
    file.write_text(json.dumps(broker_rights.definitions(VHOST, users, administrators=[USER])))
    whole.broker("import_definitions", str(file))
    address = urlsplit(whole.settings.amqp_uri)

    def settings(name):
        password = users[name][0] if name in users else address.password
        uri = f"amqp://{name}:{password}@{address.hostname}:{address.port}/{VHOST}"
        return replace(whole.settings, amqp_uri=uri, database_prefix="rights", http_port=0)

    provision(settings("provision").amqp_uri)
    yield settings
    forget_databases(settings(USER))
    client(whole.settings.mongo_uri).close()


@pytest.fixture(scope="module")
def world(as_user):
    """The five, each as its own user."""
    with Running(as_user(USER)) as running:
        for one in (Awards, Outreach, Rural, Members, Gateway):
            running.settings = as_user(one.name)
            running.start(one)
        running.settings = as_user(USER)
        Store(running.database("gateway")).note_compared(dict.fromkeys(SERVICES, 0))
        yield running


@pytest.mark.timeout(180)
def test_the_five_do_all_their_work(world, tmp_path):
    learnt = run_elsewhere(world, tmp_path)

    assert next(line for line in learnt if "heard" in line)["person_times"] == 120
    world.settle()
    assert Http(world).get("/api/v1/kpis/K2").body["value"] == 120


@contextmanager
def channel_of(settings):
    with Connection(settings.amqp_uri) as connection:
        yield connection.default_channel


@pytest.mark.usefixtures("world")
def test_a_user_has_no_business_in_another_vhost(as_user):
    settings = as_user("awards")

    with pytest.raises(NotAllowed), Connection(settings.amqp_uri.removesuffix(VHOST) + "%2F") as connection:
        connection.connect()


CHANGES = {
    "an exchange of ours": lambda channel: channel.exchange_declare("awards.events", type="topic", durable=True),
    "the exchange of requests": lambda channel: channel.exchange_delete(RPC_EXCHANGE),
    "an exchange of its own": lambda channel: channel.exchange_declare("mine", type="fanout"),
    "a queue of ours": lambda channel: channel.queue_delete("rpc-awards"),
    "a queue of its own": lambda channel: channel.queue_declare("mine"),
    "a nameless queue": lambda channel: channel.queue_declare("", exclusive=True),
    "a binding": lambda channel: channel.queue_bind("rpc-awards", exchange=RPC_EXCHANGE, routing_key="#"),
}


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize("what", CHANGES)
def test_nobody_who_runs_makes_changes_or_deletes_what_is_shared(as_user, what):
    for name in (*SERVICES, "gateway"):
        with channel_of(as_user(name)) as channel, pytest.raises(AccessRefused):
            CHANGES[what](channel)


@pytest.mark.usefixtures("world")
def test_who_provisions_reads_and_publishes_nothing(as_user):
    for do in (
        lambda channel: channel.basic_get("rpc-awards"),
        lambda channel: (
            channel.basic_publish(Message("{}"), exchange="awards.events", routing_key="x"),
            channel.basic_get("rpc-awards"),
        ),
    ):
        with channel_of(as_user("provision")) as channel, pytest.raises(AccessRefused):
            do(channel)


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize("name", SERVICES)
def test_a_service_neither_calls_another_nor_reads_what_is_not_meant_for_it(as_user, name):
    other = next(one for one in SERVICES if one != name)

    for do in (
        lambda channel: channel.basic_get(f"rpc-{other}"),
        lambda channel: channel.queue_bind(f"{name}.from.gateway", exchange=exchange(other), routing_key="#"),
        lambda channel: (
            channel.basic_publish(Message("{}"), exchange=RPC_EXCHANGE, routing_key=f"{other}.ping"),
            channel.basic_get(f"rpc-{name}"),
        ),
    ):
        with channel_of(as_user(name)) as channel, pytest.raises(AccessRefused):
            do(channel)
