"""Services running in this process, for tests: real broker, real database, our own containers."""

import re
import uuid
from dataclasses import replace
from datetime import timedelta

import eventlet
from amqp import spec
from amqp.exceptions import NotFound
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from eventlet.event import Event as Signal
from vine import promise

from services.chassis.amqp import Gone, connect
from services.chassis.client import Caller
from services.chassis.clock import SystemClock
from services.chassis.health import Health
from services.chassis.listener import Batches, Inboxes
from services.chassis.mongo import client, database
from services.chassis.provisioning import declare_requests, declare_shared
from services.chassis.relay import Publication, Publisher, find_pending
from services.chassis.run import containers
from services.chassis.settings import Settings
from services.chassis.tokens import issue
from services.contract import EVERY_KIND
from services.contract.topology import RPC_EXCHANGE, SERVICES, SOURCES, exchange, queues, rpc_queue

WITHIN = 20.0  # seconds that anything awaited may take
MANY = 2_000  # documents; so many are gone sooner with their collection
GENERATION = re.compile(r"_[0-9a-f]{8}$")  # of the gateway's collections: one that was made anew


def key_pair():
    """A private and a public key for tokens."""
    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    return private, public


_emptied = []  # prefixes of databases that are as good as new


def an_empty_world(addresses, keys, **changes):
    """Settings of empty databases on a broker without messages."""
    (amqp_uri, mongo_uri), (private, public) = addresses, keys
    usual = {
        "amqp_uri": amqp_uri,
        "mongo_uri": mongo_uri,
        "token_public_key": public,
        "token_private_key": private,
        "sealing_key": b"s" * 32,
        "database_prefix": changes.get("database_prefix") or (_emptied.pop() if _emptied else a_new_prefix()),
    }
    settings = Settings(**{**usual, **changes})
    forget_queues(settings)
    return settings


def a_new_prefix():
    """Of databases that nobody had before."""
    return f"t{uuid.uuid4().hex[:10]}"


def leave(settings):
    """Empty this world's databases for the next one: to make their tables anew would cost more than most tests."""
    held = client(settings.mongo_uri)
    for emptying in [eventlet.spawn(_empty, held[name]) for name in _databases(held, settings)]:
        emptying.wait()
    _emptied.append(settings.database_prefix)


def forget_databases(settings):
    """Drop this world's databases, which had other indexes than the services' own."""
    held = client(settings.mongo_uri)
    for dropping in [eventlet.spawn(held.drop_database, name) for name in _databases(held, settings)]:
        dropping.wait()


def _databases(held, settings):
    return [name for name in held.list_database_names() if name.startswith(settings.database_prefix)]


def _empty(database):
    if not database.command("dbstats")["objects"]:
        return
    for name in database.list_collection_names():
        documents = database[name].estimated_document_count()
        if GENERATION.search(name) or documents > MANY:
            database.drop_collection(name)
        elif documents:
            database[name].delete_many({})


def connect_idly(settings, name):
    """A connection without heartbeats: nobody sends them for a test, which may wait while the services compute."""
    return connect(replace(settings, heartbeat=0), name)


def forget_queues(settings):
    """A broker as it was provisioned, but for requests: a call to a service that no test started fails at once."""
    with connect_idly(settings, "tests.forget") as connection:
        try:
            found = _look(connection.default_channel)
        except NotFound:
            declare_shared(connection.channel())
            found = _look(connection.channel())
        channel = connection.channel()
        left = [name for name, _, consumers in found if consumers]  # by processes that were killed just now
        for name in left:
            channel.queue_delete(name)
        if left:
            declare_shared(channel)
        for name, messages, _ in found:
            if messages and name not in left:
                channel.queue_purge(name)
        for service in SERVICES:
            channel.queue_delete(rpc_queue(service))


def _look(channel):
    """Name, messages and consumers of every queue; `NotFound` where one of them or an exchange is missing.

    All questions are sent before the first answer is read: a world is made for most tests.
    """
    exchanges, names = (RPC_EXCHANGE, *map(exchange, SOURCES)), [queue.name for queue in queues()]
    for name in exchanges:
        channel.send_method(spec.Exchange.Declare, "BssbbbbbF", (0, name, "topic", True, *(False,) * 4, {}))
    for name in names:
        channel.send_method(spec.Queue.Declare, "BsbbbbbF", (0, name, True, *(False,) * 4, {}))
    for _ in exchanges:
        channel.wait(spec.Exchange.DeclareOk)
    return [channel.wait(spec.Queue.DeclareOk, returns_tuple=True) for _ in names]


def expect_requests(settings, services=SERVICES):
    """Make the queues for the requests of these, which are about to start."""
    with connect_idly(settings, "tests.expect") as connection:
        for service in set(services) & set(SERVICES):
            declare_requests(connection.default_channel, service)


