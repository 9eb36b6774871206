"""XLSX: the rows on the first sheet, the facts about them on the second; no cell is a formula."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from hashlib import sha256
from typing import IO, Any
from unicodedata import east_asian_width

from xlsxwriter import Workbook

from gateway.documents import csv
from gateway.documents.table import Cell, ExportData, Table, text

MOST_ROWS = 1_048_575  # below the heads
LONGEST_TEXT = 32_767  # characters of a cell
EXACT = 10**15  # below this a spreadsheet keeps every digit of a number
NARROWEST, WIDEST = 8, 48  # characters of a column
WIDTH_ROWS = 200  # first rows that decide how wide columns are
DAY = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")
NOTES, NOTES_WIDTHS = "说明", (24, 80)
A4 = 9
READABLE = 220  # characters from left to right on a page

OPTIONS = {
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}

CANONICAL = "数据行按 CSV 导出的写法（RFC 4180，UTF-8，行末 CRLF，公式字符前加单引号，不含表头）逐行计算的 SHA-256"


class DoesNotFit(ValueError):
    """A sheet cannot hold this; has the reason in both languages."""

    def __init__(self, en: str, zh: str) -> None:
        super().__init__(en)
        self.en, self.zh = en, zh


def write(file: IO[bytes], data: ExportData) -> bytes:
    """Write the whole table; return the SHA-256 of its rows as a CSV file would have them. Raises `DoesNotFit`."""
    fits(data.rows.number)
    table = Table(data)
    with Workbook(file, OPTIONS) as book:
        book.set_properties({"title": table.title})
        digest = _write_rows(book, table)
        facts = [*table.facts, ("行数", str(table.rows.number)), ("数据摘要", digest.hex()), ("摘要算法", CANONICAL)]
        _write_facts(book, facts)
    return digest


def fits(rows: int) -> None:
    """Raise `DoesNotFit` where a sheet cannot hold so many rows."""
    if rows > MOST_ROWS:
        raise DoesNotFit(
            f"{rows} rows are more than the {MOST_ROWS} of a sheet; ask for .csv.",
            f"共 {rows} 行，超过工作表上限 {MOST_ROWS} 行，请改用 .csv。",
        )


def _write_rows(book: Workbook, table: Table) -> bytes:
    sheet = book.add_worksheet(_sheet_name(table.title))
    heads, formats, digest = table.heads, _Formats(book), sha256()
    widths = [_width(head) for head in heads]
    for column, head in enumerate(heads):
        sheet.write_string(0, column, head, formats.head)
    for number, cells in enumerate(table, start=1):
        digest.update(csv.line(cells))
        for column, cell in enumerate(cells):
            _write(sheet, number, column, cell, formats)
        if number <= WIDTH_ROWS:
            widths = [max(known, _width(str(cell or ""))) for known, cell in zip(widths, cells, strict=True)]
    widths = [min(max(width + 2, NARROWEST), WIDEST) for width in widths]
    for column, width in enumerate(widths):
        sheet.set_column(column, column, width)
    sheet.freeze_panes(1, 0)
    if heads:
        sheet.autofilter(0, 0, max(table.rows.number, 1), len(heads) - 1)
    _for_printing(sheet, sum(widths))
    return digest.digest()


class _Formats:
    """The formats of cells, made once for each workbook."""

    def __init__(self, book: Workbook) -> None:
        self.head = book.add_format({"bold": True, "bg_color": "#DDE6F0", "bottom": 1, "valign": "vcenter"})
        self.day = book.add_format({"num_format": "yyyy-mm-dd", "align": "left"})
        self.amount = book.add_format({"num_format": "#,##0.00"})
        self.wrapped = book.add_format({"text_wrap": True, "valign": "top"})
        self.label = book.add_format({"bold": True, "valign": "top"})


def _write(sheet: Any, row: int, column: int, cell: Cell, formats: _Formats) -> None:
    if isinstance(cell, str):
        if day := _day(cell):
            sheet.write_datetime(row, column, day, formats.day)
        elif cell:
            _write_text(sheet, row, column, cell)
    elif cell is not None and not -EXACT < cell < EXACT:
        _write_text(sheet, row, column, text(cell))
    elif cell is not None:
        sheet.write_number(row, column, cell, formats.amount if isinstance(cell, Decimal) else None)


def _write_text(sheet: Any, row: int, column: int, text: str, form: Any = None) -> None:
    if len(text) > LONGEST_TEXT:
        raise DoesNotFit(
            f"The text in row {row + 1} is longer than the {LONGEST_TEXT} characters of a cell; ask for .csv.",
            f"第 {row + 1} 行的文字超过单元格上限 {LONGEST_TEXT} 字，请改用 .csv。",
        )
    sheet.write_string(row, column, text, form)


def _write_facts(book: Workbook, facts: list[tuple[str, str]]) -> None:
    sheet, formats = book.add_worksheet(NOTES), _Formats(book)
    for column, width in enumerate(NOTES_WIDTHS):
        sheet.set_column(column, column, width)
    for row, (name, fact) in enumerate(facts):
        sheet.write_string(row, 0, name, formats.label)
        _write_text(sheet, row, 1, fact, formats.wrapped)
    _for_printing(sheet, sum(NOTES_WIDTHS))


def _for_printing(sheet: Any, width: int) -> None:
    """Fit the columns on one page where that can still be read."""
    sheet.set_landscape()
    sheet.set_paper(A4)
    if width <= READABLE:
        sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(0)
    sheet.set_footer("&C第 &P 页，共 &N 页")


def _day(text: str) -> date | None:
    """Read a day that a spreadsheet counts right, which it does from March 1900 on; None for any other text."""
    if len(text) != 10 or not DAY.fullmatch(text):
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if day > date(1900, 2, 28) else None


def _sheet_name(title: str) -> str:
    return re.sub(r"[\[\]:*?/\\']", " ", title)[:31].strip()


def _width(text: str) -> int:
    """Count the characters of a text, Chinese ones as two."""
    return sum(2 if east_asian_width(character) in "WF" else 1 for character in text[:WIDEST])
