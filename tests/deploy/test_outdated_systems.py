"""A site of a release in which outside systems had rights in our own virtual host: they keep password and token, get a
virtual host of their own, and the old way is closed."""

import json
from urllib.parse import urlsplit

import pytest
from amqp.basic_message import Message
from amqp.exceptions import AccessRefused
from click.testing import CliRunner
from kombu import Connection

from deploy.__main__ import kexie
from deploy.deployment.layout import Layout
from deploy.deployment.other_systems import System
from deploy.deployment.site_files import Site
from deploy.local.broker import Broker
from deploy.local.home import Home
from services.contract.topology import RPC_EXCHANGE

BUREAUS = ("old_bureau", "old_library")
OLD = System(may=("rural.list_associations",), hears=("awards.external_result.*",), password="")


@pytest.fixture(scope="module")
def broker(addresses):
    return urlsplit(addresses[0])


@pytest.fixture
def site(tmp_path):
    """As the release before left it: no virtual hosts, and rights on the exchange of calls in ours."""
    folder = tmp_path / "site"
    made = Site(folder, tmp_path / ".env")
    made.make(Layout(("127.0.0.1",), ("127.0.0.1",)))
    for name in BUREAUS:
        address = made.add(name, replaced(OLD, f"secret-of-{name}"), host="broker.example").path / "amqp_uri"
        address.write_text(address.read_text().replace(f"/{name}", "/%2F"))
    (folder / "definitions.json").write_text(json.dumps(of_old(json.loads((folder / "definitions.json").read_text()))))
    return made


def replaced(system, password):
    return System(may=system.may, hears=system.hears, password=password)


def of_old(definitions):
    rights = {
        "vhost": "/",
        "configure": "^(own|nameko-rpc)$",
        "write": "^(own|nameko-rpc)$",
        "read": "^(own|nameko-rpc)$",
    }
    calls = {"vhost": "/", "exchange": RPC_EXCHANGE, "write": r"^(rural\.list_associations)$", "read": "^reply$"}
    events = {"vhost": "/", "exchange": "awards.events", "write": "^$", "read": "^external_result$"}
    ours = [row for row in definitions["permissions"] if row["vhost"] == "/" and row["user"] not in BUREAUS]
    return {
        "vhosts": [{"name": "/"}],
        "users": [{**user, "limits": {}} for user in definitions["users"]],
        "permissions": [*ours, *({"user": name, **rights} for name in BUREAUS)],
        "topic_permissions": [
            *definitions["topic_permissions"],
            *({"user": name, **topic} for name in BUREAUS for topic in (calls, events)),
        ],
    }


def told(site):
    Broker(Home.of_the_environment()).control("import_definitions", str(site.folder / "definitions.json"))


def connection(broker, name, vhost):
    return Connection(f"amqp://{name}:secret-of-{name}@{broker.hostname}:{broker.port}/{vhost}")


OLD_WAYS = (
    lambda channel: channel.exchange_declare(RPC_EXCHANGE, type="topic", durable=True, auto_delete=False),
    lambda channel: channel.queue_declare("own", exclusive=True),
    lambda channel: channel.queue_declare(exclusive=True),
    lambda channel: (
        channel.basic_publish(Message("{}"), exchange=RPC_EXCHANGE, routing_key="rural.list_associations"),
        channel.exchange_declare(RPC_EXCHANGE, type="topic", passive=True),
    ),
)


def test_systems_of_before_keep_password_and_token_and_the_old_way_is_closed(site, broker, monkeypatch):
    told(site)
    tokens = {name: site.systems().handed(name).token() for name in BUREAUS}
    for name in BUREAUS:
        with connection(broker, name, "%2F") as before:
            before.default_channel.exchange_declare(RPC_EXCHANGE, type="topic", durable=True, auto_delete=False)

    monkeypatch.setenv("KEXIE_SITE", str(site.folder))
    done = CliRunner().invoke(kexie, ("deploy", "init", "--broker", "127.0.0.1", "--database", "127.0.0.1"))
    told(site)

    assert done.exit_code == 0, done.output
    assert f"rabbitmqctl import_definitions < {site.folder}/definitions.json" in done.output
    for name in BUREAUS:
        assert f"rabbitmqctl clear_permissions -p / {name}" in done.output
        assert str(site.folder / "systems" / name) in done.output
        assert (site.folder / "systems" / name / "amqp_uri").read_text() == (
            f"amqps://{name}:secret-of-{name}@broker.example:5671/{name}"
        )
        assert site.systems().handed(name).token() == tokens[name]
        with connection(broker, name, name) as now:
            now.default_channel.exchange_declare(RPC_EXCHANGE, type="fanout", durable=True, auto_delete=False)
        for old_way in OLD_WAYS:
            with connection(broker, name, "%2F") as left, pytest.raises(AccessRefused):
                old_way(left.default_channel)


def test_the_old_way_stays_closed_however_often_the_site_is_made(site):
    site.make()
    site.make()

    definitions = json.loads((site.folder / "definitions.json").read_text())
    rows = [row for row in definitions["permissions"] if row["vhost"] == "/" and row["user"] in BUREAUS]
    topics = [row for row in definitions["topic_permissions"] if row["user"] in BUREAUS]
    assert [(row["user"], row["configure"], row["write"], row["read"]) for row in rows] == [
        (name, "^$", "^$", "^$") for name in BUREAUS
    ]
    assert {(row["user"], row["exchange"]) for row in topics} == {
        (name, exchange) for name in BUREAUS for exchange in (RPC_EXCHANGE, "awards.events")
    }
    assert {(row["write"], row["read"]) for row in topics} == {("^$", "^$")}
    assert site.outdated_systems() == ()


def test_a_system_that_is_let_in_now_has_no_permission_in_our_virtual_host_at_all(site):
    site.add("new_bureau", replaced(OLD, "p"), host="broker.example")

    definitions = json.loads((site.folder / "definitions.json").read_text())
    assert {row["vhost"] for row in definitions["permissions"] if row["user"] == "new_bureau"} == {"new_bureau"}
    site.remove("new_bureau")
