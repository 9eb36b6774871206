"""Guard: inspects an XLSX before it is parsed.

A small file can unpack to gigabytes, and two cells far apart make a parser fill the space between them. The guard also
sees what the parser hides: cells whose formula failed or was never calculated are empty for the parser, rows and
columns that the sheet does not show are like all others, and a number has lost the format in which the sheet shows it.

It reads the markup as a stream. What the parser might understand otherwise is refused: other encodings, declarations
of a document's type, comments, and cells that do not say where they are.
"""

from __future__ import annotations

import codecs
import re
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from xml.parsers import expat

from gateway.imports.sheets.cell import CellFault, FaultyCell
from gateway.imports.sheets.errors import BrokenSheet, CellError, column_number

MANY_ROWS = 200_000
AROUND_THE_DATA = 1_000  # rows of titles, totals and notes
MANY_COLUMNS = 200
LARGEST_AREA = 4_000_000  # cells of one sheet, empty ones between others included
MANY_FAULTS = 10_000
MANY_SHEETS = 100  # each is looked at for the header, also where many are the same part

PARTS = 1_000
UNPACKED = 256 * 2**20  # bytes: 200,000 rows of a dozen columns
UNPACKED_PART = 64 * 2**20  # bytes, of a part that is no sheet: its texts are kept for as long as the sheet is read
CHUNK = 2**20
SHARED_TEXTS = "sharedstrings.xml"
STYLES = "xl/styles.xml"
ERRORS = ("#DIV/0!", "#N/A", "#NAME?", "#NULL!", "#NUM!", "#REF!", "#VALUE!")
DEEPEST = 100  # elements within one another; a sheet has eight
LONGEST_CELL = 2**20  # bytes; Excel writes at most 32,767 characters

OTHER_ENCODINGS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
ADDRESS = re.compile(r"([A-Z]{1,3})([0-9]{1,7})")
TRUE = ("1", "true")
PLAIN_FORMATS = ("general", "@", "0", "#")  # that show a whole number as its digits
BUILT_IN_PLAIN = ("0", "1", "49")  # the same by number, but for # which has none
_PADDING = re.compile(r"_.|\[(?:red|black|blue|green|cyan|magenta|white|yellow|color ?[0-9]+)\]", re.IGNORECASE)


@dataclass
class SheetExtent:
    """The rows and columns that a sheet reaches to, and what the parser does not tell of its cells.

    Rows are numbered from 1, columns from 0. `faults` are cells that the parser takes for empty, by address. Columns in
    `formatted` have a byte for each row: 1 where the sheet shows the number in other characters than its digits.
    """

    rows: int = 0
    columns: int = 0
    faults: dict[str, FaultyCell] = field(default_factory=dict)
    hidden_rows: set[int] = field(default_factory=set)
    hidden_columns: set[int] = field(default_factory=set)
    formatted: dict[int, bytearray] = field(default_factory=dict)
    _known: dict[str, int] = field(default_factory=dict)  # columns by their letters

    def include(self, letters: str, row: int) -> int:
        """Extend it to a cell, and return the cell's column."""
        self.rows = max(self.rows, row)
        column = self._known.get(letters)
        if column is None:
            column = self._known[letters] = column_number(letters)
            self.columns = max(self.columns, column + 1)
        return column

    def note_formatted(self, column: int, row: int) -> None:
        """Note a number that the sheet shows in other characters."""
        rows = self.formatted.setdefault(column, bytearray())
        if row < MANY_ROWS + AROUND_THE_DATA:
            rows.extend(bytes(max(0, row + 1 - len(rows))))
            rows[row] = 1

    def is_formatted(self, column: int, row: int) -> bool:
        """Return whether the sheet shows a number there in other characters."""
        rows = self.formatted.get(column, b"")
        return row < len(rows) and rows[row] == 1

    @property
    def is_too_large(self) -> bool:
        """True where a parser should not fill it."""
        return (
            self.rows > MANY_ROWS + AROUND_THE_DATA
            or self.columns > MANY_COLUMNS
            or self.rows * self.columns > LARGEST_AREA
            or len(self.faults) > MANY_FAULTS
        )


