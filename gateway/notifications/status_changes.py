"""Changes of status: what is watched of a KPI, who asked for which of its words, and what changed. Pure.

A KPI stands in three ways at once, each in one of its words: against its plan, whole or not, and with messages that
wait for an operator or not. What was never seen before is only noted.
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
    """What a rule asks for: these words of these KPIs and all of these items, of all of a year where none is named."""

    year: int
    kpis: frozenset[str]
    items: frozenset[int]
    to: frozenset[str]

    @property
    def aspects(self) -> list[str]:
        return [name for name, words in ASPECTS.items() if self.to.intersection(words)]

    @property
    def needs_trust(self) -> bool:
        """Does it ask for more than the plan's numbers say?"""
        return self.aspects not in ([], ["status"])

    def covers(self, kpi: Answer) -> bool:
        return not (self.kpis or self.items) or kpi["code"] in self.kpis or kpi["item"] in self.items


@dataclass(frozen=True)
class StatusChange:
    """A KPI stands another way than before."""

    kpi: str
    was: str | None
    now: str


def standing(kpi: Answer, reasons: Iterable[Answer]) -> KpiCondition:
    """How a KPI stands; `reasons` are those why its number is not complete."""
    codes = {reason["code"] for reason in reasons}
    return {
        "status": kpi_snapshot.status(kpi),
        "whole": "incomplete" if codes else "complete",
        "parked": "parked" if "parked" in codes else "settled",
    }


def kpis(progress: Answer) -> dict[str, dict[str, Any]]:
    """All of a plan by their codes, each with the number of its item."""
    return {kpi["code"]: {**kpi, "item": item["no"]} for item in progress["items"] for kpi in item["kpis"]}


def steady(last: KpiConditions, now: KpiConditions) -> KpiConditions:
    """As both looks saw it: what only one of them saw may be a matter of a moment."""
    return {
        code: {name: word for name, word in seen.items() if last.get(code, {}).get(name, ...) == word}
        for code, seen in now.items()
    }


def seen(before: KpiConditions, now: KpiConditions, wants: Subscription) -> KpiConditions:
    """What is known after this look: as before where it saw nothing."""
    return {
        code: {**before.get(code, {}), **{name: found[name] for name in wants.aspects if name in found}}
        for code, found in (*((code, {}) for code in before if code not in now), *now.items())
    }


def changes(before: KpiConditions, now: KpiConditions, wants: Subscription) -> list[StatusChange]:
    """To one of the words that the rule asks for, from another one or from none."""
    return [
        StatusChange(code, was=before[code][name], now=word)
        for code, found in now.items()
        for name in wants.aspects
        if (word := found.get(name)) in wants.to and word != before.get(code, {}).get(name, word)
    ]
