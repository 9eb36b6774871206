"""CSV by RFC 4180, in UTF-8 with the byte order mark that Excel needs; no cell of it begins a formula."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from hashlib import sha256
from typing import IO, Any

from gateway.documents.formula_signs import escape
from gateway.documents.table import Cell, ExportData, Table, text

BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class _EncodedLine:
    """A file for `csv.writer` that returns each line encoded instead of keeping it."""

    def write(self, line: str) -> bytes:
        return line.encode()


_writer: Any = csv.writer(_EncodedLine(), lineterminator="\r\n")


def write(file: IO[bytes], data: ExportData) -> bytes:
    """Write the whole table; return the SHA-256 of its rows, heads left out."""
    table, digest = Table(data), sha256()
    file.write(BYTE_ORDER_MARK + line(table.heads))
    for cells in table:
        row = line(cells)
        digest.update(row)
        file.write(row)
    return digest.digest()


def line(cells: Sequence[Cell]) -> bytes:
    """Write one row, as it is digested in every kind of file too."""
    encoded: bytes = _writer.writerow([_escaped(cell) for cell in cells])
    return encoded


def _escaped(cell: Cell) -> str:
    """Escape a text that a spreadsheet would calculate; a number stays a number."""
    return escape(cell) if isinstance(cell, str) else text(cell)
