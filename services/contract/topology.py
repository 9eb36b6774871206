"""Every exchange and queue that services share, made before any of them starts, and the broker's policies for them.

An event published before its listener first started is kept, because the queue is there already. A message that was
delivered `DELIVERIES` times and never settled goes to the dead letters of its reader, who parks it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Any

SERVICES = ("awards", "outreach", "rural", "members")
RPC_EXCHANGE = "nameko-rpc"
SOURCES = (*SERVICES, "gateway")
"""Everybody that publishes events."""
DELIVERIES = 20  # of one event, which comes back when its reader's process or connection ends
MESSAGE_LIMIT = 20 << 20  # bytes that the broker takes: a page of 4 MB and a history as long as a document may be
REQUEST_HOLDS = 60_000  # milliseconds that a request waits for its service; our own callers wait for less

HEARS: dict[str, tuple[str, ...]] = {
    "awards": (
        "awards.judge.affiliated",
        "awards.conflicts.recomputed",
        "awards.conflicts.declared",
        "awards.conflicts.withdrawn",
        "awards.conflicts.pinned",
        "awards.conflicts.released",
        "awards.assignment.confirmed",
        "awards.score_sheet.recused",
        "awards.score_sheet.replaced",
        "awards.entry.decided",
        "awards.round.started",
        "awards.round.tie_resolved",
        "awards.round.closing",
        "awards.round.closed",
        "awards.round.reopened",
        "awards.external_result.verified",
        "awards.nomination.accepted_above",
        "awards.edition.cancelled",
        "awards.entry.disqualified",
        "awards.objection.filed",
        "awards.objection.rejected_formal",
        "awards.objection.upheld",
        "awards.objection.dismissed",
        "awards.notice.published",
        "awards.notice.struck",
        "awards.notice.granted",
        "awards.notice.withdrawn",
        "awards.award.revoked",
        "awards.entry.awarded",
        "awards.entry.publicised",
        "gateway.token.revoked",
    ),
    "outreach": (
        "rural.service_point.completed",
        "rural.service_point.lapsed",
        "outreach.venue.suspended",
        "outreach.venue.restored",
        "outreach.activity.scheduled",
        "outreach.activity.moved",
        "outreach.resource_loan.lost",
        "awards.award.granted",
        "awards.award.consent_withdrawn",
        "awards.award.revoked",
        "gateway.token.revoked",
    ),
    "rural": (
        "rural.fund_grant.received",
        "rural.fund_grant.returned",
        "rural.association.merged",
        "gateway.token.revoked",
    ),
    "members": (
        "members.organisation.moved",
        "awards.award.granted",
        "awards.award.revoked",
        "gateway.token.revoked",
    ),
}
"""The events that each service listens to, as `source.kind.happening`; a test compares them with the `@listens`."""


@dataclass(frozen=True)
class EventQueue:
    """A durable quorum queue bound to one source's exchange."""

    name: str
    bindings: tuple[tuple[str, str], ...]  # (exchange, routing key)
    single_active_consumer: bool = False


def exchange(service: str) -> str:
    """Name the topic exchange that a service publishes its events to."""
    return f"{service}.events"


def rpc_queue(service: str) -> str:
    """Name the queue in which a service gets requests."""
    return f"rpc-{service}"


def listener_queue(listener: str, source: str) -> str:
    """Name the queue in which a service gets the events of one source."""
    return f"{listener}.from.{source}"


LEDGER_QUEUE = EventQueue(
    name="gateway.ledger",
    bindings=tuple((exchange(service), "#") for service in SERVICES),
    single_active_consumer=True,
)


@cache
def is_heard(source: str, key: str) -> bool:
    """True where one of our queues must receive events with this key."""
    return source in SERVICES or any((exchange(source), key) in queue.bindings for queue in queues())


def queues() -> tuple[EventQueue, ...]:
    """List every queue, the gateway's ledger first, and those of dead letters last."""
    heard = (queue for listener in HEARS for queue in queues_of(listener))
    return (LEDGER_QUEUE, *heard, *map(dead_letter_queue, ("gateway", *HEARS)))


def dead_letter_queue(reader: str) -> EventQueue:
    """Return the queue of what a reader was given too often."""
    return EventQueue(f"{reader}.dead", bindings=())


def policies(vhost: str) -> list[dict[str, Any]]:
    """Return the broker's policies, as it imports them: no message comes a hundred times, no request waits for hours.

    Policies and not arguments of queues, since those of a queue that exists cannot be changed.
    """
    read = {"gateway": (LEDGER_QUEUE,)} | {listener: queues_of(listener) for listener in HEARS}
    rules = {
        f"{reader} dead letters": ("|".join(re.escape(queue.name) for queue in of_one), _dead_letters(reader))
        for reader, of_one in read.items()
    } | {"requests": ("rpc-.+", {"message-ttl": REQUEST_HOLDS})}
    return [
        {
            "vhost": vhost,
            "name": name,
            "pattern": f"^({pattern})$",
            "apply-to": "queues",
            "priority": 0,
            "definition": definition,
        }
        for name, (pattern, definition) in rules.items()
    ]


def _dead_letters(reader: str) -> dict[str, Any]:
    """At least once: a dead letter stays in its queue until the other one has confirmed it."""
    return {
        "delivery-limit": DELIVERIES,
        "dead-letter-exchange": "",
        "dead-letter-routing-key": dead_letter_queue(reader).name,
        "dead-letter-strategy": "at-least-once",
        "overflow": "reject-publish",
    }


def queues_of(listener: str) -> tuple[EventQueue, ...]:
    """List the queues of a listening service, one for each of its sources."""
    heard: dict[str, list[str]] = {}
    for line in HEARS.get(listener, ()):
        source, _, key = line.partition(".")
        heard.setdefault(source, []).append(key)
    return tuple(
        EventQueue(listener_queue(listener, source), tuple((exchange(source), key) for key in keys))
        for source, keys in heard.items()
    )
