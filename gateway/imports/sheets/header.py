"""Header: the row of a sheet that names its columns, recognised by its words wherever it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from itertools import takewhile

from gateway.imports.sheets.cell import Cell, is_blank, shown
from gateway.imports.sheets.columns import Column
from gateway.imports.sheets.errors import BrokenSheet, CellError, address
from gateway.imports.sheets.tables import Table, TableFile
from services.contract.glossary import fields_named, plain

NAMED = 10  # sheets, or columns that are wrong, in a message
SEARCHED = 30  # rows; there are titles above a header, but not more
ERRORS = "错误"
NOT_DATA = frozenset(plain(word) for word in ("序号", "行号", "No.", ERRORS, "Errors"))
"""Columns for people, which clerks or a marked copy add; they are not read."""


@dataclass(frozen=True)
class Header:
    """The header of a table: its row, and the field of each column of the sheet."""

    table: Table
    number: int
    cells: Sequence[Cell]
    places: Mapping[int, Column]

    @property
    def fit(self) -> tuple[int, int]:
        """A measure to choose by: the number of fields that it names, then the fewest other entries."""
        return len(self._named), len(self._named) - sum(not is_blank(cell) for cell in self.cells)

    def is_whole(self, columns: Sequence[Column]) -> bool:
        """True where it names every required field, and little else."""
        return all(column.name in self._named for column in columns if column.required) and sum(self.fit) >= 0

    @property
    def _named(self) -> set[str]:
        return {column.name for column in self.places.values()}

    @cached_property
    def unread(self) -> frozenset[int]:
        """The places of columns for people."""
        return frozenset(place for place, cell in enumerate(self.cells) if plain(str(cell)) in NOT_DATA)

    @cached_property
    def expected(self) -> frozenset[int]:
        """The places that may have cells."""
        return self.unread | self.places.keys()

    @cached_property
    def errors(self) -> int | None:
        """The place of the errors that a marked copy has."""
        words = (plain(ERRORS), "errors")
        return next((place for place, cell in enumerate(self.cells) if plain(str(cell)) in words), None)

    def is_repeated(self, filled: Mapping[int, Cell]) -> bool:
        """True for a row that repeats the header."""
        return all(
            isinstance(cell, str) and place < len(self.cells) and plain(cell) == plain(str(self.cells[place]))
            for place, cell in filled.items()
        )


def find(file: TableFile, columns: Sequence[Column]) -> Header:
    """Find the one header of a file; raises `BrokenSheet` where there is none, or it does not fit the columns."""
    names = _names(columns)
    headers = _all(file, names)
    if not headers:
        listed = "、".join(column.header() for column in columns if column.required)
        listed_en = ", ".join(column.header("en") for column in columns if column.required)
        raise BrokenSheet(f"没有找到表头；须有：{listed}。", f"There is no header; it should have {listed_en}.")

    whole = [header.table.name for header in headers if header.is_whole(columns)]
    if len(whole) > 1 and not file.is_csv:
        listed = "、".join(map(shown, whole[:NAMED]))
        raise BrokenSheet(
            f"有几张工作表都带表头，不清楚要导入哪一张：{listed}。", f"Several sheets have the header: {listed}."
        )
    best = max(headers, key=lambda header: header.fit)
    _check(best, columns, names)
    return best


def _names(columns: Sequence[Column]) -> dict[str, Column]:
    """The column for each way to write its header, with or without its unit."""
    by_name = {column.name: column for column in columns}
    of = columns[0].of if columns else ""
    names = {word: by_name[name] for word, name in fields_named(by_name, of=of).items()}
    for column in columns:
        for word in column.word.all if column.unit else ():
            for unit in column.unit.all if column.unit else ():
                names.setdefault(plain(word + unit), column)
    return names


def _all(file: TableFile, names: Mapping[str, Column]) -> list[Header]:
    """The header of each table that has one; with a wrong delimiter, quotes may make a CSV unreadable."""
    headers: list[Header] = []
    wrong_delimiters: list[BrokenSheet] = []
    for table in file.tables:
        try:
            header = _best(table, names)
        except BrokenSheet as broken:
            if not file.is_csv:
                raise
            wrong_delimiters.append(broken)
        else:
            headers += [header] if header else []
    if wrong_delimiters and not headers:
        raise wrong_delimiters[0]
    return headers


def _best(table: Table, names: Mapping[str, Column]) -> Header | None:
    best: Header | None = None
    for number, cells in takewhile(lambda row: row[0] <= SEARCHED, table.rows()):
        places = {place: column for place, cell in enumerate(cells) if (column := _named(cell, names)) is not None}
        header = Header(table, number, cells, places)
        if places and (best is None or header.fit > best.fit):
            best = header
    return best


def _named(cell: Cell, names: Mapping[str, Column]) -> Column | None:
    return names.get(plain(cell).removesuffix("必填").removesuffix("选填")) if isinstance(cell, str) else None


def _check(header: Header, columns: Sequence[Column], names: Mapping[str, Column]) -> None:
    wrongs = [*_unknown(header, names), *_repeated(header), *_missing(header, columns)]
    if wrongs:
        named, more = wrongs[:NAMED], max(0, len(wrongs) - NAMED)
        zh, en = "；".join(wrong.zh for wrong in named), "; ".join(wrong.en for wrong in named)
        more_zh, more_en = (f"；另有 {more} 处", f"; {more} more") if more else ("", "")
        raise BrokenSheet(f"表头有误：{zh}{more_zh}。", f"The header is wrong: {en}{more_en}.", wrongs=wrongs)


def _unknown(header: Header, names: Mapping[str, Column]) -> Iterator[CellError]:
    for place, cell in enumerate(header.cells):
        if place in header.places or place in header.unread or is_blank(cell):
            continue
        near = get_close_matches(plain(str(cell)), names, n=1, cutoff=0.5)
        zh = f"，是否为“{names[near[0]].header()}”" if near else ""
        en = f", perhaps {names[near[0]].header('en')}" if near else ""
        at = address(header.number, place)
        yield CellError(at, "", f"{at} 不认识的列“{shown(cell)}”{zh}", f"{at} is an unknown column “{shown(cell)}”{en}")


def _repeated(header: Header) -> Iterator[CellError]:
    first: dict[str, int] = {}
    for place, column in header.places.items():
        if column.name in first:
            at, before = address(header.number, place), address(header.number, first[column.name])
            yield CellError(
                at,
                column.name,
                f"{at} 与 {before} 都是“{column.header()}”（可能有一列被隐藏）",
                f"{at} and {before} are both {column.header('en')} (one may be hidden)",
            )
        first.setdefault(column.name, place)


def _missing(header: Header, columns: Sequence[Column]) -> Iterator[CellError]:
    present = {column.name for column in header.places.values()}
    for column in columns:
        if column.required and column.name not in present:
            yield CellError(
                address(header.number, 0),
                column.name,
                f"缺少列“{column.header()}”",
                f"{column.header('en')} is missing",
            )
