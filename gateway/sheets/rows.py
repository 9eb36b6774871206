"""Rows: the data of a sheet, row by row, told from titles, totals, repeated headers and notes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.sheets.columns import Column
from gateway.sheets.wrong import Wrong


@dataclass(frozen=True, slots=True)
class Row:
    """A row of data by its number in the sheet: the command's input, and what is wrong with it.

    Money stands in fen, days as `2011-05-14`; what may be left out and is empty is left out. A row with wrongs has only
    the values that are right.
    """

    number: int
    values: dict[str, Any]
    wrongs: tuple[Wrong, ...] = ()


def read(path: Path, filename: str, columns: Sequence[Column]) -> Iterator[Row]:
    """The rows of data in order; `filename` is what the clerk calls the file, and decides with the bytes what it is.

    Raises `BrokenSheet` with the first row, or later where a limit is passed.
    """
    raise NotImplementedError
    yield