def inspect(path: Path) -> dict[str, SheetExtent]:
    """Inspect each sheet by its name; raises `BrokenSheet` where the file should not be parsed."""
    try:
        with zipfile.ZipFile(path) as archive:
            _check_sizes(archive)
            workbook = _Workbook()
            for part in ("xl/workbook.xml", "xl/_rels/workbook.xml.rels"):
                _parse(archive, archive.getinfo(part), workbook)
            if workbook.has_too_many_sheets:
                raise too_large()
            sheets = {name: part.lower() for name, part in workbook.sheets()}
            others = [info for info in archive.infolist() if info.filename.lower() not in sheets.values()]
            shared = [length for info in others for length in _shared_lengths(archive, info)]
            styles = _styles(archive)
            extents = {
                info.filename.lower(): _extent(archive, info, shared, styles)
                for info in archive.infolist()
                if info.filename.lower() in sheets.values()
            }
    except (zipfile.BadZipFile, zlib.error, KeyError, ValueError, EOFError, NotImplementedError, RuntimeError):
        raise broken() from None

    if workbook.is_from_1904:
        raise BrokenSheet(
            "工作簿使用 1904 日期系统，日期会差四年，请改为 1900 日期系统后另存。",
            "The workbook counts days from 1904; switch that off and save it again.",
        )
    return {name: extents[part] for name, part in sheets.items() if part in extents}


def broken() -> BrokenSheet:
    """Make the error for a file that is damaged, or no workbook."""
    return BrokenSheet(
        "文件已损坏，或不是 XLSX 工作簿；请用 Excel 或 WPS 另存为 .xlsx 后重新上传。",
        "The file is damaged or no XLSX workbook; save it as .xlsx and upload it again.",
    )


def too_large() -> BrokenSheet:
    """Make the error for a file that is too large to be parsed."""
    return BrokenSheet(
        f"表格过大：至多 {MANY_ROWS:,} 行、{MANY_COLUMNS} 列、{LARGEST_AREA:,} 格，工作簿至多 {MANY_SHEETS} 张表。",
        f"The sheet is too large: at most {MANY_ROWS:,} rows, {MANY_COLUMNS} columns and {LARGEST_AREA:,} cells, in a "
        f"workbook of at most {MANY_SHEETS} sheets.",
    )


def _check_sizes(archive: zipfile.ZipFile) -> None:
    """Raise where the archive says that it is too large, or has parts that an XLSX never has."""
    parts = archive.infolist()
    names = [info.filename.lower() for info in parts]
    if len(parts) > PARTS or sum(info.file_size for info in parts) > UNPACKED:
        raise too_large()
    if any(info.file_size > UNPACKED_PART and "/worksheets/" not in info.filename for info in parts):
        raise too_large()
    if len(set(names)) < len(names) or {"xl/workbook.bin", "content.xml"} & set(names):
        raise broken()
    if any(info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for info in parts):
        raise broken()


