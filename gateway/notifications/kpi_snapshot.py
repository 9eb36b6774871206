"""Numbers: all KPIs of the plans at one instant, and what changed in them since another. Pure."""

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
    """Every KPI by plan and code, as one revision of the ledger had it."""

    revision: int
    as_of: str
    kpis: Mapping[tuple[int, str], Answer]

    @cached_property
    def digest(self) -> str:
        """The same for the same numbers, whichever gateway read them."""
        return hashlib.sha256(wire.canonical(list(self.kpis.values()))).hexdigest()[:16]

    def since(self, known: KpiSnapshot | None) -> list[Answer]:
        """Those that differ from what was known; all of them where nothing was."""
        before = known.kpis if known else {}
        return [kpi for key, kpi in self.kpis.items() if before.get(key) != kpi]


def read(progresses: Iterable[Answer], *, revision: int, as_of: str) -> KpiSnapshot:
    """Out of the answers about the progress of each plan."""
    found = {}
    for progress in progresses:
        year = progress["plan"]["year"]
        for item in progress["items"]:
            for kpi in item["kpis"]:
                said = {"plan": year, "code": kpi["code"], "value": kpi["value"], "state": kpi["state"]}
                found[year, kpi["code"]] = said | {"status": status(kpi)}
    return KpiSnapshot(revision, as_of, found)


def status(kpi: Answer) -> str | None:
    """How a KPI stands against its plan, in a word; none where nothing is expected of it."""
    said = kpi.get("status")
    return said["code"] if said else None
