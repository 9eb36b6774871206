"""Errors of a sheet, in both languages and with the address of the cell."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CellError:
    """An error in a cell like `C7`, with the field; without a field it concerns the row or the sheet."""

    cell: str
    field: str
    zh: str
    en: str


class BrokenSheet(Exception):
    """The sheet cannot be read, and so none of its rows; `wrongs` are the cells that are the cause, if known."""

    def __init__(self, zh: str, en: str, *, wrongs: Iterable[CellError] = ()) -> None:
        super().__init__(en)
        self.zh, self.en = zh, en
        self.wrongs = tuple(wrongs)


def address(row: int, column: int) -> str:
    """Write the address of a cell by its row, from 1, and its column, from 0: (7, 2) is `C7`."""
    letters = ""
    column += 1
    while column:
        column, letter = divmod(column - 1, 26)
        letters = chr(ord("A") + letter) + letters
    return f"{letters}{row}"


def column_number(letters: str) -> int:
    """Read the column of an address, from 0: `C` is 2."""
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number - 1
