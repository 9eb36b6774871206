"""A town: our services, the door, and outside systems, on a broker with the definitions that a site has."""

import json
import uuid
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from urllib.parse import unquote, urlsplit

from amqp import spec
from amqp.basic_message import Message
from amqp.exceptions import NotFound
from eventlet.event import Event as Signal
from kombu import Connection

from deploy.deployment import broker_rights, system_definitions
from deploy.deployment.other_systems import System
from deploy.local.broker import Broker
from deploy.local.home import Home
from deploy.secrets.keys import as_setting
from gateway.door import metrics, systems
from gateway.door.service import Door
from gateway.door.systems import Grant, event_queue
from services.chassis.amqp import BROKEN, connect
from services.chassis.rpc import Server
from services.chassis.tokens import issue
from services.contract import wire
from services.contract.topology import RPC_EXCHANGE
from services.outreach.service import Outreach
from tests.chassis.properties import Raw
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
        self.vhost = unquote(urlsplit(settings.amqp_uri).path[1:])
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
        self.provision()
        return [Bureau(self, name) for name in made]

    def remove(self, system):
        del self._systems[system.name]
        self.write_list()

    def provision(self):
        Broker(Home.of_the_environment()).import_definitions(self.definitions())
        self.write_list()

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

    def open_door(self, *systems, **changes):
        """Start a door, and wait until it serves these systems."""
        self.services.settings = self.door_settings(**changes)
        self.services.start(Door)
        self.services.settings = self.settings
        for one in systems:
            until(lambda one=one: self.serves(one))

    def close_door(self):
        """Stop the door that was opened last."""
        door = self.door
        self.services.containers.remove(door)
        door.stop()

    @property
    def door(self):
        return next(one for one in reversed(self.services.containers) if one.service_name == "door")

    def served(self, system):
        """What the door has for this system; None before it serves it."""
        (bureaus,) = [one for one in self.door.dependencies if one.attr_name == "bureaus"]
        return bureaus.provide().get(system.name)

    def serves(self, system):
        """Is this system's virtual host reached?"""
        served = self.served(system)
        return served is not None and served.is_connected

    def door_has_read(self, written_at):
        (bureaus,) = [one for one in self.door.dependencies if one.attr_name == "bureaus"]
        return bureaus._file._read_at[0] == written_at

    def unanswered(self, system):
        """Requests of this system so far that no answer reached."""
        return metrics.UNANSWERED.labels(system.name)._value.get()

    def hold_requests(self, monkeypatch, *, of):
        """Has the door keep requests of this system under way; those that it keeps, and how to release them."""
        requests = self.served(of)._requests
        held, forward = Held(), requests._forward
        monkeypatch.setattr(requests, "_forward", lambda *request: held.keep(request) and forward(*request))
        return held

    def hold_answers(self, monkeypatch):
        """Has outreach keep its answers to itself; those that it keeps, and how to release them."""
        server = self.server_of_outreach()
        held, answer = Held(), server.answer
        monkeypatch.setattr(server, "answer", lambda *answered: held.keep(answered) and answer(*answered))
        return held

    def server_of_outreach(self):
        (outreach,) = [one for one in self.services.containers if one.service_name == "outreach"]
        return next(one for one in outreach.extensions if isinstance(one, Server))

    def private_key_setting(self):
        return as_setting(self.settings.token_private_key)

    def address(self, user, password, path):
        broker = urlsplit(self.settings.amqp_uri)
        return f"amqp://{user}:{password}@{broker.hostname}:{broker.port}{path}"

    def control(self, *arguments):
        return Broker(Home.of_the_environment()).control(*arguments)

    def password(self, name):
        return self._systems[name].password

    def publish(self, key, *ids):
        """Events of outreach, one after the other."""
        with connect(self.settings, "tests.publish") as connection:
            for id_ in ids:
                message = Message(wire.encode({"id": id_}), content_type="application/json", message_id=id_,
                                  delivery_mode=2, application_headers={"x-ours": "stays here"})  # fmt: skip
                connection.default_channel.basic_publish(message, exchange="outreach.events", routing_key=key)
            connection.default_channel.queue_declare(exclusive=True)  # all of them have arrived before its answer


class Held(list):
    """Requests that wait until they are released."""

    def __init__(self):
        self._released = Signal()

    def keep(self, request):
        self.append(request)
        return self._released.wait()

    def release(self):
        self._released.send(True)


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

    def send_raw(self, key, *properties):
        """Send requests with these bytes as properties; count those that the broker takes: some end a connection."""
        return sum(self._is_taken(key, encoded) for encoded in properties)

    def _is_taken(self, key, encoded):
        with until(self._connection) as connection:
            try:
                message = Raw(b'{"kwargs": {}}', encoded)
                connection.default_channel.basic_publish_confirm(message, exchange=RPC_EXCHANGE, routing_key=key)
            except BROKEN:
                return False
            finally:
                connection.collect()
        return True

    def _connection(self):
        """None while the broker counts the last ones yet."""
        connection = Connection(self.uri)
        try:
            return connection.connect() and connection
        except BROKEN:
            return None


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

    def ask_until_served(self, key):
        """The answer to a call that is made again and again, since the exchange may not be there."""
        queue = self.queue()

        def asked():
            with suppress(NotFound):
                self.send(key, reply_to=queue, correlation_id=uuid.uuid4().hex)
                return self.channel.basic_get(queue, no_ack=True)

        return json.loads(bytes(until(asked).body))

    def answer(self, queue):
        return json.loads(bytes(self.got(queue).body))

    def got(self, queue):
        """The next message of a queue."""
        return until(lambda: self.channel.basic_get(queue, no_ack=True))

    def declare_internal(self, name):
        """An exchange to which nobody publishes; py-amqp has no word for it."""
        flags = (False, True, False, True, False)  # passive, durable, auto-delete, internal, no-wait
        arguments = (0, name, "topic", *flags, {})
        self.channel.send_method(spec.Exchange.Declare, "BssbbbbbF", arguments, wait=spec.Exchange.DeclareOk)

    def is_served(self):
        """Does a door take what is sent to its queue?"""
        return self.consumers("door.requests") > 0

    def consumers(self, queue):
        try:
            return self.channel.queue_declare(queue, passive=True).consumer_count
        except NotFound:
            return 0

    def subjects(self, queue, wanted):
        """The subjects of the next events, until all of these are among them."""
        found = []
        while not wanted <= set(found):
            found.append(json.loads(bytes(self.got(queue).body))["subject"])
        return found

    def waiting(self, queue):
        return self.channel.queue_declare(queue, passive=True).message_count

    def has_exchange(self, name):
        try:
            self.channel.exchange_declare(name, type="", passive=True)
        except NotFound:
            return False
        return True

    def read(self, queue, *, until_id):
        """The ids of the next events, up to this one."""
        ids = []
        while until_id not in ids:
            ids.append(json.loads(bytes(self.got(queue).body))["id"])
        return ids

    def hear(self, *events, **how):
        """A queue with these events from now on."""
        queue = self.queue(**how)
        for event in events:
            service, _, key = event.partition(".")
            self.channel.queue_bind(queue, exchange=f"{service}.events", routing_key=key)
        return queue