def _shared_lengths(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> list[int]:
    """The length of each text that cells share; none in a part that holds none of these.

    Reads the part to its end, so that one that is longer than it says is noticed.
    """
    if not info.filename.lower().endswith(SHARED_TEXTS):
        with archive.open(info) as part:
            while part.read(CHUNK):
                pass
        return []
    texts = _SharedTexts()
    _parse(archive, info, texts)
    return texts.lengths


def _styles(archive: zipfile.ZipFile) -> Sequence[bool]:
    """For each style of cells, whether it shows a number as its digits alone; none where the workbook has no styles."""
    styles = _Styles()
    for info in archive.infolist():
        if info.filename.lower() == STYLES:
            _parse(archive, info, styles)
    return styles.are_plain()


def _extent(
    archive: zipfile.ZipFile, info: zipfile.ZipInfo, shared: Sequence[int], styles: Sequence[bool]
) -> SheetExtent:
    """The extent of a sheet, read to its end; each cell counts with its own copy of a text that it shares."""
    cells = _Cells(shared, styles)
    _parse(archive, info, cells)
    return cells.extent


# --- markup -----------------------------------------------------------------------------------------------------------


class _Handler:
    """Hears the elements of a part by their local names."""

    at = 0  # the byte at which the element begins or ends

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """An element begins."""

    def end(self, name: str) -> None:
        """An element ends."""

    def text(self, data: str) -> None:
        """A piece of text."""

    def check(self) -> None:
        """Raise where it is too much; called from time to time."""


def _parse(archive: zipfile.ZipFile, info: zipfile.ZipInfo, handler: _Handler) -> None:
    """Read a part as a stream; raises `BrokenSheet` where it is no markup that every parser understands alike."""
    parser = expat.ParserCreate()
    parser.buffer_text = True
    depth = 0

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > DEEPEST:
            raise broken()
        handler.at = parser.CurrentByteIndex
        handler.start(name.rpartition(":")[2], attributes)

    def end(name: str) -> None:
        nonlocal depth
        depth -= 1
        handler.at = parser.CurrentByteIndex
        handler.end(name.rpartition(":")[2])

    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler = handler.text
    parser.XmlDeclHandler = _check_encoding
    parser.StartDoctypeDeclHandler = parser.CommentHandler = parser.StartCdataSectionHandler = _refuse
    with archive.open(info) as part:
        chunk = part.read(CHUNK)
        if chunk.startswith(OTHER_ENCODINGS):
            raise broken()
        try:
            while chunk:
                parser.Parse(chunk)
                handler.check()
                chunk = part.read(CHUNK)
            parser.Parse(b"", True)
        except expat.ExpatError:
            raise broken() from None


def _refuse(*_: object) -> None:
    """No program writes these into a workbook, and they could hide cells."""
    raise broken()


def _check_encoding(_version: str, encoding: str | None, _standalone: int) -> None:
    if encoding is not None and encoding.lower() != "utf-8":
        raise broken()


class _Workbook(_Handler):
    """The sheets of a workbook and the parts that hold them, of the two parts that tell it."""

    def __init__(self) -> None:
        self.is_from_1904 = False
        self._names: list[tuple[str, str]] = []
        self._targets: dict[str, str] = {}

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "sheet":
            ids = [value for key, value in attributes.items() if key.endswith(":id")]
            self._names.append((attributes.get("name", ""), ids[0] if ids else ""))
        elif name == "Relationship":
            self._targets[attributes.get("Id", "")] = attributes.get("Target", "")
        elif name == "workbookPr":
            self.is_from_1904 |= attributes.get("date1904") in TRUE

    @property
    def has_too_many_sheets(self) -> bool:
        """True where more sheets are named than anybody fills in."""
        return len(self._names) > MANY_SHEETS

    def sheets(self) -> Iterator[tuple[str, str]]:
        """Yield the name of each sheet, and the part of the file that holds it."""
        for name, id_ in self._names:
            target = self._targets.get(id_, "")
            yield name, target.removeprefix("/") if target.startswith("/") else f"xl/{target}"


class _SharedTexts(_Handler):
    """The length of each text that cells share, in bytes with its markup."""

    def __init__(self) -> None:
        self.lengths: list[int] = []
        self._began = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:  # noqa: ARG002
        if name == "si":
            self._began = self.at

    def end(self, name: str) -> None:
        if name == "si":
            self.lengths.append(self.at - self._began)


class _Styles(_Handler):
    """The formats of numbers, and the styles of cells, each of which has one."""

    def __init__(self) -> None:
        self._formats: dict[str, str] = {}
        self._used: list[str] = []
        self._are_of_cells = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "numFmt":
            self._formats[attributes.get("numFmtId", "")] = attributes.get("formatCode", "")
        elif name == "cellXfs":
            self._are_of_cells = True
        elif name == "xf" and self._are_of_cells:
            self._used.append(attributes.get("numFmtId", "0"))

    def end(self, name: str) -> None:
        if name == "cellXfs":
            self._are_of_cells = False

    def are_plain(self) -> list[bool]:
        """For each style, whether it shows a whole number as its digits alone."""
        return [self._is_plain(number) for number in self._used]

    def _is_plain(self, number: str) -> bool:
        if number not in self._formats:
            return number in BUILT_IN_PLAIN
        of_positive = self._formats[number].partition(";")[0]
        return _PADDING.sub("", of_positive).strip().lower() in PLAIN_FORMATS


class _Cells(_Handler):
    """The cells of a sheet, of which a styled one without a value is none."""

    def __init__(self, shared: Sequence[int], styles: Sequence[bool]) -> None:
        self.extent = SheetExtent()
        self._shared, self._unpacked = shared, 0
        self._formatting = {str(number) for number, is_plain in enumerate(styles) if not is_plain}
        self._is_row_hidden = False
        self._cell: dict[str, str] = {}
        self._began = 0
        self._has_formula = self._has_value = self._is_filled = False
        self._is_value = self._is_within = False
        self._value = ""

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "c":
            if self._is_within:  # one of the two would not be seen
                raise broken()
            self._is_within = True
            self._cell, self._began = attributes, self.at
            self._has_formula = self._has_value = self._is_filled = False
            self._value = ""
            return
        self._is_filled = True
        if name == "v":
            self._is_value = self._has_value = True
            self._value = ""
        elif name == "f":
            self._has_formula = True
        elif name == "row":
            self._is_row_hidden = _is_hidden(attributes, "ht")
        elif name == "col" and _is_hidden(attributes, "width"):
            first, last = int(attributes["min"]), min(int(attributes["max"]), MANY_COLUMNS)
            self.extent.hidden_columns.update(range(first - 1, last))

    def text(self, data: str) -> None:
        if self._is_value:
            self._value += data

    def end(self, name: str) -> None:
        if name == "v":
            self._is_value = False
        elif name == "c":
            self._is_within = False
            if self._is_filled:
                self._note()

    def check(self) -> None:
        if self.extent.is_too_large or self._unpacked > UNPACKED:
            raise too_large()

    def _note(self) -> None:
        """Note a cell that has something in it."""
        place = ADDRESS.fullmatch(self._cell.get("r", ""))
        if place is None or self.at - self._began > LONGEST_CELL:
            raise broken()
        letters, row = place[1], int(place[2])
        column = self.extent.include(letters, row)
        if self._is_row_hidden:
            self.extent.hidden_rows.add(row)
        holds, value = self._cell.get("t"), self._value.strip()
        if self._cell.get("s") in self._formatting and holds in (None, "n"):
            self.extent.note_formatted(column, row)
        if holds == "s" and value.isdecimal() and int(value) < len(self._shared):
            self._unpacked += self._shared[int(value)]
        elif holds == "e" and value:
            self._note_error(place.group(), value)
        elif self._has_formula and not value and not (self._has_value and holds == "str"):
            self.extent.faults[place.group()] = FaultyCell(CellFault.UNCALCULATED)

    def _note_error(self, cell: str, shown: str) -> None:
        """Raise where the parser does not know the error, and would name no cell."""
        if shown not in ERRORS:
            raise _unknown_error(cell, shown)
        self.extent.faults[cell] = FaultyCell(CellFault.ERROR, shown)


def _is_hidden(attributes: dict[str, str], size: str) -> bool:
    """True for a row or column that is hidden, filtered away, folded away, or of no size."""
    return attributes.get("hidden") in TRUE or float(attributes.get(size, 1)) == 0


def _unknown_error(cell: str, shown: str) -> BrokenSheet:
    zh, en = f"公式结果为错误值 {shown}，请改正后重新上传", f"The formula's result is {shown}; mend it"
    return BrokenSheet(f"{cell}：{zh}。", f"{cell}: {en}.", wrongs=[CellError(cell, "", zh, en)])
