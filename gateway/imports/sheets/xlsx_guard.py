"""Guard: inspects an XLSX before it is parsed.

A small file can unpack to gigabytes, and two cells far apart make a parser fill the space between them. The guard also
sees what the parser hides: cells whose formula failed or was never calculated are empty for the parser.

It searches the bytes of a sheet with regular expressions. A streaming handler of `xml.parsers.expat` was measured: for
100,000 rows it takes 1.3 s instead of 0.9 s, and 2.0 s instead of 1.3 s where cells share their texts, as Excel writes
them. It also understands more than the parser does (entities in attributes, other encodings), so that both might see a
cell in different places; the expressions refuse every cell that does not say plainly where it is.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path

from gateway.imports.sheets.cell import CellFault, FaultyCell
from gateway.imports.sheets.errors import BrokenSheet, CellError, column_number

MANY_ROWS = 200_000
AROUND_THE_DATA = 1_000  # rows of titles, totals and notes
MANY_COLUMNS = 200
LARGEST_AREA = 4_000_000  # cells of one sheet, empty ones between others included
MANY_FAULTS = 10_000

PARTS = 1_000
UNPACKED = 256 * 2**20  # bytes: 200,000 rows of a dozen columns
UNPACKED_PART = 64 * 2**20  # bytes, of a part that is no sheet: its texts are kept for as long as the sheet is read
CHUNK = 2**20
SHARED_TEXTS = "sharedstrings.xml"
NOT_OF_A_SHEET = (b"<!--", b"<![CDATA[")  # no program writes these, and they could hide cells from the guard
ERRORS = ("#DIV/0!", "#N/A", "#NAME?", "#NULL!", "#NUM!", "#REF!", "#VALUE!")
LONGEST_CELL = 2**20  # bytes; Excel writes at most 32,767 characters

_CELL = rb"<(?:\w+:)?c(?=[\s/>])"
_ATTRIBUTES = rb'(?:\s+[\w:]+="[^"<>]*")*\s*'
_STRANGE = re.compile(
    _CELL + rb"(?!" + _ATTRIBUTES + rb'/>)(?!(?=[^>]*\sr="[A-Z]{1,3}[0-9]{1,7}")' + _ATTRIBUTES + rb">)"
)
_FILLED = re.compile(rb'<(?:\w+:)?c\s(?:[^>]*?\s)?r="([A-Z]{1,3})([0-9]{1,7})"[^>]*(?<!/)>')
# No two runs of blanks may meet: trying every way to divide them takes hours. Possessive ones are wrong before 3.11.5.
_FORMULA = rb"<(?:\w+:)?f(?:\s[^>]*)?(?:/>|>[^<]*</(?:\w+:)?f>)"
_FAILED = re.compile(
    _CELL + rb'(?=[^>]*\sr="([A-Z]{1,3}[0-9]{1,7})")(?=[^>]*\st="e")[^>]*(?<!/)>'
    rb"\s*(?:" + _FORMULA + rb"\s*)?<(?:\w+:)?v>([^<]{0,20})"
)
_UNCALCULATED = re.compile(
    _CELL + rb'(?=[^>]*\sr="([A-Z]{1,3}[0-9]{1,7})")([^>]*)(?<!/)>'
    rb"\s*" + _FORMULA + rb"\s*(?:(<(?:\w+:)?v\s*/>|<(?:\w+:)?v>\s*</(?:\w+:)?v>)\s*)?</(?:\w+:)?c>"
)
_SHARED = re.compile(_CELL + rb'(?=[^>]*\st="s")[^>]*(?<!/)>\s*<(?:\w+:)?v>\s*([0-9]{1,9})')
_END_OF_SHARED = re.compile(rb"</(?:\w+:)?si>|<(?:\w+:)?si/>")
_SHEET = re.compile(r"<(?:\w+:)?sheet\s[^>]*>")
_RELATION = re.compile(r"<(?:\w+:)?Relationship\s[^>]*>")
_FROM_1904 = re.compile(r'\sdate1904="(1|true)"')


@dataclass
class SheetExtent:
    """How far a sheet reaches, and its cells that the parser takes for empty, by address."""

    rows: int = 0
    columns: int = 0
    faults: dict[str, FaultyCell] = field(default_factory=dict)

    def include(self, piece: bytes) -> None:
        """Extend it by the cells in a piece of the sheet."""
        filled = _FILLED.findall(piece)
        self.rows = max([self.rows, *map(int, {row for _, row in filled})])
        letters = {column.decode() for column, _ in filled}
        self.columns = max([self.columns, *(column_number(column) + 1 for column in letters)])
        self.faults.update(_faults(piece))

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
            workbook = archive.read("xl/workbook.xml").decode()
            relations = archive.read("xl/_rels/workbook.xml.rels").decode()
            sheets = {name: part.lower() for name, part in _sheets(workbook, relations)}
            others = [info for info in archive.infolist() if info.filename.lower() not in sheets.values()]
            shared = [length for info in others for length in _shared_lengths(archive, info)]
            extents = {
                info.filename.lower(): _extent(archive, info, shared)
                for info in archive.infolist()
                if info.filename.lower() in sheets.values()
            }
    except (zipfile.BadZipFile, zlib.error, KeyError, ValueError, EOFError, NotImplementedError, RuntimeError):
        raise broken() from None

    if _FROM_1904.search(workbook):
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
        f"表格过大：至多 {MANY_ROWS:,} 行、{MANY_COLUMNS} 列、{LARGEST_AREA:,} 格。",
        f"The sheet is too large: at most {MANY_ROWS:,} rows, {MANY_COLUMNS} columns and {LARGEST_AREA:,} cells.",
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


def _shared_lengths(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> list[int]:
    """The length of each text that cells share; none in a part that holds none of these.

    Reads the part to its end, so that one that is longer than it says is noticed.
    """
    lengths: list[int] = []
    rest = b""
    is_shared = info.filename.lower().endswith(SHARED_TEXTS)
    with archive.open(info) as part:
        for chunk in iter(lambda: part.read(CHUNK), b""):
            *texts, rest = _END_OF_SHARED.split(rest + chunk) if is_shared else [b""]
            lengths += map(len, texts)
    return lengths


def _extent(archive: zipfile.ZipFile, info: zipfile.ZipInfo, shared: Sequence[int]) -> SheetExtent:
    """The extent of a sheet, read to its end; each cell counts with its own copy of a text that it shares."""
    extent, unpacked = SheetExtent(), 0
    for piece in _pieces(archive, info):
        if _STRANGE.search(piece) or any(sign in piece for sign in NOT_OF_A_SHEET):
            raise broken()
        unpacked += sum(shared[int(place)] for place in _SHARED.findall(piece) if int(place) < len(shared))
        extent.include(piece)
        if extent.is_too_large or unpacked > UNPACKED:
            raise too_large()
    return extent


def _faults(piece: bytes) -> Iterator[tuple[str, FaultyCell]]:
    if b't="e"' in piece:
        yield from _failed(piece)
    if b"f>" in piece or b"<f" in piece:
        yield from _uncalculated(piece)


def _failed(piece: bytes) -> Iterator[tuple[str, FaultyCell]]:
    """Cells whose formula failed; raises where the parser does not know the error, and would name no cell."""
    for cell, shown in _FAILED.findall(piece):
        text = unescape(shown.decode(errors="replace"))
        if text not in ERRORS:
            raise _unknown_error(cell.decode(), text)
        yield cell.decode(), FaultyCell(CellFault.ERROR, text)


def _uncalculated(piece: bytes) -> Iterator[tuple[str, FaultyCell]]:
    for cell, attributes, result in _UNCALCULATED.findall(piece):
        is_empty_text = result and b't="str"' in attributes
        if not is_empty_text:
            yield cell.decode(), FaultyCell(CellFault.UNCALCULATED)


def _unknown_error(cell: str, shown: str) -> BrokenSheet:
    zh, en = f"公式结果为错误值 {shown}，请改正后重新上传", f"The formula's result is {shown}; mend it"
    return BrokenSheet(f"{cell}：{zh}。", f"{cell}: {en}.", wrongs=[CellError(cell, "", zh, en)])


def _pieces(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Iterator[bytes]:
    """The part in pieces, none of which ends within a cell."""
    rest = b""
    with archive.open(info) as part:
        for chunk in iter(lambda: part.read(CHUNK), b""):
            piece = rest + chunk
            end = _last_cell(piece)
            yield piece[:end]
            rest = piece[end:]
            if len(rest) > LONGEST_CELL:
                raise broken()
    yield rest


def _last_cell(piece: bytes) -> int:
    """Where the last cell begins, which may be unfinished; in a piece without cells, where its last tag begins."""
    last = max(piece.rfind(b"<c "), piece.rfind(b":c "))
    if piece.rfind(b"sheetData>") > last:  # no cell comes any more
        last = -1
    return piece.rfind(b"<", 0, last + 1) if last >= 0 else max(piece.rfind(b"<"), len(piece) - LONGEST_CELL, 0)


def _sheets(workbook: str, relations: str) -> Iterator[tuple[str, str]]:
    """The name of each sheet, and the part of the file that holds it."""
    targets = {_attribute(tag, "Id"): _attribute(tag, "Target") for tag in _RELATION.findall(relations)}
    for tag in _SHEET.findall(workbook):
        target = targets.get(_attribute(tag, r"\w+:id"), "")
        yield _attribute(tag, "name"), target.removeprefix("/") if target.startswith("/") else f"xl/{target}"


def _attribute(tag: str, name: str) -> str:
    match = re.search(rf'\s{name}="([^"]*)"', tag)
    return unescape(match.group(1)) if match else ""
