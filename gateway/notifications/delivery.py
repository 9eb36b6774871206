"""Webhook deliveries as values, and how they are stored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.kernel import Lifecycle

LIFECYCLE = Lifecycle(waiting=("delivered", "given_up"), delivered=("waiting",), given_up=("waiting",))


@dataclass(frozen=True)
class Attempt:
    """An attempt to deliver, and its outcome in a few words."""

    at: datetime
    outcome: str


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """A webhook for one receiver: its body, and how its delivery stands.

    It is given up when it failed for too long after `since`. `lease` names the attempt that holds it now.
    """

    id: str
    rule: str
    address: str
    body: bytes
    made_at: datetime
    since: datetime
    next_at: datetime | None
    state: str = "waiting"
    tries: int = 0
    last: Attempt | None = None
    ended_at: datetime | None = None
    lease: str | None = None


def read_delivery(document: Mapping[str, Any]) -> Delivery:
    """Read a stored delivery."""
    last = document["last"]
    return Delivery(
        id=document["_id"],
        rule=document["rule"],
        address=document["address"],
        body=document["body"],
        made_at=document["made_at"],
        since=document["since"],
        next_at=document["next_at"],
        state=document["state"],
        tries=document["tries"],
        last=Attempt(last["at"], last["outcome"]) if last else None,
        ended_at=document["ended_at"],
        lease=document["lease"],
    )


def write_delivery(delivery: Delivery) -> dict[str, Any]:
    """Write a new delivery, which no attempt holds yet."""
    return {
        "_id": delivery.id,
        "rule": delivery.rule,
        "address": delivery.address,
        "body": delivery.body,
        "state": delivery.state,
        "tries": delivery.tries,
        "last": write_attempt(delivery.last) if delivery.last else None,
        "made_at": delivery.made_at,
        "since": delivery.since,
        "next_at": delivery.next_at,
        "ended_at": delivery.ended_at,
        "lease": delivery.lease,
        "leased_until": None,
    }


def write_attempt(attempt: Attempt) -> dict[str, Any]:
    """Write the last attempt of a delivery."""
    return {"at": attempt.at, "outcome": attempt.outcome}
