"""Days as clerks write them: 2011年3月12日, 2011.3.12, 2011/3/12; ambiguous ones are refused."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from functools import lru_cache

from gateway.imports.sheets.cell import BLANKS, Cell, narrow, shown
from gateway.imports.sheets.numbers import InvalidCell

BEFORE_DAY_ONE = date(1899, 12, 30)  # of Excel's count of days, from 1 March 1900 on
SERIALS = range(20_000, 73_051)  # 1954 to 2099

_YEAR_FIRST = re.compile(r"([0-9]{4})(?:年([0-9]{1,2})月([0-9]{1,2})[日号]?|([-./–])([0-9]{1,2})\4([0-9]{1,2}))")
_TOGETHER = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})")
_MIDNIGHT = re.compile(r"[ T]0?0:00(:00(\.0+)?)?$")
_YEAR_LAST = re.compile(r"[0-9]{1,2}[-./–][0-9]{1,2}[-./–][0-9]{4}")
_SHORT_YEAR = re.compile(r"[0-9]{2}(年|[-./–])[0-9]{1,2}(月|[-./–])[0-9]{1,2}[日号]?")
_NO_YEAR = re.compile(r"[0-9]{1,2}(月|[-./–])[0-9]{1,2}[日号]?")


def day(cell: Cell) -> date:
    """Read the one day that a cell can mean; raises `InvalidCell`."""
    if isinstance(cell, datetime):
        if cell.time() != time():
            raise InvalidCell(f"“{shown(cell)}”含有时刻，只填日期", f"“{shown(cell)}” has a time of day; a day only")
        return cell.date()
    if isinstance(cell, date):
        return cell
    if isinstance(cell, str):
        return _written(cell)
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        return _counted(cell)
    raise _not_a_day(cell)


@lru_cache(maxsize=4096)
def _written(cell: str) -> date:
    text = _MIDNIGHT.sub("", narrow(cell).strip(BLANKS))
    match = _YEAR_FIRST.fullmatch(text) or _TOGETHER.fullmatch(text)
    if match is None:
        raise _invalid(cell, text)
    return _date(cell, *(int(part) for part in match.groups() if part and part.isdigit()))


def _counted(cell: float) -> date:
    """Read Excel's own number of a day, or a number like 20110312."""
    if SERIALS.start <= cell < SERIALS.stop and cell == int(cell):  # `in` would walk through them for a float
        return BEFORE_DAY_ONE + timedelta(days=int(cell))
    together = _TOGETHER.fullmatch(format(cell, ".15g"))
    if together is None:
        raise _not_a_day(cell)
    return _date(cell, *map(int, together.groups()))


def _date(cell: Cell, year: int, month: int, of_month: int) -> date:
    try:
        return date(year, month, of_month)
    except ValueError:
        raise InvalidCell(f"没有“{shown(cell)}”这一天", f"There is no day “{shown(cell)}”") from None


def _invalid(cell: str, text: str) -> InvalidCell:
    quoted = shown(cell)
    if _YEAR_LAST.fullmatch(text):
        return InvalidCell(
            f"“{quoted}”何为月、何为日，无法确定；请写作 2011-03-12", f"Which part of “{quoted}” is the month?"
        )
    if _SHORT_YEAR.fullmatch(text):
        return InvalidCell(f"“{quoted}”的年份须为四位数", f"The year of “{quoted}” needs four digits")
    if _NO_YEAR.fullmatch(text):
        return InvalidCell(f"“{quoted}”缺少年份", f"“{quoted}” has no year")
    return _not_a_day(cell)


def _not_a_day(cell: Cell) -> InvalidCell:
    return InvalidCell(f"“{shown(cell)}”不是日期；格式如 2011-03-12", f"“{shown(cell)}” is not a day like 2011-03-12")
