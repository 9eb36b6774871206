"""Guard: an XLSX looked through before anybody parses it.

A small file can unpack to gigabytes, and two cells far apart make a parser fill all that lies between. The guard also
sees what the parser keeps to itself: cells whose formula failed or was never calculated come out of it as empty.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path

from gateway.imports.sheets.cell import Blemish, Blemished
from gateway.imports.sheets.errors import BrokenSheet, CellError, column_number

MANY_ROWS = 200_000
AROUND_THE_DATA = 1_000  # rows of titles, totals and notes
MANY_COLUMNS = 200
LARGEST_AREA = 4_000_000  # cells of one sheet, empty ones between others included
MANY_BLEMISHES = 10_000

PARTS = 1_000
UNPACKED = 256 * 2**20  # bytes: 200,000 rows of a dozen columns
UNPACKED_PART = 64 * 2**20  # bytes, of what is no sheet: its texts are kept for as long as the sheet is read
CHUNK = 2**20
SHARED_TEXTS = "sharedstrings.xml"
NOT_OF_A_SHEET = (b"<!--", b"<![CDATA[")  # nobody writes these, and what they hide the parser would see
ERRORS = ("#DIV/0!", "#N/A", "#NAME?", "#NULL!", "#NUM!", "#REF!", "#VALUE!")
LONGEST_CELL = 2**20  # bytes; Excel writes at most 32,767 characters

_CELL = rb"<(?:\w+:)?c(?=[\s/>])"
_ATTRIBUTES = rb'(?:\s+[\w:]+="[^"<>]*")*\s*'
_STRANGE = re.compile(
    _CELL + rb"(?!" + _ATTRIBUTES + rb'/>)(?!(?=[^>]*\sr="[A-Z]{1,3}[0-9]{1,7}")' + _ATTRIBUTES + rb">)"
)
_FILLED = re.compile(rb'<(?:\w+:)?c\s(?:[^>]*?\s)?r="([A-Z]{1,3})([0-9]{1,7})"[^>]*(?<!/)>')
# Nowhere may two runs of blanks meet: dividing them in every way takes hours. Possessive ones are wrong before 3.11.5.
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
class Looked:
    """How far a sheet reaches, and its cells that the parser will call empty, by address."""

    rows: int = 0
    columns: int = 0
    blemished: dict[str, Blemished] = field(default_factory=dict)


def look_through(path: Path) -> dict[str, Looked]:
    """What is in each sheet, by its name; raises `BrokenSheet` where the file should not be parsed."""
    try:
        with zipfile.ZipFile(path) as archive:
            _weigh(archive)
            workbook = archive.read("xl/workbook.xml").decode()
            relations = archive.read("xl/_rels/workbook.xml.rels").decode()
            sheets = {name: part.lower() for name, part in _sheets(workbook, relations)}
            others = [info for info in archive.infolist() if info.filename.lower() not in sheets.values()]
            shared = [length for info in others for length in _through(archive, info)]
            parts = {
                info.filename.lower(): _look(archive, info, shared)
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
    return {name: parts[part] for name, part in sheets.items() if part in parts}


def broken() -> BrokenSheet:
    return BrokenSheet(
        "文件已损坏，或不是 XLSX 工作簿；请用 Excel 或 WPS 另存为 .xlsx 后重新上传。",
        "The file is damaged or no XLSX workbook; save it as .xlsx and upload it again.",
    )


def too_large() -> BrokenSheet:
    return BrokenSheet(
        f"表格过大：至多 {MANY_ROWS:,} 行、{MANY_COLUMNS} 列、{LARGEST_AREA:,} 格。",
        f"The sheet is too large: at most {MANY_ROWS:,} rows, {MANY_COLUMNS} columns and {LARGEST_AREA:,} cells.",
    )


def _weigh(archive: zipfile.ZipFile) -> None:
    parts = archive.infolist()
    names = [info.filename.lower() for info in parts]
    if len(parts) > PARTS or sum(info.file_size for info in parts) > UNPACKED:
        raise too_large()
    if any(info.file_size > UNPACKED_PART and "/worksheets/" not in info.filename for info in parts):
        raise too_large()
    if len(set(names)) < len(names) or {"xl/workbook.bin", "content.xml"} & set(names):
        raise broken()


def _through(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> list[int]:
    """How long each text is that cells share; none in a part that holds none of these.

    Read to the end, so that a part that is longer than it says is noticed.
    """
    lengths: list[int] = []
    rest = b""
    is_shared = info.filename.lower().endswith(SHARED_TEXTS)
    with archive.open(info) as part:
        while chunk := part.read(CHUNK):
            if is_shared:
                *texts, rest = _END_OF_SHARED.split(rest + chunk)
                lengths += map(len, texts)
    return lengths


def _look(archive: zipfile.ZipFile, info: zipfile.ZipInfo, shared: Sequence[int]) -> Looked:
    """Read to the end, too; every cell has its own copy of a text that it shares."""
    looked, texts = Looked(), 0
    for piece in _pieces(archive, info):
        if _STRANGE.search(piece) or any(sign in piece for sign in NOT_OF_A_SHEET):
            raise broken()
        texts += sum(shared[int(place)] for place in _SHARED.findall(piece) if int(place) < len(shared))
        filled = _FILLED.findall(piece)
        looked.rows = max([looked.rows, *map(int, {row for _, row in filled})])
        looked.columns = max(
            [looked.columns, *(column_number(name.decode()) + 1 for name in {one for one, _ in filled})]
        )
        looked.blemished.update(_blemishes(piece))
        if (
            looked.rows > MANY_ROWS + AROUND_THE_DATA
            or looked.columns > MANY_COLUMNS
            or looked.rows * looked.columns > LARGEST_AREA
            or len(looked.blemished) > MANY_BLEMISHES
            or texts > UNPACKED
        ):
            raise too_large()
    return looked


def _blemishes(piece: bytes) -> Iterator[tuple[str, Blemished]]:
    if b't="e"' in piece:
        for cell, shown in _FAILED.findall(piece):
            text = unescape(shown.decode(errors="replace"))
            if text not in ERRORS:  # the parser would refuse the file and name no cell
                raise _unknown_error(cell.decode(), text)
            yield cell.decode(), Blemished(Blemish.ERROR, text)
    if b"f>" in piece or b"<f" in piece:
        for cell, attributes, result in _UNCALCULATED.findall(piece):
            is_empty_text = result and b't="str"' in attributes
            if not is_empty_text:
                yield cell.decode(), Blemished(Blemish.UNCALCULATED)


def _unknown_error(cell: str, shown: str) -> BrokenSheet:
    zh, en = f"公式结果为错误值 {shown}，请改正后重新上传", f"The formula's result is {shown}; mend it"
    return BrokenSheet(f"{cell}：{zh}。", f"{cell}: {en}.", wrongs=[CellError(cell, "", zh, en)])


def _pieces(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Iterator[bytes]:
    """The part in pieces, none of which ends within a cell."""
    rest = b""
    with archive.open(info) as part:
        while chunk := part.read(CHUNK):
            piece = rest + chunk
            end = _last_cell(piece)
            yield piece[:end]
            rest = piece[end:]
            if len(rest) > LONGEST_CELL:
                raise broken()
    yield rest


def _last_cell(piece: bytes) -> int:
    """Where the last cell begins, which may go on; in a piece without cells, where its last tag does."""
    last = max(piece.rfind(b"<c "), piece.rfind(b":c "))
    if piece.rfind(b"sheetData>") > last:  # no cell comes any more
        last = -1
    return piece.rfind(b"<", 0, last + 1) if last >= 0 else max(piece.rfind(b"<"), len(piece) - LONGEST_CELL, 0)


def _sheets(workbook: str, relations: str) -> Iterator[tuple[str, str]]:
    """The name of each sheet and the part of the file that it is."""
    targets = {_attribute(tag, "Id"): _attribute(tag, "Target") for tag in _RELATION.findall(relations)}
    for tag in _SHEET.findall(workbook):
        target = targets.get(_attribute(tag, r"\w+:id"), "")
        yield _attribute(tag, "name"), target.removeprefix("/") if target.startswith("/") else f"xl/{target}"


def _attribute(tag: str, name: str) -> str:
    found = re.search(rf'\s{name}="([^"]*)"', tag)
    return unescape(found.group(1)) if found else ""
