"""What is wrong with a sheet, said in both languages and with the cell's address."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CellError:
    """What is wrong in a cell like `C7`, and with which field; without a field it is about the row or the sheet."""

    cell: str
    field: str
    zh: str
    en: str


class BrokenSheet(Exception):
    """The sheet as a whole cannot be read, and so none of its rows; `wrongs` names the cells where it can."""

    def __init__(self, zh: str, en: str, *, wrongs: Iterable[CellError] = ()) -> None:
        super().__init__(en)
        self.zh, self.en = zh, en
        self.wrongs = tuple(wrongs)


def address(row: int, column: int) -> str:
    """The address of a cell by its row, from 1, and its column, from 0: `C7` is (7, 2)."""
    letters = ""
    column += 1
    while column:
        column, letter = divmod(column - 1, 26)
        letters = chr(ord("A") + letter) + letters
    return f"{letters}{row}"


def column_number(letters: str) -> int:
    """The column of an address, from 0: `C` is 2."""
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number - 1
