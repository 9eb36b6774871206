"""System status: the condition of every service and the length of every queue, asked within two seconds."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import eventlet
from amqp.exceptions import NotFound as NoSuchQueue

from services.chassis.amqp import BROKEN, Gone, connect
from services.chassis.client import Caller
from services.chassis.problem import Problem
from services.chassis.settings import Settings
from services.contract.topology import SERVICES, queues, rpc_queue

TIMEOUT = 2.0  # seconds that each service and the broker have to answer


def conditions(caller: Caller, token_for: Callable[[str], str]) -> dict[str, dict[str, Any]]:
    """The condition that each service states of itself, all asked at once; `away` for one that does not answer."""
    asked = {service: eventlet.spawn(_condition, caller, service, token_for) for service in SERVICES}
    return {service: answer.wait() for service, answer in asked.items()}


def messages(settings: Settings) -> dict[str, int | None]:
    """The number of messages in each queue; None where there is no such queue, or the broker does not answer."""
    names = [*(queue.name for queue in queues()), *map(rpc_queue, SERVICES)]
    lengths: dict[str, int | None] = dict.fromkeys(names)
    with (
        suppress(*BROKEN),
        eventlet.Timeout(TIMEOUT, Gone("the broker does not answer")),
        connect(settings, "gateway.overview") as connection,
    ):
        for name in names:
            lengths[name] = _length(connection, name)
    return lengths


def _length(connection: Any, queue: str) -> int | None:
    with suppress(NoSuchQueue):
        length: int = connection.channel().queue_declare(queue, passive=True).message_count
        return length
    return None


def _condition(caller: Caller, service: str, token_for: Callable[[str], str]) -> dict[str, Any]:
    try:
        condition: dict[str, Any] = caller.call(service, "condition", {}, token=token_for(service), timeout=TIMEOUT)
    except Problem:
        return {"away": True}
    return condition
