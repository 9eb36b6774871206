"""Tables: rows of an answer, buffered until all of them are there, and the columns that are derived from them.

A nested object gives a column for each of its fields, words in both languages give the Chinese ones, a list is one
cell. Amounts in parts of a unit (fen) are given in whole units (yuan), exactly.
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
"""Numbers of an answer in parts of its unit; all others are numbers of things."""

IN_MEMORY = 1_000_000  # bytes of rows; more are put on the disk

_decode = msgspec.json.Decoder(float_hook=Decimal).decode


class Rows:
    """A buffer of rows in their order; beyond `IN_MEMORY` it is on the disk."""

    def __init__(self) -> None:
        self._file = SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 - it ends with the rows
        self.number = 0

    def __del__(self) -> None:
        self._file.close()

    def add(self, rows: Iterable[Answer]) -> None:
        """Append rows, each as JSON."""
        for row in rows:
            self._file.write(wire.encode(row) + b"\n")
            self.number += 1

    def __iter__(self) -> Iterator[Answer]:
        self._file.seek(0)
        return map(_decode, self._file)


@dataclass
class ExportData:
    """The content of a file: an answer's rows, the facts beside them, and the kind of the records, if any."""

    title: str
    facts: dict[str, Any] = field(default_factory=dict)
    rows: Rows = field(default_factory=Rows)
    of: str = ""


class Table:
    """Rows of cells under their columns, with the `facts` about them, each under its label."""

    def __init__(self, data: ExportData) -> None:
        self.title, self.rows, self._of = data.title, data.rows, data.of
        self.columns = _columns(self.rows, self._of)
        self.heads = [column_labels.head(path, of=self._of) for path in self.columns]
        self.facts = [(column_labels.head(path), text(cell)) for path, cell in cells(data.facts, of=self._of)]

    def __iter__(self) -> Iterator[list[Cell]]:
        for row in self.rows:
            by_column = dict(cells(row, of=self._of))
            yield [by_column.get(path) for path in self.columns]


def cells(row: Answer, *, of: str = "", scale: int = 1) -> Iterator[tuple[Path, Cell]]:
    """Spread a row over its columns, each named by its path."""
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
    """Collect the columns in the order of the rows, without a field that is an object wherever it is not null."""
    has_cells: dict[Path, bool] = {}
    for row in rows:
        for path, cell in cells(row, of=of):
            has_cells[path] = has_cells.get(path, False) or cell is not None
    objects = {path[:length] for path in has_cells for length in range(1, len(path))}
    return tuple(path for path, is_something in has_cells.items() if is_something or path not in objects)


def text(cell: Cell) -> str:
    """Write a cell as text: numbers in full, without zeros at the end of a fraction."""
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
            return "；".join(_listed(name, item, of, scale) for item in value)
        case float():  # of facts, which come as they were answered; rows are read with `Decimal`
            return Decimal(str(value))
        case _:
            return value


def _listed(name: str, item: Any, of: str, scale: int) -> str:
    """Write one of several values in a cell; of a reason also the service or KPI that it is about."""
    match item:
        case {"zh": str(chinese)}:
            whose = item.get("service") or item.get("kpi")
            return f"{column_labels.value('service', whose)}：{chinese}" if whose else chinese
        case Mapping():
            labelled = ((column_labels.head(path), text(cell)) for path, cell in cells(item, of=of, scale=scale))
            return "，".join(f"{label} {cell}" for label, cell in labelled if cell)
        case _:
            return text(_cell(name, item, of, scale))
