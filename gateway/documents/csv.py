"""CSV as RFC 4180 has it, UTF-8 with a byte order mark, which Excel needs; no cell of it begins a formula."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from hashlib import sha256
from typing import IO, Any

from gateway.documents.table import Cell, Gathered, Table, text

MARK = b"\xef\xbb\xbf"
FORMULA = tuple("=+-@\t\r\n＝＋－＠")
"""What a spreadsheet may take for the beginning of a formula; the wide ones are taken for it in Chinese Excel."""


class _Line:
    """Takes what the writer writes and gives it back."""

    def write(self, line: str) -> bytes:
        return line.encode()


_writer: Any = csv.writer(_Line(), lineterminator="\r\n")


def write(file: IO[bytes], gathered: Gathered) -> bytes:
    """Write the whole table; the digest of its rows."""
    table, digest = Table(gathered), sha256()
    file.write(MARK + line(table.heads))
    for cells in table:
        row = line(cells)
        digest.update(row)
        file.write(row)
    return digest.digest()


def line(cells: Sequence[Cell]) -> bytes:
    """A row as it stands in the file, and as it is digested in every kind of file."""
    said: bytes = _writer.writerow([_harmless(cell) for cell in cells])
    return said


def _harmless(cell: Cell) -> str:
    """With an apostrophe before a text that a spreadsheet would calculate; a number stays a number."""
    said = text(cell)
    return f"'{said}" if isinstance(cell, str) and said.startswith(FORMULA) else said
