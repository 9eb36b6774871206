"""Calls to services: pipelined over one connection, with a time-out for each call.

A call without an answer in time is `Unavailable`: its outcome is unknown, and the same command with the same id is sent
again.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from time import monotonic
from typing import Any

import eventlet
from amqp.basic_message import Message
from eventlet.event import Event as Signal

from services.chassis import rehearsal, tokens, trace
from services.chassis.amqp import Gone, Link, body_of
from services.chassis.problem import Malfunction, NotFound, Problem, TooLarge, Unavailable, read_problem
from services.chassis.provider import Provider
from services.chassis.settings import Settings
from services.contract import wire
from services.contract.topology import MESSAGE_LIMIT, RPC_EXCHANGE, SERVICES

TIMEOUT = 8.0  # seconds
STALE = 0.5  # share of its time-out after which a waiting request expires: its answer would come too late


class Caller:
    """Calls any service over one connection, with any number of calls at once."""

    def __init__(self, settings: Settings, name: str) -> None:
        self.link = Link(settings, name, self._opened, self._refresh)
        self._reply_to = ""
        self._waiting: dict[str, Signal] = {}

    def call(
        self,
        service: str,
        method: str,
        arguments: Mapping[str, Any],
        *,
        token: str | None = None,
        timeout: float = TIMEOUT,
        at: str | None = None,
    ) -> Any:
        """Return the method's result; raises the problem that the service answered, `Unavailable` or `TooLarge`.

        `at` is the time of arrival that a command claims in a rehearsal.
        """
        body, call_id = wire.encode({"args": [], "kwargs": arguments}), str(uuid.uuid4())
        return _result(self.forward(service, method, body, call_id=call_id, token=token, timeout=timeout, at=at))

    def forward(
        self,
        service: str,
        method: str,
        body: bytes,
        *,
        call_id: str,
        token: str | None = None,
        timeout: float = TIMEOUT,
        at: str | None = None,
    ) -> bytes:
        """Send the body of a request as it is and return that of its answer, a refusal too.

        Raises `Unavailable` or `TooLarge`.

        To the service the same `call_id` again is the same request; two at once get the same answer.
        """
        deadline = monotonic() + timeout
        if not self.link.wait_up(timeout):
            raise Unavailable("The broker cannot be reached.", "消息服务暂不可用。")
        answered = self._waiting.setdefault(call_id, Signal())
        try:
            with (
                trace.span("client", f"{service}.{method}", trace.current()),
                eventlet.Timeout(deadline - monotonic(), Unavailable(service=service, method=method)),
            ):
                self._send(f"{service}.{method}", body, token=token, at=at, call_id=call_id, timeout=timeout)
                return body_of(answered.wait())
        except Gone:
            raise Unavailable(service=service, method=method) from None
        finally:
            self._waiting.pop(call_id, None)

    def _send(
        self,
        key: str,
        body: bytes,
        *,
        token: str | None,
        at: str | None,
        call_id: str,
        timeout: float,
    ) -> None:
        headers = {tokens.HEADER: token, trace.HEADER: trace.current(), rehearsal.HEADER: at}
        if len(body) > MESSAGE_LIMIT:
            raise TooLarge(bytes=len(body), limit=MESSAGE_LIMIT)
        message = Message(
            body,
            content_type="application/json",
            content_encoding="utf-8",
            correlation_id=call_id,
            reply_to=self._reply_to,
            delivery_mode=1,  # never on the broker's disk: it may be confidential, and expires within seconds
            expiration=str(int(timeout * STALE * 1_000)),
            application_headers={name: value for name, value in headers.items() if value},
        )
        with self.link.writing() as channel:
            channel.basic_publish(message, exchange=RPC_EXCHANGE, routing_key=key, mandatory=True)

    def _opened(self, channel: Any) -> None:
        for call in self._waiting.values():
            if not call.ready():
                call.send_exception(Unavailable())  # its reply queue is gone with the last connection
        self._reply_to = f"reply.{uuid.uuid4().hex}"
        channel.queue_declare(self._reply_to, durable=False, exclusive=True, auto_delete=True)
        self._bind(channel)
        channel.basic_consume(self._reply_to, no_ack=True, callback=self._on_reply)
        channel.events["basic_return"].add(self._on_return)

    def _refresh(self, channel: Any) -> None:
        """Bind again: the exchange may have been made anew, and the broker tells nobody."""
        if channel is not None:
            self._bind(channel, nowait=True)

    def _bind(self, channel: Any, *, nowait: bool = False) -> None:
        channel.queue_bind(self._reply_to, exchange=RPC_EXCHANGE, routing_key=self._reply_to, nowait=nowait)

    def _on_reply(self, message: Any) -> None:
        waiting = self._waiting.get(message.properties.get("correlation_id", ""))
        if waiting is not None and not waiting.ready():
            waiting.send(message)

    def _on_return(self, exception: Any, exchange: str, routing_key: str, message: Any) -> None:
        waiting = self._waiting.get(message.properties.get("correlation_id", ""))
        if waiting is not None and not waiting.ready():
            waiting.send_exception(_nobody_serves(routing_key))


class CallerProvider(Provider[Any]):
    """Gives a service the way to call others; a subclass may provide what it builds upon its `_caller`."""

    def setup(self) -> None:
        """Make the caller, not connected yet."""
        self._caller = Caller(self.container.config["SETTINGS"], f"{self.container.service_name}.caller")

    def start(self) -> None:
        """Connect."""
        self._thread = self.container.spawn_managed_thread(self._caller.link.run, identifier="caller")

    def stop(self) -> None:
        """Close the connection."""
        self._caller.link.stop()
        self._thread.wait()

    def provide(self) -> Any:
        """Return the caller."""
        return self._caller


def _nobody_serves(method: str) -> Problem:
    """Tell a service that is not there now, and will be (again), from a method that nobody serves."""
    service = method.partition(".")[0]
    if service in SERVICES:
        return Unavailable(f"{service} is not running.", f"{service} 尚未启动。", service=service)
    return NotFound(f"Nobody serves {method}.", f"没有服务处理 {method}。", method=method)


def _result(body: bytes) -> Any:
    try:
        answer = wire.decode(body)
        error = answer["error"]
        if error is None:
            return answer["result"]
    except (wire.BrokenJson, KeyError, TypeError):
        raise Malfunction() from None
    raise _problem(error)


def _problem(error: Any) -> Problem:
    """The problem that a service answered; `Malfunction` for what is none of ours."""
    try:
        return read_problem(error["exc_args"][0])
    except (KeyError, IndexError, TypeError):
        return Malfunction(error=error.get("exc_type", "unknown") if isinstance(error, dict) else "unknown")
