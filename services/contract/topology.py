"""Every queue that events travel to, so that each relay can declare them all.

An event published before its listener first started is kept, because the queue is there already.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

SERVICES = ("awards", "outreach", "rural", "members")
RPC_EXCHANGE = "nameko-rpc"
SOURCES = (*SERVICES, "gateway")
"""Everybody that publishes events."""

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
    """List every queue, the gateway's ledger first."""
    return (LEDGER_QUEUE, *(queue for listener in HEARS for queue in queues_of(listener)))


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
