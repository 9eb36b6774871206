"""Listeners take events in: in batches as they arrive, acked only after they were handled or parked.

An idle system handles single events at once, a busy one forms batches by itself. An error that passes by itself is
tried again in place; any other event is split off, tried alone and then parked (as a dead letter), so that one bad
event never stops the others.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from time import monotonic
from typing import Any

import eventlet
from eventlet.event import Event as Signal
from nameko.exceptions import ContainerBeingKilled
from nameko.extensions import Entrypoint, SharedExtension
from structlog import get_logger

from services.chassis import metrics, rehearsal, trace
from services.chassis.amqp import Backoff, Gone, Link, body_of
from services.chassis.document import Cause
from services.chassis.mongo import is_passing
from services.chassis.parked import ParkedMessages
from services.chassis.problem import Unavailable
from services.chassis.tokens import Actor
from services.contract.event import Event, NotAnEvent, read
from services.contract.topology import DELIVERIES, EventQueue, dead_letter_queue, listener_queue, queues_of
from services.contract.view import Kind, View

BREATH = 0.01  # seconds between two batches of a busy time
FEW = 50  # events; with more there is nothing to wait for
SIDE_BY_SIDE = 8  # records whose events a service handles at once
TRIES = 3  # of an event alone, before it is parked

log = get_logger()


class Stopping(Exception):
    """The process ends while an event waits for the database: the broker will deliver it again."""


class Retry(Exception):
    """Raised by a handler that cannot take the event yet."""


@dataclass(frozen=True)
class Delivery:
    """An event with its message, which is needed to ack or park it."""

    event: Event
    message: Any


class Inbox:
    """A queue's messages, read by its link and handled by one greenthread, acked batch by batch."""

    def __init__(
        self,
        container: Any,
        parked: ParkedMessages,
        queue: EventQueue,
        handle: Callable[[list[Event]], None],
        size: int,
    ) -> None:
        self.queue = queue
        self._handle = handle
        self._size = size
        self._service = container.service_name
        self._arrived: deque[Any] = deque()
        self._bell = Signal()
        self._stopping = False
        self._taking = False
        self._next = 0.0
        self._link = Link(container.config["SETTINGS"], f"{self._service}.{queue.name}", self._opened)
        self._parked = parked
        self._parked.handles(queue.name, self._take_again)
        self._threads = [
            container.spawn_managed_thread(run, identifier=queue.name) for run in (self._link.run, self._run)
        ]

    @property
    def is_up(self) -> bool:
        """True while connected to the broker."""
        return self._link.is_up

    @property
    def waiting(self) -> int:
        """The number of messages that have arrived and are not being handled yet."""
        return len(self._arrived)

    @property
    def is_busy(self) -> bool:
        """True while a message that arrived is not acked yet."""
        return self._taking or self.waiting > 0

    def stop(self) -> None:
        """Take no more, finish the batch at hand, then close the connection."""
        self._stopping = True
        self._wake()
        self._threads[1].wait()
        self._link.stop()
        self._threads[0].wait()

    def _opened(self, channel: Any) -> None:
        self._arrived.clear()
        channel.basic_qos(0, 2 * self._size, False)
        channel.basic_consume(self.queue.name, callback=self._on_message, on_cancel=self._on_cancel)

    def _on_message(self, message: Any) -> None:
        self._arrived.append(message)
        self._wake()

    def _on_cancel(self, consumer_tag: str) -> None:
        raise Gone(f"{self.queue.name} was deleted")

    def _wake(self) -> None:
        if not self._bell.ready():
            self._bell.send()

    def _run(self) -> None:
        while not self._stopping:
            if not self._arrived:
                self._bell = Signal()
                self._bell.wait()
                continue
            self._taking = True
            self._gather()
            if batch := [self._arrived.popleft() for _ in range(min(len(self._arrived), self._size))]:
                try:
                    self._take(batch)
                except Stopping:
                    return
                self._ack(batch[-1])
                self._next = monotonic() + BREATH
            self._taking = False

    def _gather(self) -> None:
        """Let the events of a busy time come together: a batch of many costs hardly more than one of one.

        A connection that opens meanwhile forgets the messages that had arrived, for all of them come again.
        """
        rest = self._next - monotonic()
        if rest > 0 and len(self._arrived) < FEW and not self._stopping:
            eventlet.sleep(rest)

    def _take(self, messages: list[Any]) -> None:
        deliveries = []
        for message in messages:
            try:
                deliveries.append(Delivery(read(body_of(message)), message))
            except NotAnEvent as error:
                self._park(message, error)
        if not deliveries:
            return
        if self._try([delivery.event for delivery in deliveries]) is not None:
            for delivery in deliveries:
                self._take_alone(delivery)

    def _take_alone(self, delivery: Delivery) -> None:
        errors = [self._try([delivery.event])]
        while errors[-1] is not None:
            if len(errors) == TRIES:
                self._park(delivery.message, errors[-1])
                return
            errors.append(self._try([delivery.event]))

    def _try(self, events: list[Event]) -> Exception | None:
        """Handle events, and wait as long as the error is "not now"; returns an error that will not pass, or None."""
        backoff = Backoff(longest=5.0)
        while True:
            try:
                self._handle(events)
            except ContainerBeingKilled as error:
                raise Stopping from error
            except Exception as error:
                if not _is_not_now(error):
                    return error
                log.warning("trying again", queue=self.queue.name, error=type(error).__name__)
                if self._stopping:
                    raise Stopping from error
                eventlet.sleep(backoff.next())
            else:
                metrics.HANDLED.labels(self._service, self.queue.name, "taken").inc(len(events))
                return None

    def _park(self, message: Any, error: BaseException) -> None:
        self._parked.park(message, queue=self.queue.name, error=error)
        metrics.HANDLED.labels(self._service, self.queue.name, "parked").inc()

    def _take_again(self, body: bytes) -> None:
        """Handle a parked event; raises the handler's error, and `Unavailable` for "not now"."""
        try:
            self._handle([read(body)])
        except ContainerBeingKilled as error:
            raise Unavailable() from error
        except Exception as error:
            if _is_not_now(error):
                raise Unavailable() from error
            raise
        metrics.HANDLED.labels(self._service, self.queue.name, "taken").inc()

    def _ack(self, last: Any) -> None:
        try:
            with self._link.writing(last.channel) as channel:
                channel.basic_ack(last.delivery_tag, multiple=True)
        except Gone:
            log.info("batch not acked; it will be redelivered", queue=self.queue.name)


