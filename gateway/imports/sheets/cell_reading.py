"""Reading a cell: its value as the command takes it."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any, TypeGuard

from gateway.imports.sheets.cell import BLANKS, Cell, FaultyCell, FormattedNumber, is_blank, narrow, shown
from gateway.imports.sheets.columns import Column
from gateway.imports.sheets.dates import day
from gateway.imports.sheets.numbers import DIGITS, InvalidCell, number
from services.contract import glossary
from services.kernel.money import PartOfFen, to_fen

NOTHING = frozenset({"-", "－", "--", "－－", "–", "—", "——", "/", "／", "无", "N/A", "n/a", "Ｎ／Ａ", "ｎ／ａ"})
"""Entries of clerks that mean that there is no value."""

LARGEST = 2**63 - 1
_BETWEEN_CODES = re.compile(r"[、;；,，\n]")
_BETWEEN_TEXTS = re.compile(r"[;；\n]")

Reads = Callable[[Column, Cell], Any]


def read(column: Column, cell: Cell) -> Any:
    """Read the value of a stripped cell, None for no value; raises `InvalidCell` where it may be more than one."""
    if isinstance(cell, FaultyCell):
        raise InvalidCell(f"{cell.fault.zh}（{cell.shown}）" if cell.shown else cell.fault.zh, cell.fault.en)
    if cell == "" or _is_nothing(column, cell):
        if column.required:
            raise InvalidCell("此项必填", "This field is needed")
        return None
    return _many(column, cell) if column.many else READERS[column.holds](column, cell)


def _is_nothing(column: Column, cell: Cell) -> bool:
    return cell in NOTHING and glossary.plain(str(cell)) not in column.values


def _many(column: Column, cell: Cell) -> list[Any]:
    between = _BETWEEN_TEXTS if column.holds == "text" else _BETWEEN_CODES
    parts: list[Cell] = (
        [part for part in between.split(cell) if not is_blank(part)] if isinstance(cell, str) else [cell]
    )
    if len(parts) < column.fewest_values or (column.most_values is not None and len(parts) > column.most_values):
        raise InvalidCell(
            f"须为 {column.fewest_values} 至 {column.most_values} 项，以“、”分隔",
            f"{column.fewest_values} to {column.most_values} values with 、 between them",
        )
    return [READERS[column.holds](column, part) for part in parts]


def _whole(column: Column, cell: Cell) -> int:
    if _is_plainly_whole(cell):
        return _bounded(column, cell, int(cell))
    exact = number(cell, column.unit)
    if exact != exact.to_integral_value():
        raise InvalidCell(f"“{shown(cell)}”不是整数", f"“{shown(cell)}” is not a whole number")
    return _bounded(column, cell, int(exact))


def _is_plainly_whole(cell: Cell) -> TypeGuard[float | str]:
    """True for most cells, which need no closer look."""
    if isinstance(cell, float):
        return cell.is_integer() and abs(cell) < 10**DIGITS
    return isinstance(cell, str) and len(cell) <= DIGITS and cell.isascii() and cell.isdigit()


def _yuan(column: Column, cell: Cell) -> int:
    """Read an amount of yuan as fen, exactly."""
    try:
        fen = to_fen(number(cell, column.unit))
    except PartOfFen:
        zh, en = f"“{shown(cell)}”元以下超过两位小数", f"“{shown(cell)}” has more than two decimals of a yuan"
        raise InvalidCell(zh, en) from None
    return _bounded(column, cell, fen)


def _bounded(column: Column, cell: Cell, value: int) -> int:
    least, most = column.least or 0, LARGEST if column.most is None else column.most
    if not least <= value <= most:
        raise InvalidCell(
            f"“{shown(cell)}”超出范围：{column.range()}", f"“{shown(cell)}” is out of bounds: {column.range('en')}"
        )
    return value


def _day(_: Column, cell: Cell) -> str:
    return day(cell).isoformat()


def _flag(column: Column, cell: Cell) -> bool:
    if isinstance(cell, bool):
        return cell
    value = column.values.get(glossary.plain(cell)) if isinstance(cell, str) else None
    if value is None:
        raise InvalidCell(f"“{shown(cell)}”须为“是”或“否”", f"“{shown(cell)}” should be Yes or No")
    return value == "true"


def _choice(column: Column, cell: Cell) -> str:
    choice = column.values.get(glossary.plain(_code_text(cell)))
    if choice is None:
        listed = "、".join(map(column.called, column.choices))
        listed_en = ", ".join(column.called(known, "en") for known in column.choices)
        raise InvalidCell(f"“{shown(cell)}”须为以下之一：{listed}", f"“{shown(cell)}” should be one of {listed_en}")
    return choice


def _district(column: Column, cell: Cell) -> str:
    text = _code_text(cell)
    district = column.values.get(glossary.plain(text))
    if district is not None:
        return district
    if column.choices or not column.pattern or not column.fits(text):
        raise InvalidCell(f"“{shown(cell)}”不是本市县（市、区）的名称或代码", f"“{shown(cell)}” is no district of ours")
    return text


def _code(column: Column, cell: Cell) -> str:
    text = _code_text(cell)
    for code in (text, text.lower()):
        if len(code) <= (column.longest or len(code)) and column.fits(code):
            return code
    raise InvalidCell(f"“{shown(cell)}”有误：{column.form_text()}", f"“{shown(cell)}”: {column.form_text('en')}")


def _code_text(cell: Cell) -> str:
    """Read a cell as text; digits that Excel took for a number are a code again if Excel kept all of them."""
    text = _as_text(cell)
    if not isinstance(cell, str) and not text.isdigit():
        raise _taken_for_number(cell)
    return narrow(text)


def _as_text(cell: Cell) -> str:
    """Read a cell as the text that the sheet shows; raises where it shows a number otherwise, or has lost digits."""
    if isinstance(cell, str):
        return cell.strip(BLANKS)
    if isinstance(cell, bool) or not isinstance(cell, int | float):
        raise InvalidCell(f"“{shown(cell)}”须为文本", f"“{shown(cell)}” should be text")
    if isinstance(cell, FormattedNumber) or abs(cell) >= 10**DIGITS:
        raise _taken_for_number(cell)
    return str(Decimal(format(cell, f".{DIGITS}g")).normalize().__format__("f"))


def _taken_for_number(cell: Cell) -> InvalidCell:
    return InvalidCell(
        f"“{shown(cell)}”已被 Excel 当作数值，请设为文本格式重填",
        f"Excel took “{shown(cell)}” for a number; give the cell the format Text and write it again",
    )


def _text(column: Column, cell: Cell) -> str:
    text = _as_text(cell)
    if column.longest is not None and len(text) > column.longest:
        raise InvalidCell(
            f"至多 {column.longest} 个字符，现有 {len(text)} 个", f"{len(text)} characters of {column.longest}"
        )
    return text


READERS: dict[str, Reads] = {
    "text": _text,
    "code": _code,
    "day": _day,
    "whole": _whole,
    "yuan": _yuan,
    "flag": _flag,
    "choice": _choice,
    "district": _district,
}
