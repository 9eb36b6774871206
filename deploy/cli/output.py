"""How operators' commands write: tables that can be searched when they go to a file, and no message's own colours."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.table import Table

IN_A_FILE = 240  # characters of a line


def console(*, err: bool = False) -> Console:
    """Writes text as it is."""
    stream = sys.stderr if err else sys.stdout
    width = None if stream.isatty() else IN_A_FILE
    return Console(file=stream, width=width, markup=False, highlight=False, emoji=False)


def table(headings: Sequence[str], rows: Iterable[Sequence[Any]]) -> Table:
    made = Table(box=None)
    for heading in headings:
        made.add_column(heading, overflow="fold")
    for row in rows:
        made.add_row(*map(cell, row))
    return made


def cell(value: Any) -> str:
    """None is nothing, numbers have their thousands apart."""
    if value is None:
        return ""
    return f"{value:,}" if isinstance(value, int) else plain(str(value))


def plain(text: str) -> str:
    """What a message brought along cannot steer the terminal."""
    return "".join(one if one.isprintable() or one in "\n\t" else ascii(one)[1:-1] for one in text)


def instant(said: str | None) -> str:
    """An instant that the gateway told, to the second, as the clock here has it."""
    return datetime.fromisoformat(said).astimezone().strftime("%Y-%m-%d %H:%M:%S") if said else ""


def duration(seconds: float) -> str:
    """The largest two units: `2 d 3 h`, `4 min 5 s`, `12 s`."""
    whole = round(seconds)
    days, hours, minutes = whole // 86_400, whole // 3_600 % 24, whole // 60 % 60
    parts = [(days, "d"), (hours, "h"), (minutes, "min"), (whole % 60, "s")]
    first = next((place for place, (number, _) in enumerate(parts) if number), len(parts) - 1)
    return " ".join(f"{number} {unit}" for number, unit in parts[first : first + 2] if number or whole == 0)
