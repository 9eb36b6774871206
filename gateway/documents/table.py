"""Tables: rows of an answer put aside until all of them are there, and the columns that are derived from them.

A nested object gives a column for each of its fields, words in both languages give the Chinese ones, a list is one
cell. What is counted in parts of its unit (fen) is given in whole units (yuan), exactly.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from tempfile import SpooledTemporaryFile
from typing import Any

import msgspec

from gateway.documents import column_labels
from services.contract import glossary, wire
from services.contract.district import DISTRICTS
from services.kernel.money import is_money, to_yuan

Cell = str | int | Decimal | None
Path = tuple[str, ...]
Answer = Mapping[str, Any]

AMOUNTS = (
    "value", "target", "amount", "expected", "gap", "remaining", "baseline", "actual", "scheduled", "run_rate",
)  # fmt: skip
"""Numbers of an answer that are counted in parts of its unit; all others are numbers of things."""

IN_MEMORY = 1_000_000  # bytes of rows; more are put on the disk

_decode = msgspec.json.Decoder(float_hook=Decimal).decode


class Rows:
    """Rows as they came, put aside: however many they are, they take no memory."""

    def __init__(self) -> None:
        self._file = SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 - it ends with the rows
        self.number = 0

    def __del__(self) -> None:
        self._file.close()

    def add(self, rows: Iterable[Answer]) -> None:
        for row in rows:
            self._file.write(wire.encode(row) + b"\n")
            self.number += 1

    def __iter__(self) -> Iterator[Answer]:
        self._file.seek(0)
        return map(_decode, self._file)


@dataclass
class Gathered:
    """What a file is made of: an answer's rows, what it tells besides, and the kind of the records where it has one."""

    title: str
    told: dict[str, Any] = field(default_factory=dict)
    rows: Rows = field(default_factory=Rows)
    of: str = ""


class Table:
    """Rows of cells under their columns, and what is to be known about them: `facts`, each by its name."""

    def __init__(self, gathered: Gathered) -> None:
        self.title, self.rows, self._of = gathered.title, gathered.rows, gathered.of
        self.columns = _columns(self.rows, self._of)
        self.heads = [column_labels.head(path, of=self._of) for path in self.columns]
        self.facts = [(column_labels.head(path), text(cell)) for path, cell in cells(gathered.told, of=self._of)]

    def __iter__(self) -> Iterator[list[Cell]]:
        for row in self.rows:
            found = dict(cells(row, of=self._of))
            yield [found.get(path) for path in self.columns]


def cells(row: Answer, *, of: str = "", scale: int = 1) -> Iterator[tuple[Path, Cell]]:
    """What stands in which column."""
    if isinstance(unit := row.get("unit"), dict):
        scale = unit.get("scale", 1)
    for name, value in row.items():
        if isinstance(value, dict) and "zh" not in value:
            yield from (((name, *path), cell) for path, cell in cells(value, of=of, scale=scale))
        else:
            yield (name,), _cell(name, value, of, scale)
        if name == "district":
            yield ("district_name",), DISTRICTS.get(value)


def _columns(rows: Rows, of: str) -> tuple[Path, ...]:
    """In the order in which they come; without a field that is an object wherever it is anything."""
    found: dict[Path, bool] = {}
    for row in rows:
        for path, cell in cells(row, of=of):
            found[path] = found.get(path, False) or cell is not None
    objects = {path[:length] for path in found for length in range(1, len(path))}
    return tuple(path for path, is_something in found.items() if is_something or path not in objects)


def text(cell: Cell) -> str:
    """A cell as text: numbers in full and without zeros at the end of a fraction."""
    if isinstance(cell, Decimal):
        return f"{cell.normalize():f}"
    return "" if cell is None else str(cell)


def _cell(name: str, value: Any, of: str, scale: int) -> Cell:
    match value:
        case str():
            return column_labels.value(name, value, of=of)
        case bool():
            return glossary.value("true" if value else "false")
        case int() if is_money(name):
            return to_yuan(value)
        case int() if name in AMOUNTS and scale > 1:
            return Decimal(value) / scale
        case {"zh": str(chinese)}:
            return chinese
        case list() | tuple():
            return "；".join(_listed(name, one, of, scale) for one in value)
        case float():  # facts come as they were answered, rows as they were put aside
            return Decimal(str(value))
        case _:
            return value


def _listed(name: str, one: Any, of: str, scale: int) -> str:
    """One of several values in a cell; of a reason whose it is and what it says."""
    match one:
        case {"zh": str(chinese)}:
            whose = one.get("service") or one.get("kpi")
            return f"{column_labels.value('service', whose)}：{chinese}" if whose else chinese
        case Mapping():
            said = ((column_labels.head(path), text(cell)) for path, cell in cells(one, of=of, scale=scale))
            return "，".join(f"{head} {cell}" for head, cell in said if cell)
        case _:
            return text(_cell(name, one, of, scale))
