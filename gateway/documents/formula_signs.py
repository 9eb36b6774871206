"""Formula signs: texts that a spreadsheet would calculate, escaped in CSV files and read back as they were.

A workbook marks its texts as texts and needs no escape. A CSV file cannot: Excel calculates what it finds there.
"""

from __future__ import annotations

SIGNS = tuple("=+-@\t\r\n＝＋－＠")
"""Beginnings of a formula; Chinese Excel takes the full-width signs for it too."""


def escape(text: str) -> str:
    """Put an apostrophe before a text that a spreadsheet would calculate, or that `unescape` would shorten."""
    return f"'{text}" if _begins_formula(text) else text


def unescape(text: str) -> str:
    """Take away the apostrophe that `escape`, or a clerk in Excel, has put before a text."""
    return text[1:] if text.startswith("'") and _begins_formula(text) else text


def _begins_formula(text: str) -> bool:
    return text.lstrip("'").startswith(SIGNS)