def until(condition, within=WITHIN):
    """Wait until the condition holds and return what it answered; fails after `within` seconds."""
    pause = 0.01
    with eventlet.Timeout(within, AssertionError(f"not within {within} s: {condition}")):
        while not (answer := condition()):
            eventlet.sleep(pause)
            pause = min(2 * pause, 0.05)  # to ask takes time that what is waited for needs
        return answer


class MovableClock(SystemClock):
    """A clock that a test sets forward."""

    def __init__(self):
        self.ahead = timedelta()

    def now(self):
        return super().now() + self.ahead


class Running:
    """The services that a test started, and a caller that is none of them."""

    def __init__(self, settings):
        self.settings = self.admin = settings
        self.clock = MovableClock()
        self.containers = []
        self.caller = Caller(settings, "tests.caller")
        self._tokens = {}

    def __enter__(self):
        self._reading = eventlet.spawn(self.caller.link.run)
        return self

    def __exit__(self, *exc_info):
        for stopping in [eventlet.spawn(container.stop) for container in self.containers]:  # as processes do
            stopping.wait()
        self.caller.link.stop()
        self._reading.wait()

    def start(self, *services):
        """Start these service classes; they answer when this returns."""
        new = containers(list(services), self.settings, self.clock)
        expect_requests(self.admin, [container.service_name for container in new])
        for starting in [eventlet.spawn(self._start, container) for container in new]:
            starting.wait()
        return self

    def _start(self, container):
        health = Health(self.settings, (container,))
        container.config["HEALTH"] = health
        container.start()
        health.started = True
        self.containers.append(container)
        until(lambda: health.ready()[0] == 200)

    def stop(self, service):
        """Stop one service as SIGTERM does."""
        (container,) = [one for one in self.containers if one.service_name == service]
        self.containers.remove(container)
        container.stop()

    def token(self, by="u-li", roles=("recorder",), district=None):
        key = (by, tuple(roles), district)
        if key not in self._tokens:
            self._tokens[key] = issue(
                self.settings.token_private_key,
                subject=by,
                roles=roles,
                district=district,
                lifetime=timedelta(hours=1),
            )
        return self._tokens[key]

    def call(self, service, method, /, *, by="u-li", roles=("recorder",), at=None, timeout=8.0, **arguments):
        """Call as `by` in these roles (`at`: bound to that district); raises the problem the service said."""
        return self.caller.call(service, method, arguments, token=self.token(by, roles, at), timeout=timeout)

    def database(self, service):
        return database(self.settings, service)

    def settle(self, within=WITHIN):
        """Wait until every event has been published and taken in by its listeners."""
        until(lambda: not (self._is_busy() or self._is_pending()), within)
        with connect_idly(self.settings, "tests.settle") as connection:
            until(lambda: self._is_settled(connection.default_channel), within)

    def _is_settled(self, channel):
        """Looked at twice: what is handled meanwhile may make something pending, and be acked."""
        unsettled = self._is_busy() or self._is_pending() or self._is_queued(channel) or self._is_pending()
        return not (unsettled or self._is_busy())

    def _is_busy(self):
        return any(inbox.is_busy for container in self.containers for inbox in _inboxes(container))

    def _is_pending(self):
        return any(self._has_pending(container.service_name) for container in self.containers)

    def _has_pending(self, service):
        names = [kind.name for kind in EVERY_KIND.values() if kind.service == service]
        return any(find_pending({name: self.database(service)[name] for name in names}, limit=1))

    def _is_queued(self, channel):
        """Is there an event that somebody who runs has not acked yet?"""
        listening = [inbox for container in self.containers for inbox in _inboxes(container)]
        if any(inbox.is_busy for inbox in listening):
            return True
        if any(channel.queue_declare(inbox.queue.name, passive=True).message_count for inbox in listening):
            return True
        return not all(_has_read_all(inbox) for inbox in listening) or any(inbox.is_busy for inbox in listening)

    def publish(self, *events):
        """Put events on their exchanges as their owners would, one after the other."""
        with connect_idly(self.settings, "tests.publish") as connection:
            Publisher(connection).publish(map(Publication.of, events), WITHIN)

    def a_new_id(self):
        return uuid.uuid4().hex


def _has_read_all(inbox):
    """Has it read what the broker handed out, which is counted nowhere? An answer on its channel comes after that."""
    answered = Signal()
    try:
        with inbox._link.writing() as channel:
            channel._pending[spec.Basic.QosOk] = promise(lambda *_: answered.send(True))
            channel.send_method(spec.Basic.Qos, "lBb", (0, 2 * inbox._size, False))  # as it was
    except Gone:
        return False
    return bool(answered.wait(timeout=1.0))


def _inboxes(container):
    found = [one.inbox for one in container.extensions if isinstance(one, Batches)]
    return found + [inbox for one in container.extensions if isinstance(one, Inboxes) for inbox in one.open_ones]
