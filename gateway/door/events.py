"""Events for an outside system: carried from a queue of ours into its virtual host, in order, acked once confirmed."""

from __future__ import annotations

from collections import deque
from typing import Any

import eventlet
from amqp.basic_message import Message
from eventlet.event import Event as Signal

from gateway.door import metrics
from gateway.door.publisher import Publication, Publisher
from gateway.door.systems import Grant, event_queue
from services.chassis.amqp import Backoff, Gone, Link, body_of
from services.chassis.settings import Settings
from services.contract.event import CONTENT_TYPE, for_others

BATCH = 100  # events that are sent before their confirms are awaited
CONNECTED_WITHIN = 1.0  # seconds


class Events:
    """The events of one system; of several processes, one at a time gets them from the broker.

    An event may come twice where a connection was lost between its confirm and its ack.
    """

    def __init__(self, settings: Settings, system: str, grant: Grant, *, publisher: Publisher) -> None:
        self.link = Link(settings, f"door.{system}.events", self._opened)
        self._system, self._grant, self._publisher = system, grant, publisher
        self._queue = event_queue(system)
        self._arrived: deque[Any] = deque()
        self._bell = Signal()
        self._halt = Signal()

    def run(self) -> None:
        """Carry events until stopped: the life of one greenthread."""
        while not self._halt.ready():
            if not self._arrived:
                self._bell = Signal()
                self._bell.wait()
                continue
            batch = [self._arrived.popleft() for _ in range(min(len(self._arrived), BATCH))]
            if self._carry(batch):
                self._ack(batch[-1])

    def stop(self) -> None:
        """Let the batch at hand be confirmed and begin none after it; the link stops afterwards."""
        self._halt.send()
        self._wake()

    def _opened(self, channel: Any) -> None:
        self._arrived.clear()
        channel.basic_qos(0, 2 * BATCH, False)
        channel.basic_consume(self._queue, callback=self._on_message, on_cancel=_on_cancel)

    def _on_message(self, message: Any) -> None:
        self._arrived.append(message)
        self._wake()

    def _wake(self) -> None:
        if not self._bell.ready():
            self._bell.send()

    def _carry(self, batch: list[Any]) -> bool:
        """Publish a batch until all of it is confirmed; return False where the door stops before."""
        publications = [_publication(message) for message in batch if self._is_granted(message)]
        backoff = Backoff(longest=5.0)
        while not self._halt.ready():
            if not self._publisher.link.wait_up(CONNECTED_WITHIN):
                continue
            try:
                self._publisher.publish(*publications)
            except Gone:
                self._rest(backoff.next())
            else:
                metrics.CARRIED.labels(self._system).inc(len(publications))
                return True
        return False

    def _is_granted(self, message: Any) -> bool:
        """A binding of an earlier grant stays at the broker: an import of definitions removes none."""
        source, key = message.delivery_info["exchange"].partition(".")[0], message.delivery_info["routing_key"]
        return self._grant.allows_event(f"{source}.{key}")

    def _rest(self, seconds: float) -> None:
        with eventlet.Timeout(seconds, False):
            self._halt.wait()

    def _ack(self, last: Any) -> None:
        try:
            with self.link.writing(last.channel) as channel:
                channel.basic_ack(last.delivery_tag, multiple=True)
        except Gone:
            pass  # it comes again, and its hearers know it by its id


def _publication(message: Any) -> Publication:
    event = Message(
        for_others(body_of(message)),
        content_type=CONTENT_TYPE,
        content_encoding="utf-8",
        delivery_mode=2,
        message_id=message.properties.get("message_id"),
    )
    return Publication(event, message.delivery_info["exchange"], message.delivery_info["routing_key"])


def _on_cancel(consumer_tag: str) -> None:
    raise Gone(f"{consumer_tag} was deleted")
