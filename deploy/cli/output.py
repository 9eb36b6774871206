"""The output of operators' commands: tables that can be searched in a file, and no control characters of messages."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.table import Table

FILE_WIDTH = 240  # characters of a line where the output is no terminal


def console(*, err: bool = False) -> Console:
    """Return a console that prints text as it is, without markup."""
    stream = sys.stderr if err else sys.stdout
    width = None if stream.isatty() else FILE_WIDTH
    return Console(file=stream, width=width, markup=False, highlight=False, emoji=False)


def table(headings: Sequence[str], rows: Iterable[Sequence[Any]]) -> Table:
    """Return a table without lines; values are formatted by `cell`."""
    made = Table(box=None)
    for heading in headings:
        made.add_column(heading, overflow="fold")
    for row in rows:
        made.add_row(*map(cell, row))
    return made


def cell(value: Any) -> str:
    """Format a value: None as nothing, whole numbers with commas."""
    if value is None:
        return ""
    return f"{value:,}" if isinstance(value, int) else plain(str(value))


def plain(text: str) -> str:
    """Escape control characters, so that a message cannot steer the terminal."""
    return "".join(char if char.isprintable() or char in "\n\t" else ascii(char)[1:-1] for char in text)


def instant(text: str | None) -> str:
    """Format an instant of the gateway, to the second, in this machine's time zone; None as nothing."""
    return datetime.fromisoformat(text).astimezone().strftime("%Y-%m-%d %H:%M:%S") if text else ""


def duration(seconds: float) -> str:
    """Format seconds in the largest two units: `2 d 3 h`, `4 min 5 s`, `12 s`."""
    whole = round(seconds)
    days, hours, minutes = whole // 86_400, whole // 3_600 % 24, whole // 60 % 60
    parts = [(days, "d"), (hours, "h"), (minutes, "min"), (whole % 60, "s")]
    first = next((place for place, (number, _) in enumerate(parts) if number), len(parts) - 1)
    return " ".join(f"{number} {unit}" for number, unit in parts[first : first + 2] if number or whole == 0)
