"""Columns of a sheet, made of the JSON Schema of a command's input."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from services.contract import glossary
from services.contract.district import DISTRICTS
from services.contract.glossary import Language, Word
from services.kernel.money import format_yuan, is_money

Holds = Literal["text", "code", "day", "whole", "yuan", "flag", "choice", "district"]

OF_EVERY: Mapping[str, tuple[str, ...]] = {"district": tuple(DISTRICTS), "flag": ("true", "false")}


class NotFlat(Exception):
    """The command takes nested values, which a row of a sheet cannot hold."""

    def __init__(self, of: str, names: tuple[str, ...]) -> None:
        self.names = names
        self.zh = f"{glossary.command(of)}含有表格无法表示的嵌套内容，不能导入：{'、'.join(names)}。"
        self.en = f"{of or 'The command'} takes nested values, which a sheet cannot hold: {', '.join(names)}."
        super().__init__(self.en)


@dataclass(frozen=True)
class Column:
    """A field of the input: its name and the values that a cell may hold.

    `least` and `most` bound a number as the command takes it (money in fen); `form` describes a code. `many` values
    are in one cell, with 、 or ； between them.
    """

    name: str
    of: str
    holds: Holds
    required: bool
    many: bool = False
    choices: tuple[str, ...] = ()
    pattern: str | None = None
    form: str = ""
    least: int | None = None
    most: int | None = None
    longest: int | None = None
    fewest_values: int = 0
    most_values: int | None = None

    @property
    def word(self) -> Word:
        """The field's name in both languages."""
        return glossary.field_word(self.name, of=self.of)

    @property
    def unit(self) -> Word | None:
        """The unit of a quantity in both languages."""
        return glossary.unit(self.name)

    def header(self, language: Language = "zh") -> str:
        """Write its name with its unit: 金额（元）."""
        word = self.word.said(language)
        if self.unit is None or self.unit.said(language) in word.casefold():
            return word
        return f"{word}（{self.unit.zh}）" if language == "zh" else f"{word} ({self.unit.en})"

    def called(self, choice: str, language: Language = "zh") -> str:
        """Translate one of its choices."""
        return glossary.value(choice, field=self.name, of=self.of, language=language)

    def range(self, language: Language = "zh") -> str:
        """Describe the bounds of a number, money in yuan."""
        least, upto = self._bound(self.least or 0), "" if self.most is None else self._bound(self.most)
        if language == "zh":
            return f"{least} 至 {upto}" if upto else f"{least} 或以上"
        return f"{least} to {upto}" if upto else f"{least} or more"

    def _bound(self, number: int) -> str:
        return format_yuan(number, grouped=True) if self.holds == "yuan" else f"{number:,}"

    def form_text(self, language: Language = "zh") -> str:
        """Describe the form that a text must have."""
        zh, _, en = self.form.partition("\n")
        if zh:
            return zh if language == "zh" else en or zh
        upto = f"（至多 {self.longest} 个字符）" if language == "zh" else f" of up to {self.longest} characters"
        return ("文字" if language == "zh" else "A text") + (upto if self.longest else "")

    def fits(self, code: str) -> bool:
        """Tell whether a code has the form that the command requires."""
        return self._form.fullmatch(code) is not None

    @cached_property
    def _form(self) -> re.Pattern[str]:
        return re.compile(self.pattern or ".*")

    @cached_property
    def values(self) -> Mapping[str, str]:
        """The value for each way to write it; look it up with `glossary.plain`."""
        choices = self.choices or OF_EVERY.get(self.holds, ())
        return glossary.values_named(choices, field=self.name, of=self.of)


def columns(input_schema: Mapping[str, Any], *, of: str = "") -> tuple[Column, ...]:
    """Make the columns of a command's input, required ones first; `of` (`outreach.record_count`) chooses its words.

    Raises `NotFlat` where the input is no flat row.
    """
    required = frozenset(input_schema.get("required", ()))
    made = {
        name: _column(name, schema, of=of, required=name in required)
        for name, schema in input_schema["properties"].items()
    }
    nested = tuple(name for name, column in made.items() if column is None)
    if nested:
        raise NotFlat(of, nested)

    return tuple(sorted((column for column in made.values() if column), key=lambda column: not column.required))


def _column(name: str, schema: Mapping[str, Any], *, of: str, required: bool) -> Column | None:
    many = schema.get("type") == "array"
    value: Mapping[str, Any] = schema.get("items", {}) if many else schema
    holds = _holds(name, value)
    if holds is None:
        return None

    return Column(
        name=name,
        of=of,
        holds=holds,
        required=required,
        many=many,
        choices=tuple(value.get("enum", ())),
        pattern=value.get("pattern"),
        form=value.get("description", ""),
        least=value.get("minimum"),
        most=value.get("maximum"),
        longest=value.get("maxLength"),
        fewest_values=schema.get("minItems", 0),
        most_values=schema.get("maxItems"),
    )


def _holds(name: str, schema: Mapping[str, Any]) -> Holds | None:
    match schema.get("type"):
        case "boolean":
            return "flag"
        case "integer":
            return (
                "yuan" if schema.get("x-unit") == "fen" or is_money(name) else "whole"
            )  # releases before told no unit
        case "string":
            return _holds_text(name, schema)
    return None


def _holds_text(name: str, schema: Mapping[str, Any]) -> Holds:
    if schema.get("format") == "date":
        return "day"
    if name == "district":
        return "district"
    if "enum" in schema:
        return "choice"
    return "code" if "pattern" in schema else "text"
