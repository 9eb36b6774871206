"""A cell: the values that it may have, and whether it is empty."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import Enum

from services.kernel.text import without_invisible


class CellFault(Enum):
    """Why a cell that looks empty is not."""

    ERROR = ("公式结果为错误值", "The formula's result is an error")
    UNCALCULATED = (
        "公式没有保存计算结果，请用 Excel 打开并保存后再上传",
        "The formula was never calculated; save it in Excel",
    )
    MERGED = ("合并单元格，请取消合并并逐行填写", "A merged cell; split it and fill in every row")

    @property
    def zh(self) -> str:
        """The reason in Chinese."""
        return self.value[0]

    @property
    def en(self) -> str:
        """The reason in English."""
        return self.value[1]


@dataclass(frozen=True, slots=True)
class FaultyCell:
    """A cell whose value cannot be read; `shown` is what the clerk sees there."""

    fault: CellFault
    shown: str = ""


class FormattedNumber(float):
    """A number that the sheet shows in other characters than its digits: 00042, 5%, 1,234."""


Cell = str | int | float | bool | date | datetime | time | timedelta | FaultyCell

BLANKS = " \t\r\n\v\f\u00a0\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u200b\u202f\u3000\ufeff"
_NARROW = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: 0x20, 0xFFE5: 0xA5}


def narrow(text: str) -> str:
    """Replace full-width letters, digits and signs by ordinary ones."""
    return text if text.isascii() else text.translate(_NARROW)


def stripped(cell: Cell) -> Cell:
    """Remove the blanks around a cell's text, and what nobody can see of it; an empty cell is ''."""
    return without_invisible(cell).strip(BLANKS) if isinstance(cell, str) else cell


def is_blank(cell: Cell) -> bool:
    """Tell whether a cell has no text but blanks."""
    return stripped(cell) == ""


def shown(cell: Cell) -> str:
    """Shorten a cell for a message that quotes it."""
    text = cell.shown if isinstance(cell, FaultyCell) else str(cell).strip(BLANKS)
    return text if len(text) <= 30 else f"{text[:29]}…"
