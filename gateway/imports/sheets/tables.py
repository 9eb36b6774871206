"""Tables: an XLSX or CSV file opened as tables of cells, row by row.

A workbook has a table for each visible sheet, a CSV file one for each delimiter that it may have been written with;
the header decides which of them is meant.
"""

from __future__ import annotations

import codecs
import csv
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import chain, repeat
from pathlib import Path
from typing import TextIO

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

from gateway.documents.formula_signs import unescape
from gateway.imports.sheets import xlsx_guard
from gateway.imports.sheets.cell import Cell, CellFault, FaultyCell, FormattedNumber
from gateway.imports.sheets.errors import BrokenSheet, column_number

DELIMITERS = ",;\t"
MANY_MERGED = 1_000_000  # cells
LONGEST_LINE = 2**20  # characters; its cells are in memory at once
CHUNK = 2**20

_SPREADSHEETS = (".xlsx", ".xlsm", ".et", ".xls")


@dataclass(frozen=True)
class WorksheetTable:
    """A sheet of a workbook, parsed when its rows are read."""

    name: str
    workbook: CalamineWorkbook
    extent: xlsx_guard.SheetExtent

    @property
    def width(self) -> int:
        """The number of its columns."""
        return self.extent.columns

    @property
    def hidden_columns(self) -> AbstractSet[int]:
        """The columns that the sheet does not show, from 0."""
        return self.extent.hidden_columns

    def is_hidden(self, row: int) -> bool:
        """Tell whether the sheet does not show this row."""
        return row in self.extent.hidden_rows

    def rows(self) -> Iterator[tuple[int, list[Cell]]]:
        """Yield each row with its number, from column A on; a cell that only looks empty is a `FaultyCell`."""
        sheet = self.workbook.get_sheet_by_name(self.name)
        before: list[Cell] = [""] * (sheet.start or (0, 0))[1]
        faulty = self._faulty(sheet)
        below = repeat((), self.extent.rows - sheet.total_height)
        rows: Iterator[Sequence[Cell]] = chain(sheet.iter_rows(), below)
        for number, cells in enumerate(rows, start=1):
            row = [*before, *cells]
            for column in self.extent.formatted:
                if column < len(row) and self.extent.is_formatted(column, number):
                    row[column] = _formatted(row[column])
            for column, blemish in faulty.get(number, {}).items():
                row.extend([""] * (column + 1 - len(row)))
                row[column] = row[column] or blemish
            yield number, row

    def _faulty(self, sheet: CalamineSheet) -> dict[int, dict[int, FaultyCell]]:
        faulty: dict[int, dict[int, FaultyCell]] = {}
        covered = 0
        for (top, left), (bottom, right) in sheet.merged_cell_ranges or ():
            rows, columns = range(top, min(bottom + 1, self.extent.rows)), range(left, min(right + 1, self.width))
            covered += len(rows) * len(columns)
            if covered > MANY_MERGED:
                raise xlsx_guard.too_large()
            for row in rows:
                faulty.setdefault(row + 1, {}).update({column: FaultyCell(CellFault.MERGED) for column in columns})
            faulty.get(top + 1, {}).pop(left, None)
        for cell, blemish in self.extent.faults.items():
            letters = cell.rstrip("0123456789")
            faulty.setdefault(int(cell.removeprefix(letters)), {})[column_number(letters)] = blemish
        return faulty


@dataclass(frozen=True)
class CsvTable:
    """A CSV file as a delimiter divides it; read as a stream."""

    path: Path
    encoding: str
    delimiter: str
    name: str = ""
    hidden_columns: AbstractSet[int] = frozenset()

    def is_hidden(self, row: int) -> bool:  # noqa: ARG002
        """Tell that a CSV file hides no row."""
        return False

    @property
    def width(self) -> int:
        """The number of cells in its longest row; reads the whole file."""
        return max((len(row) for _, row in self.rows()), default=0)

    def rows(self) -> Iterator[tuple[int, list[Cell]]]:
        """Yield each row with its number, without the apostrophes that keep texts from being formulas."""
        with self.path.open(encoding=self.encoding, newline="") as lines:
            rows = csv.reader(_each_line(lines), delimiter=self.delimiter, strict=True)
            try:
                yield from enumerate(map(_cells, rows), start=1)
            except (csv.Error, UnicodeDecodeError) as error:
                raise _broken_csv(rows.line_num, str(error)) from None


