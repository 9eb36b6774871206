"""Files: an XLSX or CSV opened as tables of cells, row by row.

A workbook has a table per visible sheet, a CSV file one per delimiter that it may have been written with; the header
decides which of them is meant.
"""

from __future__ import annotations

import codecs
import csv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, repeat
from pathlib import Path

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

from gateway.documents.formula_signs import unescape
from gateway.imports.sheets import xlsx_guard
from gateway.imports.sheets.cell import Blemish, Blemished, Cell
from gateway.imports.sheets.errors import BrokenSheet, column_number

DELIMITERS = ",;\t"
MANY_MERGED = 1_000_000  # cells
CHUNK = 2**20

_SPREADSHEETS = (".xlsx", ".xlsm", ".et", ".xls")


@dataclass(frozen=True)
class Sheet:
    """One sheet of a workbook, parsed when its rows are asked for."""

    name: str
    workbook: CalamineWorkbook
    looked: xlsx_guard.Looked

    @property
    def width(self) -> int:
        return self.looked.columns

    def rows(self) -> Iterator[tuple[int, list[Cell]]]:
        """Each row with its number, from column A on; what only looks empty is a `Blemished`."""
        sheet = self.workbook.get_sheet_by_name(self.name)
        before: list[Cell] = [""] * (sheet.start or (0, 0))[1]
        hidden = self._hidden(sheet)
        below = repeat((), self.looked.rows - sheet.total_height)
        rows: Iterator[Sequence[Cell]] = chain(sheet.iter_rows(), below)
        for number, cells in enumerate(rows, start=1):
            row = [*before, *cells]
            for column, blemish in hidden.get(number, {}).items():
                row.extend([""] * (column + 1 - len(row)))
                row[column] = row[column] or blemish
            yield number, row

    def _hidden(self, sheet: CalamineSheet) -> dict[int, dict[int, Blemished]]:
        hidden: dict[int, dict[int, Blemished]] = {}
        covered = 0
        for (top, left), (bottom, right) in sheet.merged_cell_ranges or ():
            rows, columns = range(top, min(bottom + 1, self.looked.rows)), range(left, min(right + 1, self.width))
            covered += len(rows) * len(columns)
            if covered > MANY_MERGED:
                raise xlsx_guard.too_large()
            for row in rows:
                hidden.setdefault(row + 1, {}).update({column: Blemished(Blemish.MERGED) for column in columns})
            hidden.get(top + 1, {}).pop(left, None)
        for cell, blemish in self.looked.blemished.items():
            letters = cell.rstrip("0123456789")
            hidden.setdefault(int(cell.removeprefix(letters)), {})[column_number(letters)] = blemish
        return hidden


@dataclass(frozen=True)
class Separated:
    """A CSV file as one delimiter divides it; read as a stream."""

    path: Path
    encoding: str
    delimiter: str
    name: str = ""

    @property
    def width(self) -> int:
        return max((len(row) for _, row in self.rows()), default=0)

    def rows(self) -> Iterator[tuple[int, list[Cell]]]:
        with self.path.open(encoding=self.encoding, newline="") as lines:
            rows = csv.reader(lines, delimiter=self.delimiter, strict=True)
            try:
                for number, cells in enumerate(rows, start=1):
                    if len(cells) > xlsx_guard.MANY_COLUMNS:
                        raise xlsx_guard.too_large()
                    yield number, [unescape(cell) for cell in cells]
            except (csv.Error, UnicodeDecodeError) as error:
                raise _broken_csv(rows.line_num, str(error)) from None


Table = Sheet | Separated


@dataclass(frozen=True)
class Workbook:
    """The tables of a file."""

    tables: tuple[Table, ...]
    is_csv: bool


@contextmanager
def opened(path: Path, filename: str) -> Iterator[Workbook]:
    """The file as tables; raises `BrokenSheet` where it is none, too large or damaged."""
    with path.open("rb") as file:
        start = file.read(4)
    suffix = Path(filename.lower()).suffix
    if start == b"PK\x03\x04":
        with _workbook(path) as book:
            yield book
    elif suffix in (".csv", ".txt", ".tsv"):
        yield Workbook(tuple(Separated(path, _encoding(path), delimiter) for delimiter in DELIMITERS), is_csv=True)
    elif suffix in _SPREADSHEETS:
        raise BrokenSheet(
            "不是 XLSX 工作簿（旧版 .xls 或加密的文件不能读取）；请另存为不加密的 .xlsx。",
            "No XLSX workbook (an old .xls or an encrypted file cannot be read); save it as .xlsx without a password.",
        )
    else:
        raise BrokenSheet("只能读取 .xlsx 或 .csv 文件。", "Only .xlsx and .csv files can be read.")


@contextmanager
def _workbook(path: Path) -> Iterator[Workbook]:
    looked = xlsx_guard.look_through(path)
    try:
        with path.open("rb") as file, CalamineWorkbook.from_filelike(file) as workbook:
            sheets = tuple(
                Sheet(sheet.name, workbook, looked[sheet.name])
                for sheet in workbook.sheets_metadata
                if sheet.typ == SheetTypeEnum.WorkSheet and sheet.visible == SheetVisibleEnum.Visible
            )
            yield Workbook(sheets, is_csv=False)
    except (CalamineError, KeyError) as error:  # a sheet that the guard has not seen
        raise xlsx_guard.broken() from error


def _encoding(path: Path) -> str:
    """UTF-8 or, as Excel writes it in China, GB 18030; UTF-16 where the file says so."""
    with path.open("rb") as file:
        start = file.read(4)
        if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return "utf-16"
        for encoding in ("utf-8-sig", "gb18030"):
            file.seek(0)
            decoder = codecs.getincrementaldecoder(encoding)()
            try:
                while chunk := file.read(CHUNK):
                    if b"\0" in chunk:
                        raise _unknown_encoding()
                    decoder.decode(chunk)
                decoder.decode(b"", final=True)
            except UnicodeDecodeError:
                continue
            return encoding
    raise _unknown_encoding()


def _unknown_encoding() -> BrokenSheet:
    return BrokenSheet("文件编码无法识别；请另存为 UTF-8 的 CSV。", "Unknown encoding; save it as CSV in UTF-8.")


def _broken_csv(line: int, why: str) -> BrokenSheet:
    return BrokenSheet(f"CSV 第 {line} 行有误，无法读取（{why}）。", f"The CSV cannot be read at line {line} ({why}).")
