"""Quantities as clerks write them: 1,234 and 3.5万人次 and ￥12,000.50; inexact ones are refused."""

from __future__ import annotations

import re
from decimal import Decimal
from math import isfinite

from gateway.imports.sheets.cell import BLANKS, Cell, narrow, shown
from services.contract.glossary import Word

SCALES = {"百": 10**2, "千": 10**3, "万": 10**4, "百万": 10**6, "千万": 10**7, "亿": 10**8}
DIGITS = 15  # that Excel keeps of a number, and shows
LONGEST = 40

_NUMBER = re.compile(r"([+-]?)([0-9]+|[0-9]{1,3}(?:,[0-9]{3})+)(?:\.([0-9]+))?\s*(百万|千万|百|千|万|亿)?")
_VAGUE = re.compile(r"约|近|余|多|几|数|左右|上下|大概|以上|以下|不足|不到|超过?|\+$|[~≈>≥<≤±]")


class InvalidCell(Exception):
    """A cell that is wrong, or that can be understood in more than one way."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(en)
        self.zh, self.en = zh, en


def number(cell: Cell, unit: Word | None) -> Decimal:
    """Read the exact number in a cell, as Excel shows it; raises `InvalidCell`."""
    if isinstance(cell, str):
        return _written(cell, unit)
    if isinstance(cell, bool) or not isinstance(cell, int | float) or not isfinite(cell):
        raise _invalid(cell)
    return Decimal(cell) if isinstance(cell, int) else Decimal(format(cell, f".{DIGITS}g"))


def _written(cell: str, unit: Word | None) -> Decimal:
    text = _without_unit(narrow(cell).strip(BLANKS), unit)
    match = _NUMBER.fullmatch(text) if len(text) <= LONGEST else None
    if match is None:
        raise _invalid(cell)

    sign, whole, fraction, scale = match.groups()
    if fraction and len(fraction) == 3 and not scale and len(whole) <= 3:
        raise InvalidCell(
            f"“{shown(cell)}”是千分位还是小数，无法确定", f"“{shown(cell)}” may be a thousand or a fraction"
        )
    return Decimal(f"{sign}{whole.replace(',', '')}.{fraction or 0}") * SCALES.get(scale, 1)


def _without_unit(text: str, unit: Word | None) -> str:
    if unit and unit.zh == "元":
        text = text.removeprefix("¥").lstrip(BLANKS)
    for word in sorted(unit.all, key=len, reverse=True) if unit else ():
        if text.casefold().endswith(word.casefold()):
            return text[: -len(word)].rstrip(BLANKS)
    return text


def _invalid(cell: Cell) -> InvalidCell:
    if isinstance(cell, str) and _VAGUE.search(narrow(cell)):
        return InvalidCell(f"“{shown(cell)}”不是确切的数", f"“{shown(cell)}” is not exact")
    return InvalidCell(f"“{shown(cell)}”不是数", f"“{shown(cell)}” is not a number")