Table = WorksheetTable | CsvTable


@dataclass(frozen=True)
class TableFile:
    """A file as its tables."""

    tables: tuple[Table, ...]
    is_csv: bool


@contextmanager
def open_tables(path: Path, filename: str) -> Iterator[TableFile]:
    """Open a file as tables; raises `BrokenSheet` where it is no sheet, too large or damaged."""
    with path.open("rb") as file:
        start = file.read(4)
    suffix = Path(filename.lower()).suffix
    if start == b"PK\x03\x04":
        with _workbook(path) as book:
            yield book
    elif suffix in (".csv", ".txt", ".tsv"):
        yield TableFile(tuple(CsvTable(path, _encoding(path), delimiter) for delimiter in DELIMITERS), is_csv=True)
    elif suffix in _SPREADSHEETS:
        raise BrokenSheet(
            "不是 XLSX 工作簿（旧版 .xls 或加密的文件不能读取）；请另存为不加密的 .xlsx。",
            "No XLSX workbook (an old .xls or an encrypted file cannot be read); save it as .xlsx without a password.",
        )
    else:
        raise BrokenSheet("只能读取 .xlsx 或 .csv 文件。", "Only .xlsx and .csv files can be read.")


@contextmanager
def _workbook(path: Path) -> Iterator[TableFile]:
    extents = xlsx_guard.inspect(path)
    try:
        with path.open("rb") as file, CalamineWorkbook.from_filelike(file) as workbook:
            sheets = tuple(
                WorksheetTable(sheet.name, workbook, extents[sheet.name])
                for sheet in workbook.sheets_metadata
                if sheet.typ == SheetTypeEnum.WorkSheet and sheet.visible == SheetVisibleEnum.Visible
            )
            yield TableFile(sheets, is_csv=False)
    except (CalamineError, KeyError) as error:  # KeyError: a sheet that the guard has not seen
        raise xlsx_guard.broken() from error


def _encoding(path: Path) -> str:
    """UTF-8 or, as Excel writes it in China, GB 18030; UTF-16 where the file begins with its mark."""
    with path.open("rb") as file:
        start = file.read(4)
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    for encoding in ("utf-8-sig", "gb18030"):
        with suppress(UnicodeDecodeError):
            _decode(path, encoding)
            return encoding
    raise _unknown_encoding()


def _decode(path: Path, encoding: str) -> None:
    """Raise `UnicodeDecodeError` unless a file is in an encoding, `BrokenSheet` where it has zero bytes."""
    decoder = codecs.getincrementaldecoder(encoding)()
    with path.open("rb") as file:
        for chunk in iter(lambda: file.read(CHUNK), b""):
            if b"\0" in chunk:
                raise _unknown_encoding()
            decoder.decode(chunk)
    decoder.decode(b"", final=True)


def _formatted(cell: Cell) -> Cell:
    """Return a number as one whose format matters; any other cell as it is."""
    return FormattedNumber(cell) if isinstance(cell, int | float) and not isinstance(cell, bool) else cell


def _each_line(file: TextIO) -> Iterator[str]:
    """Yield the lines of a CSV file; raises `BrokenSheet` where one is too long to be taken apart."""
    while line := file.readline(LONGEST_LINE + 1):
        if len(line) > LONGEST_LINE:
            raise xlsx_guard.too_large()
        yield line


def _cells(row: list[str]) -> list[Cell]:
    if len(row) > xlsx_guard.MANY_COLUMNS:
        raise xlsx_guard.too_large()
    return [unescape(cell) for cell in row]


def _unknown_encoding() -> BrokenSheet:
    return BrokenSheet("文件编码无法识别；请另存为 UTF-8 的 CSV。", "Unknown encoding; save it as CSV in UTF-8.")


def _broken_csv(line: int, why: str) -> BrokenSheet:
    return BrokenSheet(f"CSV 第 {line} 行有误，无法读取（{why}）。", f"The CSV cannot be read at line {line} ({why}).")
