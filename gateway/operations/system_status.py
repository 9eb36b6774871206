"""The overview: how every service, every queue and the gateway itself are now; what does not answer is away."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import eventlet
from amqp.exceptions import NotFound as NoSuchQueue

from services.chassis.amqp import BROKEN, Gone, connect
from services.chassis.client import Caller
from services.chassis.problem import Problem
from services.chassis.settings import Settings
from services.contract.topology import SERVICES, queues

WITHIN = 2.0  # seconds that each of them has to answer

Said = dict[str, Any]


def conditions(caller: Caller, token: str | None) -> dict[str, Said]:
    """What each service says of itself, all asked at once."""
    asked = {service: eventlet.spawn(_condition, caller, service, token) for service in SERVICES}
    return {service: answer.wait() for service, answer in asked.items()}


def messages(settings: Settings) -> dict[str, int | None]:
    """How many messages wait in each queue; none where the queue is not there, or nobody can tell."""
    names = [*(queue.name for queue in queues()), *(f"rpc-{service}" for service in SERVICES)]
    found: dict[str, int | None] = dict.fromkeys(names)
    with (
        suppress(*BROKEN),
        eventlet.Timeout(WITHIN, Gone("the broker does not answer")),
        connect(settings, "gateway.overview") as connection,
    ):
        for name in names:
            with suppress(NoSuchQueue):
                found[name] = connection.channel().queue_declare(name, passive=True).message_count
    return found


def _condition(caller: Caller, service: str, token: str | None) -> Said:
    try:
        return caller.call(service, "condition", {}, token=token, timeout=WITHIN)
    except Problem:
        return {"away": True}
