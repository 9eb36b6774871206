"""Reading a cell: what it says, as the command takes it."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any, TypeGuard

from gateway.imports.sheets.cell import BLANKS, Blemished, Cell, is_blank, narrow, shown
from gateway.imports.sheets.columns import Column
from gateway.imports.sheets.dates import day
from gateway.imports.sheets.numbers import DIGITS, Misread, number
from services.contract import glossary
from services.kernel.money import PartOfFen, to_fen

NOTHING = frozenset({"-", "－", "--", "－－", "–", "—", "——", "/", "／", "无", "N/A", "n/a", "Ｎ／Ａ", "ｎ／ａ"})
"""What clerks write where they have nothing to say."""

LARGEST = 2**63 - 1
_BETWEEN_CODES = re.compile(r"[、;；,，\n]")
_BETWEEN_TEXTS = re.compile(r"[;；\n]")

Reads = Callable[[Column, Cell], Any]


def read(column: Column, cell: Cell) -> Any:
    """What a stripped cell says, None for nothing; raises `Misread` where that may be more than one thing."""
    if isinstance(cell, Blemished):
        raise Misread(f"{cell.why.zh}（{cell.shown}）" if cell.shown else cell.why.zh, cell.why.en)
    if cell == "" or _says_nothing(column, cell):
        if column.required:
            raise Misread("此项必填", "This field is needed")
        return None
    return _many(column, cell) if column.many else READERS[column.holds](column, cell)


def _says_nothing(column: Column, cell: Cell) -> bool:
    return cell in NOTHING and glossary.plain(str(cell)) not in column.values


def _many(column: Column, cell: Cell) -> list[Any]:
    between = _BETWEEN_TEXTS if column.holds == "text" else _BETWEEN_CODES
    parts: list[Cell] = [one for one in between.split(cell) if not is_blank(one)] if isinstance(cell, str) else [cell]
    if len(parts) < column.fewest_values or (column.most_values is not None and len(parts) > column.most_values):
        raise Misread(
            f"须为 {column.fewest_values} 至 {column.most_values} 项，以“、”分隔",
            f"{column.fewest_values} to {column.most_values} values with 、 between them",
        )
    return [READERS[column.holds](column, part) for part in parts]


def _whole(column: Column, cell: Cell) -> int:
    if _is_plainly_whole(cell):
        return _bounded(column, cell, int(cell))
    found = number(cell, column.unit)
    if found != found.to_integral_value():
        raise Misread(f"“{shown(cell)}”不是整数", f"“{shown(cell)}” is not a whole number")
    return _bounded(column, cell, int(found))


def _is_plainly_whole(cell: Cell) -> TypeGuard[float | str]:
    """The many that need no closer look."""
    if isinstance(cell, float):
        return cell.is_integer() and abs(cell) < 10**DIGITS
    return isinstance(cell, str) and len(cell) <= DIGITS and cell.isascii() and cell.isdigit()


def _yuan(column: Column, cell: Cell) -> int:
    """Read what is written in yuan as fen, exactly."""
    try:
        fen = to_fen(number(cell, column.unit))
    except PartOfFen:
        zh, en = f"“{shown(cell)}”元以下超过两位小数", f"“{shown(cell)}” has more than two decimals of a yuan"
        raise Misread(zh, en) from None
    return _bounded(column, cell, fen)


def _bounded(column: Column, cell: Cell, found: int) -> int:
    least, most = column.least or 0, LARGEST if column.most is None else column.most
    if not least <= found <= most:
        raise Misread(
            f"“{shown(cell)}”超出范围：{column.range()}", f"“{shown(cell)}” is out of bounds: {column.range('en')}"
        )
    return found


def _day(_: Column, cell: Cell) -> str:
    return day(cell).isoformat()


def _flag(column: Column, cell: Cell) -> bool:
    if isinstance(cell, bool):
        return cell
    found = column.values.get(glossary.plain(cell)) if isinstance(cell, str) else None
    if found is None:
        raise Misread(f"“{shown(cell)}”须为“是”或“否”", f"“{shown(cell)}” should be Yes or No")
    return found == "true"


def _choice(column: Column, cell: Cell) -> str:
    found = column.values.get(glossary.plain(_code_text(cell)))
    if found is None:
        listed = "、".join(map(column.called, column.choices))
        listed_en = ", ".join(column.called(choice, "en") for choice in column.choices)
        raise Misread(f"“{shown(cell)}”须为以下之一：{listed}", f"“{shown(cell)}” should be one of {listed_en}")
    return found


def _district(column: Column, cell: Cell) -> str:
    said = _code_text(cell)
    found = column.values.get(glossary.plain(said))
    if found is not None:
        return found
    if column.choices or not column.pattern or not column.fits(said):
        raise Misread(f"“{shown(cell)}”不是本市县（市、区）的名称或代码", f"“{shown(cell)}” is no district of ours")
    return said


def _code(column: Column, cell: Cell) -> str:
    said = _code_text(cell)
    for one in (said, said.lower()):
        if len(one) <= (column.longest or len(one)) and column.fits(one):
            return one
    raise Misread(f"“{shown(cell)}”有误：{column.says()}", f"“{shown(cell)}”: {column.says('en')}")


def _code_text(cell: Cell) -> str:
    """Digits that Excel took for a number are a code again, as long as Excel kept all of them."""
    if isinstance(cell, str):
        return narrow(cell).strip(BLANKS)
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        return _digits(cell)
    raise Misread(f"“{shown(cell)}”须为文本", f"“{shown(cell)}” should be text")


def _digits(cell: float) -> str:
    if abs(cell) >= 10**DIGITS or cell != cell // 1:
        raise Misread(
            f"“{shown(cell)}”已被 Excel 当作数值，请设为文本格式重填", f"Excel took “{shown(cell)}” for a number"
        )
    return str(int(cell))


def _text(column: Column, cell: Cell) -> str:
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        said = str(Decimal(format(cell, f".{DIGITS}g")).normalize().__format__("f"))
    elif isinstance(cell, str):
        said = cell.strip(BLANKS)
    else:
        raise Misread(f"“{shown(cell)}”须为文本", f"“{shown(cell)}” should be text")
    if column.longest is not None and len(said) > column.longest:
        raise Misread(
            f"至多 {column.longest} 个字符，现有 {len(said)} 个", f"{len(said)} characters of {column.longest}"
        )
    return said


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
