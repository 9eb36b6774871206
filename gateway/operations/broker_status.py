"""The broker as the gateway finds it: does it answer and take messages, and is everything there that services share."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any, ClassVar

import eventlet
from amqp import spec
from amqp.basic_message import Message
from amqp.exceptions import NotFound as NotThere
from kombu.transport.pyamqp import Connection as PyamqpConnection

from services.chassis.amqp import BROKEN, Gone, connect
from services.chassis.settings import Settings
from services.contract.topology import RPC_EXCHANGE, SERVICES, SOURCES, exchange, queues, rpc_queue

TIMEOUT = 2.0  # seconds that the broker has to tell the lengths of its queues
FOR_A_LOOK = 5.0  # seconds that it has for all that is asked of it
PROBE = "status"  # a routing key that no queue is bound with: the message is taken, and goes nowhere

Broker = dict[str, Any]
Lengths = dict[str, int | None]


def look(settings: Settings) -> Broker:
    """Look at the broker once.

    `queues` has the number of messages in each queue, None where there is no such queue, or nobody answers;
    `missing` names exchanges that are not there; `blocked` is the reason why no message is taken, or None.
    """
    found: Broker = {"answers": False, "blocked": None, "missing": [], "queues": _unknown_lengths()}

    def look_at(connection: Any) -> None:
        _measure(connection, found["queues"])
        found["missing"] = [name for name in (RPC_EXCHANGE, *map(exchange, SOURCES)) if not _is_there(connection, name)]
        found["answers"] = True
        if exchange("gateway") not in found["missing"]:
            found["blocked"] = _reason_to_block(connection)

    _connected(settings, look_at, within=FOR_A_LOOK)
    return found


def lengths(settings: Settings) -> Lengths:
    """Return the number of messages in each queue; None where there is no such queue, or the broker does not answer."""
    known = _unknown_lengths()
    _connected(settings, lambda connection: _measure(connection, known), within=TIMEOUT)
    return known


def _connected(settings: Settings, look_at: Callable[[Any], None], *, within: float) -> None:
    """Look while there is a connection and time; a broker that is away is no error.

    It is hung up and not closed: a broker with an alarm reads nothing more from it, and would not answer that either.
    """
    with suppress(*BROKEN), eventlet.Timeout(within, Gone("the broker does not answer")):
        connection = connect(settings, "gateway.overview", kind=ToldWhenBlocked)
        try:
            look_at(connection)
        finally:
            connection.collect()


def _unknown_lengths() -> Lengths:
    return dict.fromkeys([*(queue.name for queue in queues()), *map(rpc_queue, SERVICES)])


def _measure(connection: Any, known: Lengths) -> None:
    for name in known:
        known[name] = _length(connection, name)


class ToldWhenBlocked(PyamqpConnection):
    """A connection that keeps the broker's reason for taking no more messages, which py-amqp drops."""

    _METHODS: ClassVar = {
        **PyamqpConnection._METHODS,  # noqa: SLF001 - py-amqp reads no argument of it
        spec.Connection.Blocked: spec.method(spec.Connection.Blocked, "s"),
    }
    blocked: str | None = None

    def _on_blocked(self, reason: str) -> None:
        self.blocked = reason


def _length(connection: Any, queue: str) -> int | None:
    with suppress(NotThere):  # after which the channel is opened again
        length: int = connection.default_channel.queue_declare(queue, passive=True).message_count
        return length
    return None


def _is_there(connection: Any, name: str) -> bool:
    try:
        connection.default_channel.exchange_declare(name, type="topic", passive=True)
    except NotThere:
        return False
    return True


def _reason_to_block(connection: Any) -> str | None:
    """Publish a message that goes nowhere: a broker with an alarm tells those who publish, and confirms nothing."""
    channel, confirmed = connection.channel(), []
    channel.confirm_select()
    channel.events["basic_ack"].add(lambda *_: confirmed.append(True))
    channel.basic_publish(Message(b""), exchange=exchange("gateway"), routing_key=PROBE)
    while not confirmed and connection.connection.blocked is None:
        connection.drain_events(timeout=FOR_A_LOOK)
    reason: str | None = connection.connection.blocked
    return reason
