"""Template: an empty workbook for a command, with headers, lists of choices and an explanation of each column."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from io import BytesIO
from typing import Any

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.workbook import Workbook
from xlsxwriter.worksheet import Worksheet

from gateway.imports.sheets.columns import Column
from gateway.imports.sheets.numbers import DIGITS
from gateway.imports.sheets.xlsx_guard import MANY_ROWS
from services.contract.glossary import Language
from services.kernel.money import FEN_PER_YUAN, format_yuan

EXPLANATION = "填写说明"
LISTS = "可选值"
MADE = datetime(2011, 1, 1, tzinfo=UTC)  # the same template has the same bytes

HEADER = {"bold": True, "border": 1, "text_wrap": True, "valign": "vcenter"}
NEEDED, OPTIONAL = "#FCE4D6", "#EDEDED"
_FORMATS = {"day": "yyyy-mm-dd", "whole": "#,##0", "yuan": "#,##0.00"}
AS_THEY_ARE = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
_FORBIDDEN_IN_NAMES = re.compile(r"[\[\]:*?/\\']")


def template(columns: Sequence[Column], title: str, rows: Iterable[Mapping[str, Any]] = ()) -> bytes:
    """Make an XLSX whose header is recognised by its words, whatever the order of the columns.

    It is filled with `rows`, inputs of the command, as a clerk would write them. The same template has the same bytes.
    """
    file = BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True} | AS_THEY_ARE) as book:
        book.set_properties({"title": title, "created": MADE.replace(tzinfo=None)})
        sheet = book.add_worksheet(sheet_name(title))
        _write_header(book, sheet, columns)
        _fill(book, sheet, columns, rows)
        _explain(book, columns, title)
        _offer_choices(book, sheet, columns)
    return file.getvalue()


def sheet_name(title: str) -> str:
    """Cut a title to what Excel takes as the name of a sheet."""
    return _FORBIDDEN_IN_NAMES.sub("", title)[:31] or "Sheet1"


def print_in_width(sheet: Worksheet) -> None:
    """Have a sheet printed in landscape, as wide as the page."""
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)


def _write_header(book: Workbook, sheet: Worksheet, columns: Sequence[Column]) -> None:
    needed, optional = (book.add_format(HEADER | {"bg_color": colour}) for colour in (NEEDED, OPTIONAL))
    for place, column in enumerate(columns):
        sheet.set_column(place, place, _width(column), _format(book, column))
        sheet.write_string(0, place, header_of(column), needed if column.required else optional)
        sheet.write_comment(0, place, f"{_rule(column)}\n{_rule(column, 'en')}", {"x_scale": 2})
    sheet.freeze_panes(1, 0)
    print_in_width(sheet)


def header_of(column: Column) -> str:
    """Write the header of a column; * marks a required field."""
    return f"{column.header()}*" if column.required else column.header()


def _width(column: Column) -> int:
    return max(14, 2 * len(header_of(column)) + 2)


def _format(book: Workbook, column: Column) -> Format:
    """The number format: days and numbers have their own, all else is text, so that no code loses its zeros."""
    return book.add_format({"num_format": "@" if column.many else _FORMATS.get(column.holds, "@")})


def _fill(book: Workbook, sheet: Worksheet, columns: Sequence[Column], rows: Iterable[Mapping[str, Any]]) -> None:
    formats = [_format(book, column) for column in columns]
    for number, values in enumerate(rows, start=1):
        for place, column in enumerate(columns):
            if values.get(column.name) is not None:
                _write(sheet, number, place, _cell(column, values[column.name]), formats[place])


def _write(sheet: Worksheet, row: int, place: int, cell: str | float | date, form: Format) -> None:
    if isinstance(cell, str):
        sheet.write_string(row, place, cell, form)
    elif isinstance(cell, date):
        sheet.write_datetime(row, place, cell, form)
    else:
        sheet.write_number(row, place, cell, form)


def _cell(column: Column, value: Any) -> str | float | date:
    """Write a value as a clerk would; numbers that Excel would round are text."""
    if column.many:
        return ("；" if column.holds == "text" else "、").join(_text(column, item) for item in value)
    if column.holds in ("whole", "yuan") and value < 10**DIGITS:
        return float(value) / (FEN_PER_YUAN if column.holds == "yuan" else 1)
    return date.fromisoformat(value) if column.holds == "day" and value >= "1900-03-01" else _text(column, value)


def _text(column: Column, value: Any) -> str:
    match column.holds:
        case "yuan":
            return format_yuan(value)
        case "flag":
            return column.called("true" if value else "false")
        case "choice" | "district":
            return column.called(value)
    return str(value)


def _offer_choices(book: Workbook, sheet: Worksheet, columns: Sequence[Column]) -> None:
    """Add a list to choose from to each column that takes one value of a closed list."""
    lists = book.add_worksheet(LISTS)
    lists.hide()
    for place, column in enumerate(columns):
        choices = _choices(column)
        if not choices or column.many:
            continue
        lists.write_column(0, place, [column.called(choice) for choice in choices])
        letter = xlsxwriter.utility.xl_col_to_name(place)
        sheet.data_validation(
            1,
            place,
            MANY_ROWS,
            place,
            {
                "validate": "list",
                "source": f"={LISTS}!${letter}$1:${letter}${len(choices)}",
                "error_type": "stop" if column.holds != "district" else "warning",  # its code will do as well
                "error_title": column.header()[:32],
                "error_message": "请从列表中选择。",
            },
        )


def _choices(column: Column) -> Sequence[str]:
    return tuple(dict.fromkeys(column.values.values()))


def _explain(book: Workbook, columns: Sequence[Column], title: str) -> None:
    sheet = book.add_worksheet(EXPLANATION)
    print_in_width(sheet)
    bold = book.add_format(HEADER | {"bg_color": OPTIONAL})
    wrapped = book.add_format({"text_wrap": True, "valign": "top", "border": 1})

    sheet.write_string(0, 0, f"{title}：{EXPLANATION}", book.add_format({"bold": True, "font_size": 14}))
    for place, (name, width) in enumerate(EXPLAINED.items()):
        sheet.set_column(place, place, width)
        sheet.write_string(2, place, name, bold)
    for number, column in enumerate(columns, start=3):
        for place, text in enumerate(_explained(column)):
            sheet.write_string(number, place, text, wrapped)
    for number, text in enumerate(NOTES, start=len(columns) + 4):
        sheet.write_string(number, 0, text)


EXPLAINED = {
    "列": 20, "Column": 24, "是否必填": 10, "单位": 8, "填写规则": 44, "Rule": 44, "示例": 20, "可选值": 40,
}  # fmt: skip


def _explained(column: Column) -> tuple[str, ...]:
    return (
        column.header(),
        column.header("en"),
        "必填" if column.required else "可不填",
        column.unit.zh if column.unit else "",
        _rule(column),
        _rule(column, "en"),
        _example(column),
        _listed(column),
    )


NOTES = (
    "表头可以调换顺序；空行、合计行和“填表人：”一类的注释行不导入。",
    "没有数据的可不填项请留空或填“-”，没有发生的请填 0：空白不等于 0。",
    "任何一行有误，整张表都不导入；系统会退回带“错误”列的原表。",
)


def _listed(column: Column) -> str:
    if column.holds == "district":
        return "；".join(f"{column.called(code)} {code}" for code in _choices(column))
    return "；".join(column.called(choice) for choice in _choices(column))


_RULES: Mapping[str, tuple[str, str]] = {
    "day": ("日期，如 2011-03-12", "A day like 2011-03-12"),
    "flag": ("是或否", "Yes or No"),
    "choice": ("从列表中选择", "One of the list"),
    "district": ("县（市、区）名称或代码", "A district's name or code"),
}


def _rule(column: Column, language: Language = "zh") -> str:
    zh = language == "zh"
    if column.holds in _RULES:
        rule = _RULES[column.holds][0 if zh else 1]
    elif column.holds in ("whole", "yuan"):
        kind = ("整数", "A whole number") if column.holds == "whole" else ("金额，精确到分", "Yuan, to the fen")
        rule = f"{kind[0]}，{column.range()}" if zh else f"{kind[1]}, {column.range('en')}"
    else:
        rule = column.form_text(language)
    if column.many:
        between = "；" if column.holds == "text" else "、"
        rule += f"；可填多项，以“{between}”分隔" if zh else f"; several with {between} between them"
    return rule


_EXAMPLES = {"text": "", "code": "", "day": "2011-03-12", "whole": "300", "yuan": "12,000.50", "flag": "是"}


def _example(column: Column) -> str:
    choices = _choices(column)
    if choices and column.holds != "flag":
        return column.called(choices[0])
    if column.holds == "code" and column.name.endswith(("_id", "_ids")) and (column.longest or 0) > 64:
        return f"{column.name[0]}-1"
    return _EXAMPLES.get(column.holds, "")
