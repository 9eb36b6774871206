"""A town: our services, the door, and outside systems, on a broker with the definitions that a site has."""

import json
import uuid
from dataclasses import replace
from datetime import timedelta
from urllib.parse import urlsplit

import eventlet
from amqp.basic_message import Message
from kombu import Connection

from deploy.deployment import broker_rights, system_definitions
from deploy.deployment.other_systems import System
from deploy.local.broker import USER, Broker
from deploy.local.home import Home
from gateway.door import systems
from gateway.door.service import Door
from gateway.door.systems import Grant, event_queue
from services.chassis.amqp import connect
from services.chassis.tokens import issue
from services.contract import wire
from services.contract.topology import RPC_EXCHANGE
from services.outreach.service import Outreach
from tests.stack import Running, until

REGISTER = "outreach.register_venue"
MAY = (REGISTER, "outreach.get_venue", "outreach.list_venues")
HEARS = ("outreach.venue.*",)
HALL = {"venue_kind": "hall", "name": "科技馆", "district": "511102"}


class Town:
    """The door runs as its own user, the services as the administrator."""

    def __init__(self, settings, folder):
        self.settings = settings
        self.list = folder / "systems.json"
        self._mark = uuid.uuid4().hex[:6]  # users and virtual hosts are the whole broker's
        self._systems, self._door, self._door_password = {}, f"door_{self._mark}", uuid.uuid4().hex
        self.vhost = urlsplit(settings.amqp_uri).path[1:]
        self.vhost = "/" if self.vhost in ("", "/") else self.vhost

    def __enter__(self):
        self.services = Running(self.settings)
        self.services.__enter__()
        self.services.start(Outreach)
        return self

    def __exit__(self, *exc_info):
        self.services.__exit__(*exc_info)
        with connect(self.settings, "tests.leave") as connection:
            for name in self._systems:
                connection.default_channel.queue_delete(event_queue(name))

    def let_in(self, *words, may=MAY, hears=HEARS):
        """Provision these systems beside those that are there, and return them."""
        made = [f"{word}_{self._mark}" for word in words]
        self._systems |= {name: System(may, hears, uuid.uuid4().hex) for name in made}
        Broker(Home.of_the_environment()).import_definitions(self.definitions())
        self.write_list()
        return [Bureau(self, name) for name in made]

    def definitions(self):
        granted = (method for system in self._systems.values() for method in system.may)
        door = {self._door: (self._door_password, broker_rights.of_door(granted))}
        return system_definitions.together(
            broker_rights.definitions(self.vhost, door),
            system_definitions.of_systems(self._systems, vhost=self.vhost, door=self._door),
        )

    def write_list(self, **grants):
        made = {name: Grant(system.may, system.hears) for name, system in self._systems.items()} | grants
        draft = self.list.with_suffix(".draft")
        draft.write_text(systems.write(made))
        draft.replace(self.list)

    def door_settings(self, **changes):
        address = self.address(self._door, self._door_password, urlsplit(self.settings.amqp_uri).path)
        return replace(self.settings, amqp_uri=address, mongo_uri="", door_systems=str(self.list), **changes)

    def open_door(self, *bureaus, **changes):
        """Start a door, and wait until it serves these systems."""
        self.services.settings = self.door_settings(**changes)
        self.services.start(Door)
        self.services.settings = self.settings
        for one in bureaus:
            until(lambda one=one: self.serves(one))

    def close_door(self):
        self.services.stop("door")

    @property
    def door(self):
        return next(one for one in self.services.containers if one.service_name == "door")

    def serves(self, bureau):
        """Is this system's virtual host reached?"""
        (bureaus,) = [one for one in self.door.dependencies if one.attr_name == "bureaus"]
        return bureau.name in bureaus.provide() and bureaus.provide()[bureau.name].is_connected

    def address(self, user, password, path):
        broker = urlsplit(self.settings.amqp_uri)
        return f"amqp://{user}:{password}@{broker.hostname}:{broker.port}{path}"

    def control(self, *arguments):
        return Broker(Home.of_the_environment()).control(*arguments)

    def password(self, name):
        return self._systems[name].password

    def venues(self):
        """The names of all venues, in order."""
        found = self.services.database("outreach")["venue"].find({}, {"state": 1, "history": 0})
        return sorted(found, key=lambda one: one["_id"])

    def register(self, name="会堂"):
        return self.services.call("outreach", "register_venue", **HALL | {"name": name})["id"]


class Bureau:
    """A system with its address and its token, and a plain AMQP client of its own."""

    def __init__(self, town, name):
        self.town, self.name = town, name
        self.uri = town.address(name, town.password(name), f"/{name}")
        self.token = self.a_token()

    def a_token(self, *, subject=None, roles=("recorder", "viewer"), lifetime=timedelta(hours=1), key=None, **more):
        private = key or self.town.settings.token_private_key
        return issue(private, subject=subject or self.name, roles=roles, lifetime=lifetime, **more)

    def connected(self):
        return Client(self)


class Client:
    """Py-amqp as it comes, on one channel."""

    def __init__(self, bureau):
        self.bureau = bureau
        self.connection = Connection(bureau.uri)
        self.channel = self.connection.default_channel
        self.channel.auto_decode = False

    def __enter__(self):
        return self

    def __exit__(self, *exc_info):
        self.connection.collect()

    def queue(self, name="", **how):
        return self.channel.queue_declare(name, **{"exclusive": True, "auto_delete": True, **how}).queue

    def send(self, key, body=None, *, exchange=RPC_EXCHANGE, token=None, headers=None, **properties):
        content = body if isinstance(body, bytes) else wire.encode({"args": [], "kwargs": body or {}})
        given = {"nameko.token": self.bureau.token if token is None else token} | (headers or {})
        message = Message(content, **{"content_type": "application/json", "application_headers": given, **properties})
        self.channel.basic_publish(message, exchange=exchange, routing_key=key)

    def ask(self, key, body=None, *, queue=None, **how):
        """The answer to a call, in a queue without a name unless one is given."""
        queue = queue or self.queue()
        self.send(key, body, **{"reply_to": queue, "correlation_id": uuid.uuid4().hex, **how})
        return self.answer(queue)

    def answer(self, queue):
        return json.loads(bytes(self.got(queue).body))

    def got(self, queue):
        """The next message of a queue."""
        return until(lambda: self.channel.basic_get(queue, no_ack=True))

    def hear(self, *events):
        """A queue with these events from now on."""
        queue = self.queue()
        for event in events:
            service, _, key = event.partition(".")
            self.channel.queue_bind(queue, exchange=f"{service}.events", routing_key=key)
        return queue


def side_by_side(*calls):
    """The results of calls that wait at the same time."""
    return [thread.wait() for thread in [eventlet.spawn(call) for call in calls]]


__all__ = ["USER", "Town"]