class GivenUp(Exception):
    """The broker delivered a message again and again, and its reader ended each time before it settled it."""


class DeadLetters(Inbox):
    """What the broker gave up to deliver to this reader: parked under the queue that it came from."""

    def __init__(self, container: Any, parked: ParkedMessages, handle: Callable[[list[Event]], None]) -> None:
        super().__init__(container, parked, dead_letter_queue(container.service_name), handle, size=100)

    def _take(self, messages: list[Any]) -> None:
        error = GivenUp(f"delivered more than {DELIVERIES} times and never settled")
        for message in messages:
            self._parked.park(message, queue=_restore(message) or self.queue.name, error=error)
            metrics.HANDLED.labels(self._service, self.queue.name, "parked").inc()


def _restore(message: Any) -> str | None:
    """Give a dead letter the exchange and key that it had; returns the queue that it came from."""
    try:
        death = message.properties["application_headers"]["x-death"][0]
        queue, exchange, key = death["queue"], death["exchange"], death["routing-keys"][0]
    except (KeyError, IndexError, TypeError):
        return None  # none of the broker's
    message.delivery_info = {**message.delivery_info, "exchange": exchange, "routing_key": key}
    return str(queue)


class Batches(Entrypoint):
    """A method that takes whole batches of events from one queue."""

    parked = ParkedMessages()

    def __init__(self, queue: EventQueue, size: int = 500, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.queue, self.size = queue, size

    def start(self) -> None:
        """Open the inbox."""
        handle = partial(work, self.container, self)
        self.inbox = Inbox(self.container, self.parked, self.queue, handle, self.size)
        self.dead_letters = DeadLetters(self.container, self.parked, handle)

    def stop(self) -> None:
        """Finish the batch at hand and close."""
        self.inbox.stop()
        self.dead_letters.stop()
        self.parked.close()


class Inboxes(SharedExtension):
    """The inboxes of a service, one for each source that it listens to, shared by its `listens` methods."""

    parked = ParkedMessages()

    def __init__(self) -> None:
        self._listeners: list[Listener] = []
        self.open_ones: list[Inbox] = []

    def add_listener(self, listener: Listener) -> None:
        """Add a method to those that get events."""
        self._listeners.append(listener)

    def open(self) -> None:
        """Open an inbox for each source that a method listens to, and one for dead letters, once."""
        if self.open_ones:
            return
        for queue in queues_of(self.container.service_name):
            if any(
                listener_queue(self.container.service_name, listener.source) == queue.name
                for listener in self._listeners
            ):
                self.open_ones.append(Inbox(self.container, self.parked, queue, self._handle, size=100))
        self.open_ones.append(DeadLetters(self.container, self.parked, self._handle))

    @property
    def is_up(self) -> bool:
        """True while all inboxes are connected."""
        return all(inbox.is_up for inbox in self.open_ones)

    def close(self) -> None:
        """Finish the batches at hand and close all inboxes."""
        closing = [eventlet.spawn(inbox.stop) for inbox in self.open_ones]
        self.open_ones = []
        for thread in closing:
            thread.wait()
        self.parked.close()

    def _handle(self, events: list[Event]) -> None:
        """Handle one record's events in order, several records side by side; raises the first error."""
        by_record: dict[tuple[Kind, str], list[Event]] = {}
        for event in events:
            by_record.setdefault((event.kind, event.record), []).append(event)
        heard = eventlet.GreenPool(SIDE_BY_SIDE).imap(self._hear, by_record.values())
        errors = [error for error in heard if error is not None]
        if errors:
            raise errors[0]

    def _hear(self, events: list[Event]) -> Exception | None:
        wanted = ((listener, event) for event in events for listener in self._listeners if listener.wants(event))
        try:
            for listener, event in wanted:
                work(self.container, listener, event)
        except Exception as error:  # noqa: BLE001 - it is raised when the others are through
            return error
        return None


class Listener(Entrypoint):
    """A method that hears some happenings of one kind; its own changes name the event as their cause."""

    inboxes = Inboxes()

    def __init__(self, view: type[View], *happenings: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.kind = view.kind
        self.happenings = happenings
        if unknown := sorted(set(happenings) - set(self.kind.happenings)):
            raise ValueError(f"{self.kind.key} does not announce {', '.join(unknown)}")

    @property
    def source(self) -> str:
        """The service that publishes the kind."""
        return self.kind.service

    def wants(self, event: Event) -> bool:
        """True for an event of its kind and happenings."""
        return event.kind is self.kind and event.happened in self.happenings

    def setup(self) -> None:
        """Register with the container's inboxes."""
        self.inboxes.add_listener(self)

    def start(self) -> None:
        """Open the container's inboxes."""
        self.inboxes.open()

    def stop(self) -> None:
        """Close the container's inboxes."""
        self.inboxes.close()


def work(container: Any, entrypoint: Any, given: Event | list[Event]) -> None:
    """Run the service's method on this in a worker; raises the method's error."""
    done = Signal()

    def finished(worker_ctx: Any, result: Any, exc_info: Any) -> tuple[Any, Any]:
        if exc_info is None:
            done.send(result)
        else:
            done.send_exception(*exc_info)  # with its traceback
        return result, exc_info

    traceparents = [event.traceparent for event in (given if isinstance(given, list) else [given])]
    with trace.span("consumer", f"{container.service_name} {entrypoint.method_name}", *traceparents):
        container.spawn_worker(
            entrypoint, (given,), {}, context_data=_context(container, given), handle_result=finished
        )
        done.wait()


def _is_not_now(error: Exception) -> bool:
    return isinstance(error, Retry | Unavailable) or is_passing(error)


def _context(container: Any, given: Event | list[Event]) -> dict[str, Any]:
    if isinstance(given, list):
        return {}
    cause = Cause(because=given.id, actor=Actor(given.actor), at=rehearsal.hearing(given, container.config))
    return {"cause": cause}


listens = Listener.decorator
batches = Batches.decorator
