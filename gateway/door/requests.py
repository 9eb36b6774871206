"""Requests of an outside system: taken from its virtual host, checked, forwarded and answered.

Checks stand in the order of their costs. A request is acked after its answer was sent, so one that is delivered twice
has the same id both times, and is one command to its service.
"""

from __future__ import annotations

import uuid
from contextlib import suppress
from hashlib import sha256
from time import monotonic
from typing import Any

import eventlet
from amqp.basic_message import Message

from gateway.door import metrics
from gateway.door.publisher import Publication, Publisher
from gateway.door.systems import Grant
from gateway.door.virtual_host import declare_exchanges, declare_where_missing, in_virtual_host
from services.chassis.amqp import Gone, Link
from services.chassis.client import Caller
from services.chassis.log import malfunction
from services.chassis.problem import NotAllowed, NotAuthenticated, Problem, TooLarge, TooManyRequests
from services.chassis.rate_limiter import RateLimiter
from services.chassis.rpc import JSON, Request, error_of
from services.chassis.settings import Settings
from services.chassis.tokens import DelegatedTokens, Tokens, Verified
from services.contract import wire
from services.contract.topology import RPC_EXCHANGE, SERVICES

QUEUE = "door.requests"
EXPIRES = 30.0  # seconds that a request may wait for the door: its caller has given up by then
AT_ONCE = 8  # requests of one system under way in one process; the others wait in the system's own queue
PAUSE = 1.0  # seconds for which a request beyond the rate holds its place: a flood slows down itself
TRIES = 3  # of an answer, each on another connection
CONNECTED_WITHIN = 2.0  # seconds, for each
CALL_IDS = uuid.UUID("6b657869-6500-4000-8000-000000000003")
"""The namespace of the ids by which services know outside systems' requests."""

DEFAULT_EXCHANGE = ""


class Admission:
    """The checks that a request of one system has to pass."""

    def __init__(self, settings: Settings, system: str, grant: Grant) -> None:
        self._system, self._granted = system, frozenset(grant.may)
        self._limit = settings.request_limit
        self._rates = RateLimiter(settings.caller_rate)
        self._tokens = Tokens(settings.token_public_key)

    def admit(self, request: Request, method: str, *, size: int) -> Verified:
        """Return the content of the caller's token; raises the problem that keeps the request out.

        Everything counts against the rate, so that nonsense is no cheaper than a call.
        """
        self._rates.take_token(self._system)
        if size > self._limit:
            raise TooLarge(bytes=size, limit=self._limit)
        if method not in self._granted:
            raise NotAllowed(
                f"{method[:100]} is not granted to {self._system}.",
                f"{self._system} 未获准调用 {method[:100]}。",
                method=method[:100],
            )
        caller = self._tokens.read(request.token)
        if caller.actor.id != self._system:
            raise NotAuthenticated("The token is another caller's.", "令牌不属于本系统。")
        return caller


