"""Portions: as many rows of a sheet together as one call to a service takes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from gateway.imports.sheets.errors import CellError
from gateway.imports.sheets.rows import Row
from services.contract import wire

BYTES = 300_000  # in one call, well below what a service takes


class Portion(msgspec.Struct, frozen=True, tag="portion"):
    """The rows that could be read, as JSON of their numbers and values, and the errors of the others by row.

    `hidden` are the numbers of those of which the sheet does not show everything.
    """

    rows: bytes
    wrongs: list[tuple[int, CellError]]
    read: int
    unreadable: int
    hidden: list[int]


def portions(rows: Iterable[Row], most: int) -> Iterator[Portion]:
    """Put as many rows together as one call takes, at most so many."""
    portion: list[Row] = []
    size = 0
    for row in rows:
        length = len(wire.encode(row.values))
        if portion and (len(portion) == most or size + length > BYTES):
            yield _portion(portion)
            portion, size = [], 0
        portion.append(row)
        size += length
    if portion:
        yield _portion(portion)


def _portion(rows: list[Row]) -> Portion:
    wrong = [row for row in rows if row.wrongs]
    return Portion(
        rows=wire.encode([[row.number, row.values] for row in rows if not row.wrongs]),
        wrongs=[(row.number, error) for row in wrong for error in row.wrongs],
        read=len(rows),
        unreadable=len(wrong),
        hidden=[row.number for row in rows if row.is_hidden],
    )
