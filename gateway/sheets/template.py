"""Template: an empty workbook for one command, with the words, the lists and an explanation of each column."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.sheets.columns import Column


def template(columns: Sequence[Column], title: str) -> bytes:
    """An XLSX whose header is recognised again by its words, whatever order the columns are in."""
    raise NotImplementedError
