"""Changes of status: what is watched of a KPI, which changes a rule subscribes to, and what changed. Pure.

A KPI has a condition in three aspects at once, each in one of its words: against its plan (`status`), whether it is
complete (`whole`), and whether parked messages (dead letters) concern it (`parked`). What was never seen before is only
noted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from gateway.notifications import kpi_snapshot

Answer = Mapping[str, Any]
KpiCondition = Mapping[str, str | None]  # the word of each aspect
KpiConditions = Mapping[str, KpiCondition]  # by the code of the KPI

ASPECTS = {
    "status": ("not_due", "behind", "late", "on_track", "ahead", "reached"),
    "whole": ("complete", "incomplete"),
    "parked": ("parked", "settled"),
}
WORDS = tuple(word for words in ASPECTS.values() for word in words)


@dataclass(frozen=True)
class Subscription:
    """The words that a rule waits for, of its KPIs and of all KPIs of its items; of the whole year if it names none."""

    year: int
    kpis: frozenset[str]
    items: frozenset[int]
    to: frozenset[str]

    @property
    def aspects(self) -> list[str]:
        """The aspects to which its words belong."""
        return [name for name, words in ASPECTS.items() if self.to.intersection(words)]

    @property
    def needs_reasons(self) -> bool:
        """Does it watch more than the status, so that the reasons of an incomplete number must be known?"""
        return self.aspects not in ([], ["status"])

    def covers(self, kpi: Answer) -> bool:
        """Does it watch this KPI?"""
        return not (self.kpis or self.items) or kpi["code"] in self.kpis or kpi["item"] in self.items


@dataclass(frozen=True)
class StatusChange:
    """A change of one aspect of a KPI's condition."""

    kpi: str
    was: str | None
    now: str


def condition_of(kpi: Answer, reasons: Iterable[Answer]) -> KpiCondition:
    """Judge a KPI in every aspect; `reasons` say why its number is not complete."""
    codes = {reason["code"] for reason in reasons}
    return {
        "status": kpi_snapshot.status(kpi),
        "whole": "incomplete" if codes else "complete",
        "parked": "parked" if "parked" in codes else "settled",
    }


def kpis_by_code(progress: Answer) -> dict[str, dict[str, Any]]:
    """Index all KPIs of a plan, each with the number of its item."""
    return {kpi["code"]: {**kpi, "item": item["no"]} for item in progress["items"] for kpi in item["kpis"]}


def confirmed(last: KpiConditions, now: KpiConditions) -> KpiConditions:
    """Keep what two looks in a row saw alike: what only one of them saw may pass in a moment."""
    return {
        code: {aspect: word for aspect, word in condition.items() if last.get(code, {}).get(aspect, ...) == word}
        for code, condition in now.items()
    }


def updated(before: KpiConditions, now: KpiConditions, subscription: Subscription) -> KpiConditions:
    """Update what a rule knows by a look; what the look did not see stays as it was."""
    return {
        code: {**before.get(code, {}), **_watched(now.get(code, {}), subscription)}
        for code in [*(code for code in before if code not in now), *now]
    }


def changes(before: KpiConditions, now: KpiConditions, subscription: Subscription) -> list[StatusChange]:
    """List the changes to a word of the subscription, from another word or from none."""
    return [
        StatusChange(code, was=before[code][aspect], now=word)
        for code, condition in now.items()
        for aspect, word in _watched(condition, subscription).items()
        if word in subscription.to and word != before.get(code, {}).get(aspect, word)
    ]


def _watched(condition: KpiCondition, subscription: Subscription) -> KpiCondition:
    return {aspect: condition[aspect] for aspect in subscription.aspects if aspect in condition}
