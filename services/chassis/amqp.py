"""The broker as we use it: connections that come back by themselves, and what services share, made beforehand."""

from __future__ import annotations

import os
import random
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from time import monotonic
from typing import Any, ClassVar

import eventlet
from amqp import Channel, spec
from amqp.exceptions import AMQPError, NotFound
from amqp.method_framing import frame_handler
from eventlet.event import Event as Signal
from eventlet.semaphore import Semaphore
from kombu import Connection
from kombu.exceptions import KombuError
from kombu.transport.pyamqp import Connection as PyamqpConnection
from structlog import get_logger

from services.chassis.provisioning import tls_of
from services.chassis.settings import Settings

HEADER, BODY = 2, 3  # the types of frames that carry a message's properties, and a part of its body
SIZES = 12  # bytes of a header frame before the properties: class, weight and length of the body
NO_PROPERTIES = b"\0\0"
STALLED = 5.0  # seconds that the broker may take to accept written bytes
BROKEN = (AMQPError, KombuError, OSError, EOFError)
"""The errors of a lost connection; OSError includes time-outs and refusals."""
MISSING = "(run `./kexie provision`, or the site's provision: deploy/README.md)"

log = get_logger()


class Gone(OSError):
    """The connection was lost; the broker will deliver again."""


def connect(settings: Settings, name: str, *, kind: type[PyamqpConnection] | None = None) -> Connection:
    """Open a connection that the broker's tools show under this name, to any node that accepts it."""
    addresses, kind = settings.amqp_uri.split(";"), kind or SingleReaderConnection
    random.shuffle(addresses)
    for address in addresses[1:]:
        with suppress(*BROKEN):
            return _connected(address, settings, name, kind)
    return _connected(addresses[0], settings, name, kind)


class SingleReaderConnection(PyamqpConnection):
    """A connection that never reads while it writes.

    py-amqp looks for `connection.blocked` before each message that it sends. Reading is the link's greenthread's alone:
    two greenthreads that read at once end the process.
    """

    negotiate_capabilities: ClassVar = {**PyamqpConnection.negotiate_capabilities, "connection.blocked": False}


def _connected(address: str, settings: Settings, name: str, kind: type[PyamqpConnection]) -> Connection:
    connection = Connection(
        address,
        heartbeat=settings.heartbeat,
        connect_timeout=5,
        ssl=tls_of(address),
        transport_options={"client_properties": {"connection_name": name}, "frame_handler": read_frames},
    )
    connection.transport.Connection = kind
    try:
        connection.connect()
    except BaseException:
        connection.collect()
        raise
    _decode_leniently(connection.connection.transport)
    return connection


class LenientText(bytes):
    """Bytes of a frame whose texts can always be decoded."""

    def __getitem__(self, place: Any) -> Any:
        part = super().__getitem__(place)
        return LenientText(part) if isinstance(part, bytes) else part

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        r"""Decode, and write bytes that are not UTF-8 as `\xNN`."""
        return super().decode(encoding, "backslashreplace")


def _decode_leniently(transport: Any) -> None:
    """Accept keys and ids that are not UTF-8: one such message would end its reader's connection, again and again."""
    read = transport.read_frame

    def read_frame() -> tuple[int, int, bytes]:
        kind, channel, payload = read()
        return kind, channel, payload if kind == BODY else LenientText(payload)

    transport.read_frame = read_frame


def read_frames(connection: Any, callback: Callable[..., Any]) -> Callable[[Any], bool]:
    """Read frames as py-amqp does, and a message whose properties cannot be decoded as one that has none.

    An error there would end its reader's connection, again and again. Errors of callbacks are raised.
    """
    is_decoding = False

    def received(*method: Any) -> Any:
        nonlocal is_decoding
        is_decoding = False
        return callback(*method)

    read: Callable[[Any], bool] = frame_handler(connection, received)

    def on_frame(frame: tuple[int, int, bytes]) -> bool:
        nonlocal is_decoding
        kind, channel, payload = frame
        is_decoding = kind == HEADER
        try:
            return read(frame)
        except Exception as error:
            if not is_decoding:
                raise
            log.warning("undecodable properties", error=type(error).__name__)
            return read((kind, channel, payload[:SIZES] + NO_PROPERTIES))
        finally:
            is_decoding = False

    return on_frame


class AnswerChannel(Channel):
    """A channel to publish on that is open again after the broker refused a message and closed it (403, 404).

    What was sent on it meanwhile is lost. Only writers write: the one who publishes next opens it again.
    """

    is_refused = False

    def publish(self, message: Any, *, exchange: str, routing_key: str | None) -> None:
        """Publish, on a channel that is open."""
        if self.is_refused:
            self.is_refused = False
            self.send_method(spec.Channel.CloseOk)
            self.send_method(spec.Channel.Open, "s", ("",))  # not awaited, since the broker takes methods in turn
        self.basic_publish(message, exchange=exchange, routing_key=routing_key)

    def _on_close(self, reply_code: int, reply_text: str, class_id: int, method_id: int) -> None:
        log.warning("answer refused by the broker", code=reply_code)
        self.is_refused = True


