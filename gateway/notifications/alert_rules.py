"""Alert rules and alerts as values: what a rule makes of an observation, and how both are stored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from gateway.notifications import status_changes
from gateway.notifications.status_changes import KpiConditions, StatusChange, Subscription
from services.kernel import Lifecycle

LIFECYCLE = Lifecycle(active=("retired",))

SUBSCRIBED = ("kpis", "items", "to")


@dataclass(frozen=True)
class KpiObservation:
    """The condition of every KPI of a year's plan, and what the plan says of it, at one instant."""

    as_of: str
    revision: int
    conditions: KpiConditions
    kpis: Mapping[str, Mapping[str, Any]]  # each with its item

    def watched_by(self, subscription: Subscription) -> KpiConditions:
        """Select the KPIs that the subscription covers."""
        return {code: seen for code, seen in self.conditions.items() if subscription.covers(self.kpis[code])}


@dataclass(frozen=True, kw_only=True)
class Alert:
    """A change of a KPI's condition, for the owner of the rule that waited for it; instants are written as in answers.

    Its id has no full stop, with which the parts of a webhook's signature are joined.
    """

    id: str
    owner: str
    rule: str
    name: str
    year: int
    kpi: str
    was: str | None
    now: str
    item: int
    title: Mapping[str, str]
    value: int | None
    state: str
    revision: int
    at: str
    unit: Mapping[str, Any] | None = None  # of alerts made by a release before 0.2
    text: Mapping[str, str] | None = None
    read: bool = False


@dataclass(frozen=True, kw_only=True)
class AlertRule:
    """A rule, what it saw last, and its outbox: the alerts it made that are not handed out yet.

    `turn` counts what it noted. `since` is when it had seen everything it watches once: changes count from then on.
    """

    id: str
    owner: str
    name: str
    year: int
    kpis: tuple[str, ...]
    items: tuple[int, ...]
    to: tuple[str, ...]
    webhook: str | None
    secret: str | None = field(repr=False)
    made_at: str
    state: str = "active"
    since: str | None = None
    retired_at: str | None = None
    turn: int = 0
    as_of: str = ""
    seen: KpiConditions = field(default_factory=dict)
    outbox: tuple[Alert, ...] = ()

    @property
    def subscription(self) -> Subscription:
        """The changes that its owner waits for."""
        return Subscription(self.year, frozenset(self.kpis), frozenset(self.items), frozenset(self.to))


def observe(rule: AlertRule, observation: KpiObservation) -> AlertRule:
    """Take an observation in: what is seen now, and the alerts that this makes; the same rule if nothing is new."""
    subscription = rule.subscription
    conditions = observation.watched_by(subscription)
    seen = status_changes.updated(rule.seen, conditions, subscription)
    if seen == rule.seen and rule.since:
        return rule

    is_complete = all(condition.keys() >= set(subscription.aspects) for condition in seen.values())
    changes = status_changes.changes(rule.seen, conditions, subscription)
    made = [_alert(rule, number, change, observation) for number, change in enumerate(changes)]
    return replace(
        rule,
        seen=seen,
        turn=rule.turn + 1,
        as_of=observation.as_of,
        since=rule.since or (observation.as_of if is_complete else None),
        outbox=(*rule.outbox, *made),
    )


def _alert(rule: AlertRule, number: int, change: StatusChange, observation: KpiObservation) -> Alert:
    kpi = observation.kpis[change.kpi]
    return Alert(
        id=f"{rule.id}-{rule.turn + 1}-{number}",
        owner=rule.owner,
        rule=rule.id,
        name=rule.name,
        year=rule.year,
        kpi=change.kpi,
        was=change.was,
        now=change.now,
        item=kpi["item"],
        title=kpi["title"],
        value=kpi["value"],
        unit=kpi["unit"],
        text=kpi["text"],
        state=kpi["state"],
        revision=observation.revision,
        at=observation.as_of,
    )


# --- as they are stored ----------------------------------------------------------------------------------------------


def write_alert(alert: Alert) -> dict[str, Any]:
    """Write an alert for an outbox or an inbox."""
    return _with_id(vars(alert))


def read_alert(document: Mapping[str, Any]) -> Alert:
    """Read an alert from an outbox or an inbox."""
    return Alert(**_without_id(document, Alert))


def write_rule(rule: AlertRule) -> dict[str, Any]:
    """Write a rule; `is_full` marks an outbox that is to be handed out."""
    lists = {name: list(getattr(rule, name)) for name in SUBSCRIBED}
    outbox = [write_alert(alert) for alert in rule.outbox]
    return {**_with_id(vars(rule)), **lists, "outbox": outbox, "is_full": bool(outbox)}


def read_rule(document: Mapping[str, Any]) -> AlertRule:
    """Read a stored rule."""
    tuples = {name: tuple(document[name]) for name in SUBSCRIBED}
    outbox = tuple(read_alert(alert) for alert in document["outbox"])
    return AlertRule(**{**_without_id(document, AlertRule), **tuples, "outbox": outbox})


def _with_id(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {"_id": fields["id"], **{name: value for name, value in fields.items() if name != "id"}}


def _without_id(document: Mapping[str, Any], record: type) -> dict[str, Any]:
    """Select the fields that this version knows; a later version may have stored more."""
    names = [name for name in record.__annotations__ if name in document]
    return {"id": document["_id"], **{name: document[name] for name in names}}
