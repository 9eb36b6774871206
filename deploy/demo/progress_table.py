"""The plan's progress as a table of at most 80 columns."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from rich.table import Table

BAR = 10  # characters
COLUMNS = ("", "", "now", "", "target", "%", "", "reported")
NUMERIC = ("now", "target", "%", "reported")

Kpi = Mapping[str, Any]


def table(progress: Mapping[str, Any]) -> Table:
    """Return a row for each number of the plan; those with a target come first."""
    made = Table(title="工作要点 2011 · the plan's numbers", box=None, pad_edge=False, collapse_padding=True)
    for heading in COLUMNS:
        numeric = heading in NUMERIC
        made.add_column(heading, justify="right" if numeric else "left", no_wrap=numeric, overflow="fold")
    kpis = [kpi for item in progress["items"] for kpi in item["kpis"]]
    for kpi in sorted(kpis, key=_order):
        made.add_row(*_row(kpi))
    return made


def _order(kpi: Kpi) -> tuple[bool, str, int, str]:
    """Targets first, then by code as people count: K1, N2, N4, N4b, N22."""
    letter, number, rest = re.findall(r"(\D*)(\d*)(.*)", kpi["code"])[0]
    return kpi["target"] is None, letter, int(number or 0), rest


def _row(kpi: Kpi) -> tuple[str, ...]:
    return (
        kpi["code"],
        kpi["title"]["zh"],
        _amount(kpi, kpi["value"]),
        kpi["unit"]["zh"],
        "" if kpi["target"] is None else _amount(kpi, kpi["target"]),
        *_share(kpi),
        _amount(kpi, kpi["reported"]["value"]) if kpi["reported"] else "",
    )


def _share(kpi: Kpi) -> tuple[str, str]:
    """The percentage and its bar, where there is a target that they are a share of."""
    if kpi["target"] is None:
        return "", ""

    percent = kpi["percent"] or 0.0
    full = min(BAR, round(BAR * percent / 100))
    return f"{percent:.1f}", f"[green]{'█' * full}[/][dim]{'░' * (BAR - full)}[/]"


def _amount(kpi: Kpi, value: int | None) -> str:
    """Money is kept in fen and shown in yuan; no data is no 0."""
    return "-" if value is None else f"{value / kpi['unit']['scale']:,.0f}"
