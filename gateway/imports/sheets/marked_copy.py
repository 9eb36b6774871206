"""Marked copy: the clerk's own sheet with the errors beside each row."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from pathlib import Path

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.workbook import Workbook
from xlsxwriter.worksheet import Worksheet

from gateway.documents.formula_signs import escape
from gateway.imports.sheets import header
from gateway.imports.sheets.cell import Cell, FaultyCell
from gateway.imports.sheets.columns import Column
from gateway.imports.sheets.errors import CellError, address
from gateway.imports.sheets.header import ERRORS, Header
from gateway.imports.sheets.tables import CsvTable, open_tables
from gateway.imports.sheets.template import AS_THEY_ARE, print_in_width, sheet_name

Errors = Mapping[int, Sequence[CellError]]

_FORMATS = {date: "yyyy-mm-dd", datetime: "yyyy-mm-dd hh:mm:ss", time: "hh:mm:ss", timedelta: "[h]:mm:ss"}


def marked(path: Path, filename: str, columns: Sequence[Column], errors: Errors, out: Path) -> None:
    """Write the same cells to `out` with a column 错误 that lists the errors of each row; CSV for CSV, XLSX for XLSX.

    The copy can be uploaded again: its column 错误 is not read, and written anew. Raises `BrokenSheet`.
    """
    with open_tables(path, filename) as book:
        best = header.find(book, columns)
        if isinstance(best.table, CsvTable):
            _write_csv(best, best.table.delimiter, errors, out)
        else:
            _write_xlsx(best, errors, out)


def _rows(header: Header, errors: Errors) -> Iterator[tuple[int, list[Cell]]]:
    """Yield each row with its errors in their column."""
    place = _place(header)
    for number, cells in header.table.rows():
        cells.extend([""] * (place + 1 - len(cells)))
        cells[place] = ERRORS if number == header.number else "；".join(map(_described, errors.get(number, ())))
        yield number, cells


def _place(header: Header) -> int:
    return header.table.width if header.errors is None else header.errors


def _described(error: CellError) -> str:
    return f"{error.cell} {error.zh}".strip()


def _write_csv(header: Header, delimiter: str, errors: Errors, out: Path) -> None:
    with out.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file, delimiter=delimiter)
        for _, cells in _rows(header, errors):
            writer.writerow([_escaped(str(cell)) for cell in cells])


def _escaped(cell: str) -> str:
    """Escape a text that a spreadsheet would calculate; a lone sign stays as the clerk wrote it, for nothing."""
    return escape(cell) if len(cell) > 1 else cell


def _write_xlsx(header: Header, errors: Errors, out: Path) -> None:
    place = _place(header)
    options = {"constant_memory": True, "nan_inf_to_errors": True} | AS_THEY_ARE
    with xlsxwriter.Workbook(str(out), options) as book:
        sheet = book.add_worksheet(sheet_name(header.table.name))
        sheet.set_column(0, place - 1, 16)
        sheet.set_column(place, place, 60)
        sheet.freeze_panes(header.number, 0)
        print_in_width(sheet)
        formats = _CellFormats(book)
        for number, cells in _rows(header, errors):
            bad = {error.cell for error in errors.get(number, ())}
            for column, cell in enumerate(cells):
                colour = RED if bad and (column == place or address(number, column) in bad) else ""
                _write(sheet, number - 1, column, cell, formats.of(cell, colour))


RED = "#FFC7CE"


class _CellFormats:
    """The formats of a workbook, each made once."""

    def __init__(self, book: Workbook) -> None:
        self._book = book
        self._made: dict[tuple[str, str], Format] = {}

    def of(self, cell: Cell, colour: str) -> Format | None:
        """Return the format for a cell's type and colour; None where it needs none."""
        form = _FORMATS.get(type(cell), "")
        if not form and not colour:
            return None
        if (form, colour) not in self._made:
            options = {"num_format": form} if form else {}
            self._made[form, colour] = self._book.add_format(options | ({"bg_color": colour} if colour else {}))
        return self._made[form, colour]


def _write(sheet: Worksheet, row: int, column: int, cell: Cell, form: Format | None) -> None:
    if isinstance(cell, FaultyCell):
        sheet.write_string(row, column, cell.shown, form) if cell.shown else sheet.write_blank(row, column, "", form)
    elif isinstance(cell, str):
        sheet.write_string(row, column, cell, form) if cell else sheet.write_blank(row, column, "", form)
    elif isinstance(cell, bool):
        sheet.write_boolean(row, column, cell, form)
    elif isinstance(cell, date | time | timedelta):
        sheet.write_datetime(row, column, cell, form)
    else:
        sheet.write_number(row, column, cell, form)
