"""Snapshots of all KPIs of all plans at one instant, and what changed between two of them. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from services.contract import wire

Answer = Mapping[str, Any]


@dataclass(frozen=True)
class KpiSnapshot:
    """Every KPI by plan and code, as of one revision of the ledger."""

    revision: int
    as_of: str
    kpis: Mapping[tuple[int, str], Answer]

    @cached_property
    def digest(self) -> str:
        """A digest of the numbers alone: equal numbers have it alike, whichever gateway read them."""
        return hashlib.sha256(wire.canonical(list(self.kpis.values()))).hexdigest()[:16]

    def since(self, known: KpiSnapshot | None) -> list[Answer]:
        """List the KPIs that differ from the known snapshot; all of them if there is none."""
        before = known.kpis if known else {}
        return [kpi for key, kpi in self.kpis.items() if before.get(key) != kpi]


def read(progresses: Iterable[Answer], *, revision: int, as_of: str) -> KpiSnapshot:
    """Make a snapshot of the answers about the progress of each plan."""
    kpis = [
        (progress["plan"]["year"], kpi) for progress in progresses for item in progress["items"] for kpi in item["kpis"]
    ]
    return KpiSnapshot(revision, as_of, {(year, kpi["code"]): _row(year, kpi) for year, kpi in kpis})


def _row(year: int, kpi: Answer) -> Answer:
    about = {name: kpi[name] for name in ("code", "value", "unit", "text", "state")}
    return {"plan": year, **about, "status": status(kpi)}


def status(kpi: Answer) -> str | None:
    """The word for how a KPI stands against its plan; None where nothing is expected of it."""
    stated = kpi.get("status")
    return stated["code"] if stated else None
