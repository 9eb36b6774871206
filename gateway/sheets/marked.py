"""Marked: the clerk's own sheet given back with what is wrong beside each row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from gateway.sheets.columns import Column
from gateway.sheets.wrong import Wrong


def marked(
    path: Path, filename: str, columns: Sequence[Column], errors: Mapping[int, Sequence[Wrong]], out: Path
) -> None:
    """Write the same cells to `out` with a column 错误 that says by row what is wrong; CSV for CSV, XLSX for XLSX."""
    raise NotImplementedError
