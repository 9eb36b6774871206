"""Conditions of the services and of the gateway, each asked within two seconds, and how far their clocks differ."""

from __future__ import annotations

from collections.abc import Callable
from time import time
from typing import Any

import eventlet

from services.chassis.client import Caller
from services.chassis.problem import Problem
from services.contract.topology import SERVICES

TIMEOUT = 2.0  # seconds that each service has to answer

Condition = dict[str, Any]


def conditions(caller: Caller, token_for: Callable[[str], str]) -> dict[str, Condition]:
    """The condition that each service states of itself, all asked at once; `away` for one that does not answer.

    `ahead` is added: seconds by which its clock differs from ours, beyond what the call itself took.
    """
    asked = {service: eventlet.spawn(_condition, caller, service, token_for) for service in SERVICES}
    return {service: answer.wait() for service, answer in asked.items()}


def _condition(caller: Caller, service: str, token_for: Callable[[str], str]) -> Condition:
    sent = time()
    try:
        condition: Condition = caller.call(service, "condition", {}, token=token_for(service), timeout=TIMEOUT)
    except Problem:
        return {"away": True}
    return {**condition, "ahead": ahead(condition.get("clock"), sent, time())}


def ahead(clock: float | None, sent: float, received: float) -> float | None:
    """Return the seconds by which a clock is ahead of a span of ours, negative for behind; None for one not known."""
    if clock is None:
        return None
    return round(clock - min(max(clock, sent), received), 3)