def _receive_no_more(sock: Any) -> None:
    """Whoever reads there comes to an end after what has arrived; writing goes on.

    By a copy of the descriptor, since a TLS socket that is shut down in one direction cannot write any more.
    """
    with suppress(OSError), socket.socket(fileno=os.dup(sock.fileno())) as same:
        same.shutdown(socket.SHUT_RD)


@contextmanager
def corked(channel: Any) -> Iterator[None]:
    """Collect writes and send them together at the end: one system call for a batch instead of one a message.

    py-amqp sends each message at once and has no such switch, hence the attribute of its transport.
    """
    transport, written = channel.connection.transport, bytearray()
    send = transport._write
    transport._write = written.extend
    try:
        yield
    finally:
        transport._write = send
        if written:
            transport.write(bytes(written))


def as_logged(error: BaseException) -> str:
    """Write an error of the broker as one line, with what an operator does where something is missing there."""
    text = f"{type(error).__name__}: {error}"[:200]
    return f"{text} {MISSING}" if isinstance(error, NotFound) else text


def body_of(message: Any) -> bytes:
    """Return a message's bytes; py-amqp makes an empty body a text."""
    return bytes(message.body) if message.body else b""


class Backoff:
    """Waits between tries: doubling, with jitter, from the first failure on."""

    def __init__(self, first: float = 0.2, longest: float = 10.0) -> None:
        self.first, self.longest = first, longest
        self.tries = 0

    def reset(self) -> None:
        """Begin again with the shortest wait."""
        self.tries = 0

    def next(self) -> float:
        """Return the seconds to wait before the next try."""
        delay = min(self.longest, self.first * 2**self.tries)
        self.tries += 1
        return delay * random.uniform(0.5, 1.0)  # noqa: S311 - so that not all come back at once


class Link:
    """A connection with its channel, kept up until stopped: one greenthread reads it, writers take turns.

    `opened(channel)` runs after each (re)connect: consume there. Callbacks of consumers run in the reading
    greenthread and must not write. `refresh(channel)` runs with every heartbeat, and must not wait for an answer.
    """

    def __init__(
        self,
        settings: Settings,
        name: str,
        opened: Callable[[Any], None],
        refresh: Callable[[Any], None] = lambda channel: None,
    ) -> None:
        self.settings = settings
        self.name = name
        self.opened = opened
        self.refresh = refresh
        self.channel: Any = None  # of the connection that is up; None while there is none
        self._turn = Semaphore(1)
        self._halt = Signal()
        self._up = Signal()

    @property
    def is_up(self) -> bool:
        """True while connected."""
        return self.channel is not None

    def wait_up(self, seconds: float) -> bool:
        """Wait until connected, for at most this many seconds; returns whether it is."""
        if not self.is_up:
            with eventlet.Timeout(seconds, False):
                self._up.wait()
        return self.is_up

    def run(self) -> None:
        """Connect and read, again after every loss, until stopped: the life of the reading greenthread."""
        backoff = Backoff(longest=5.0)
        while not self._halt.ready():
            try:
                self._live(backoff)
            except BROKEN as error:
                if self._halt.ready():
                    return
                log.warning("broker connection lost", link=self.name, error=as_logged(error))
                self._wait(backoff.next())

    def stop(self) -> None:
        """End `run` at once: the reader does not wait for more."""
        if self._halt.ready():
            return

        self._halt.send()
        if self.channel is not None:
            _receive_no_more(self.channel.connection.transport.sock)

    @contextmanager
    def writing(self, channel: Any = None) -> Iterator[Any]:
        """Lend the channel to one writer; raises `Gone` where it is down or no longer the given one."""
        with self._turn:
            if self.channel is None or (channel is not None and channel is not self.channel):
                raise Gone(f"{self.name}: the connection is gone")
            try:
                with eventlet.Timeout(STALLED, Gone("the broker accepts nothing")), corked(self.channel):
                    yield self.channel
            except BaseException as error:
                self.channel = None  # perhaps half a frame went out: the reader opens another connection
                if isinstance(error, BROKEN):
                    raise Gone(f"{self.name}: {error}") from error
                raise

    def _live(self, backoff: Backoff) -> None:
        connection = connect(self.settings, self.name)
        try:
            channel: Any = connection.default_channel
            channel.auto_decode = False  # bodies stay bytes, whatever encoding a sender claims
            self.opened(channel)
            self.channel = channel
            self._up.send()
            backoff.reset()
            self._read(connection)
        finally:
            self.channel = None
            if self._up.ready():
                self._up = Signal()
            connection.collect()

    def _read(self, connection: Connection) -> None:
        beat = self.settings.heartbeat / 2
        due = monotonic() + beat
        while not self._halt.ready():
            if not self.is_up:
                raise Gone("a writer found the connection broken")
            with suppress(TimeoutError):
                connection.drain_events(timeout=0.5)
            if monotonic() >= due:
                with self._turn:
                    connection.heartbeat_check()
                    self.refresh(self.channel)
                due = monotonic() + beat

    def _wait(self, seconds: float) -> None:
        with eventlet.Timeout(seconds, False):
            self._halt.wait()
