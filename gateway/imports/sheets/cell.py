"""A cell: what may stand in it, and whether it is empty."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import Enum


class Blemish(Enum):
    """Why a cell that looks empty is not."""

    ERROR = ("公式结果为错误值", "The formula's result is an error")
    UNCALCULATED = (
        "公式没有保存计算结果，请用 Excel 打开并保存后再上传",
        "The formula was never calculated; save it in Excel",
    )
    MERGED = ("合并单元格，请取消合并并逐行填写", "A merged cell; split it and fill in every row")

    @property
    def zh(self) -> str:
        return self.value[0]

    @property
    def en(self) -> str:
        return self.value[1]


@dataclass(frozen=True, slots=True)
class Blemished:
    """A cell whose value is not to be had; `shown` is what the clerk sees there."""

    why: Blemish
    shown: str = ""


Cell = str | int | float | bool | date | datetime | time | timedelta | Blemished

BLANKS = " \t\r\n\v\f\u00a0\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u200b\u202f\u3000\ufeff"
_NARROW = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: 0x20, 0xFFE5: 0xA5}


def narrow(text: str) -> str:
    """The text with ordinary letters, digits and signs for full-width ones."""
    return text if text.isascii() else text.translate(_NARROW)


def stripped(cell: Cell) -> Cell:
    """The cell without the blanks around its text; an empty one is ''."""
    return cell.strip(BLANKS) if isinstance(cell, str) else cell


def is_blank(cell: Cell) -> bool:
    return stripped(cell) == ""


def shown(cell: Cell) -> str:
    """The cell as a message quotes it, shortened."""
    text = cell.shown if isinstance(cell, Blemished) else str(cell).strip(BLANKS)
    return text if len(text) <= 30 else f"{text[:29]}…"
