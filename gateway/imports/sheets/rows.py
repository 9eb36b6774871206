"""Rows: the data of a sheet, row by row, without repeated headers, totals and notes.

A row of complete data is never skipped, whatever it looks like; another row is skipped only where it can be nothing but
a total or a note. All others are data with errors.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from gateway.imports.sheets import cell_reading, header, xlsx_guard
from gateway.imports.sheets.cell import Cell, CellFault, FaultyCell, narrow, shown, stripped
from gateway.imports.sheets.columns import Column
from gateway.imports.sheets.errors import BrokenSheet, CellError, address
from gateway.imports.sheets.header import Header
from gateway.imports.sheets.numbers import InvalidCell, number
from gateway.imports.sheets.tables import open_tables
from services.contract.glossary import plain

TOTALS = ("合计", "总计", "小计", "共计", "累计", "总和", "total", "subtotal", "grandtotal")
LONGEST_TOTAL = 12  # characters: 市中区小计 is a total, a sentence that ends in this way is not

_LABEL = re.compile(
    r"(填表人|填报人|制表人?|审核人?|复核人?|经办人|联系人|负责人|单位负责人|统计负责人|填报单位|报送单位|制表单位"
    r"|单位[(]?盖章[)]?|单位|盖章|签字|领导签字|填报日期|填表日期|制表日期|报送日期|报出日期|日期|联系电话|电话"
    r"|注|附注|备注|说明|注释|填表说明)\s*[0-9]{0,2}\s*:"
)


@dataclass(frozen=True, slots=True)
class Row:
    """A row of data by its number in the sheet: the command's input, and its errors (`wrongs`).

    Money is in fen, days are written `2011-05-14`; optional fields that are empty are left out. A row with errors has
    only its valid values. Of a row that `is_hidden` the sheet does not show everything: the row is hidden or filtered
    away, or stands in a column that is.
    """

    number: int
    values: dict[str, Any]
    wrongs: tuple[CellError, ...] = ()
    is_hidden: bool = False


def read(path: Path, filename: str, columns: Sequence[Column]) -> Iterator[Row]:
    """Yield the rows of data in order; the clerk's name of the file and its first bytes tell what kind it is.

    Raises `BrokenSheet` with the first row, where there is none, or later where a limit is passed.
    """
    with open_tables(path, filename) as file:
        best = header.find(file, columns)
        count = 0
        for count, row in enumerate(_data_rows(best), start=1):
            if count > xlsx_guard.MANY_ROWS:
                raise xlsx_guard.too_large()
            yield row
        if not count:
            raise BrokenSheet("表头下没有可导入的数据行。", "There is no row of data below the header.")


def _data_rows(header: Header) -> Iterator[Row]:
    for number_of_row, cells in header.table.rows():
        row = _row(header, number_of_row, cells) if number_of_row > header.number else None
        if row is not None:
            yield replace(row, is_hidden=True) if _is_hidden(header, number_of_row, cells) else row


def _is_hidden(header: Header, number: int, cells: Sequence[Cell]) -> bool:
    table = header.table
    columns = table.hidden_columns & header.places.keys()
    return table.is_hidden(number) or any(place < len(cells) and cells[place] != "" for place in columns)


def _row(header: Header, number: int, cells: Sequence[Cell]) -> Row | None:
    """A row as data; None where it is no data."""
    there = {place: cell for place, cell in enumerate(map(stripped, cells)) if cell != ""}
    filled = {place: cell for place, cell in there.items() if not isinstance(cell, FaultyCell) or not _is_covered(cell)}
    if not _has_entries(header, filled) or header.is_repeated(filled):
        return None

    row = _data(header, number, there)
    if _is_labelled_total(filled):
        return _unless_total(header, row, filled)
    if row.wrongs and _is_note(filled):
        return None
    if row.wrongs and len(filled) == 1:
        return _neither(header, row, filled)
    return row


def _is_covered(cell: FaultyCell) -> bool:
    """True for a cell that is merged with its neighbour and hidden by it."""
    return cell.fault is CellFault.MERGED


def _has_entries(header: Header, filled: Mapping[int, Cell]) -> bool:
    """True where a row has more than its own number and the errors that were added to a marked copy."""
    return any(
        place not in header.unread or (place != header.errors and isinstance(cell, str) and not cell.strip().isdigit())
        for place, cell in filled.items()
    )


def _data(header: Header, number: int, there: Mapping[int, Cell]) -> Row:
    values: dict[str, Any] = {}
    wrongs: list[CellError] = []
    for place, column in header.places.items():
        try:
            value = cell_reading.read(column, there.get(place, ""))
        except InvalidCell as misread:
            wrongs.append(CellError(address(number, place), column.name, misread.zh, misread.en))
            continue
        if value is not None:
            values[column.name] = value
    wrongs += [
        CellError(address(number, place), "", "此格所在的列没有表头", "The column of this cell has no header")
        for place, cell in there.items()
        if place not in header.expected and not (isinstance(cell, FaultyCell) and _is_covered(cell))
    ]
    return Row(number, values, tuple(wrongs))


def _is_labelled_total(filled: Mapping[int, Cell]) -> bool:
    first = next(iter(filled.values()))
    if not isinstance(first, str) or len(first) > LONGEST_TOTAL:
        return False
    label = plain(first)
    return label in TOTALS or label.endswith(("合计", "总计", "小计"))


def _unless_total(header: Header, row: Row, filled: Mapping[int, Cell]) -> Row | None:
    """None for a total, which is a word with numbers and no complete row of data; else an error for the clerk."""
    (place, word), *others = filled.items()
    if row.wrongs and all(_may_be_added_up(header.places.get(other), cell) for other, cell in others):
        return None

    at = address(row.number, place)
    wrong = CellError(
        at,
        "",
        f"“{shown(word)}”像是合计行，但又含有其他内容；请删除此行或改写",
        f"“{shown(word)}” looks like a total, but there is more in the row; delete or reword it",
    )
    return Row(row.number, {}, (wrong,))


def _may_be_added_up(column: Column | None, cell: Cell) -> bool:
    if cell in cell_reading.NOTHING:
        return True
    if column is not None and column.holds not in ("whole", "yuan"):
        return False
    try:
        number(cell, column.unit if column else None)
    except InvalidCell:
        return False
    return True


def _is_note(filled: Mapping[int, Cell]) -> bool:
    """True where a row has nothing but labels like 填表人： and their values."""
    awaited = False
    for cell in filled.values():
        text = narrow(cell) if isinstance(cell, str) else ""
        label = _LABEL.match(text)
        if label is None and not awaited:
            return False
        awaited = label is not None and label.end() == len(text)
    return True


def _neither(header: Header, row: Row, filled: Mapping[int, Cell]) -> Row:
    """Report a lone cell with a single error, instead of one for each empty cell."""
    ((place, cell),) = filled.items()
    if sum(column.required for column in header.places.values()) < 2:
        return row

    wrong = CellError(
        address(row.number, place),
        "",
        f"此行只有“{shown(cell)}”，既不是完整的数据，也认不出是注释；请补全或删除",
        f"There is only “{shown(cell)}” in this row, neither data nor a note that is known; complete or delete it",
    )
    return Row(row.number, {}, (wrong,))