class Requests:
    """The requests of one system; it can hold up nobody but itself."""

    def __init__(
        self,
        settings: Settings,
        system: str,
        grant: Grant,
        *,
        caller: Caller,
        tokens: DelegatedTokens,
        publisher: Publisher,
    ) -> None:
        self.link = Link(in_virtual_host(settings, system), f"door.{system}.in", self._opened, self._refresh)
        self._system, self._limit = system, settings.request_limit
        self._admission = Admission(settings, system, grant)
        self._caller, self._tokens, self._publisher = caller, tokens, publisher
        self._under_way = eventlet.GreenPool(size=1_000)  # bounded by the prefetch, for each connection that there was
        self._stopping = False

    def stop(self) -> None:
        """Take no new request, answer those at hand, and close."""
        self._stopping = True
        with suppress(Gone), self.link.writing() as channel:
            channel.basic_cancel(QUEUE, nowait=True)
        self._under_way.waitall()
        self.link.stop()

    def _opened(self, channel: Any) -> None:
        declare_exchanges(channel, RPC_EXCHANGE)
        declare_where_missing(channel, _declare_queue)
        self._bind(channel)
        channel.basic_qos(0, AT_ONCE, False)
        if not self._stopping:
            self._consume(channel)

    def _refresh(self, channel: Any) -> None:
        """Bind and consume anew: the exchange may have been made again, and a broker node frozen."""
        if channel is not None and not self._stopping:
            self._bind(channel, nowait=True)
            channel.basic_cancel(QUEUE, nowait=True)
            self._consume(channel, nowait=True)

    def _bind(self, channel: Any, *, nowait: bool = False) -> None:
        for service in SERVICES:
            channel.queue_bind(QUEUE, exchange=RPC_EXCHANGE, routing_key=f"{service}.*", nowait=nowait)

    def _consume(self, channel: Any, *, nowait: bool = False) -> None:
        channel.basic_consume(QUEUE, consumer_tag=QUEUE, nowait=nowait, callback=self._on_message, on_cancel=_on_cancel)

    def _on_message(self, message: Any) -> None:
        if self._stopping:
            return
        size = len(message.body)
        if size > self._limit:
            message.body = b""  # at once: a few of these would fill the memory of a process that serves others
        self._under_way.spawn_n(self._serve, message, size)

    def _serve(self, message: Any, size: int) -> None:
        began, outcome = monotonic(), self._outcome(message, size)
        try:
            with self.link.writing(message.channel) as channel:
                channel.basic_ack(message.delivery_tag)
        except Gone:
            outcome = "redelivered"
        metrics.REQUESTS.labels(self._system, outcome).inc()
        metrics.SECONDS.labels(self._system).observe(monotonic() - began)

    def _outcome(self, message: Any, size: int) -> str:
        """Settle a request, whatever it is, and return its outcome."""
        try:
            return self._settle(Request(message), size)
        except Exception as error:  # noqa: BLE001 - the others are served
            malfunction(error, system=self._system)
            return "Malfunction"

    def _settle(self, request: Request, size: int) -> str:
        try:
            answer, outcome = self._forward(request, size), "forwarded"
        except Problem as problem:
            answer, outcome = wire.encode({"result": None, "error": error_of(problem)}), type(problem).__name__
        if outcome == TooManyRequests.__name__:
            eventlet.sleep(PAUSE)
        if not (request.reply_to and self._answer(request, answer)):
            metrics.UNANSWERED.labels(self._system).inc()
        return outcome

    def _forward(self, request: Request, size: int) -> bytes:
        """Forward the body, and nothing else that came with it."""
        name = str(request.message.delivery_info["routing_key"])
        caller = self._admission.admit(request, name, size=size)
        service, _, method = name.partition(".")
        token = self._tokens.token_for(caller.actor, service, own=caller)
        return self._caller.forward(service, method, request.body, call_id=self._call_id(request, name), token=token)

    def _call_id(self, request: Request, method: str) -> str:
        """Return the same id for the same request; without an id of its sender's two deliveries are two requests."""
        if not request.id:
            return str(uuid.uuid4())
        content = sha256(request.body).hexdigest()
        return str(uuid.uuid5(CALL_IDS, f"{self._system}/{method}/{content}/{request.id}"))

    def _answer(self, request: Request, body: bytes) -> bool:
        """Send an answer as nameko does, else to the queue of that name; return whether a queue got it."""
        for _ in range(TRIES):
            self._publisher.link.wait_up(CONNECTED_WITHIN)
            with suppress(Gone):
                return any(self._publish(request, body, exchange) for exchange in (RPC_EXCHANGE, DEFAULT_EXCHANGE))
        return False

    def _publish(self, request: Request, body: bytes, exchange: str) -> bool:
        answer = Message(body, content_type=JSON, content_encoding="utf-8", correlation_id=request.id, delivery_mode=1)
        (has_arrived,) = self._publisher.publish(Publication(answer, exchange, request.reply_to or "", returned=True))
        return has_arrived


def _declare_queue(channel: Any) -> None:
    arguments = {"x-message-ttl": int(EXPIRES * 1_000)}
    channel.queue_declare(QUEUE, durable=True, exclusive=False, auto_delete=False, arguments=arguments)


def _on_cancel(consumer_tag: str) -> None:
    raise Gone(f"{consumer_tag} was deleted")
