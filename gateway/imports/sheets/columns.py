"""Columns: what stands in each column of a sheet, made of the JSON Schema of a command's input."""

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
    """This command takes things within things, which a row of a sheet cannot hold."""

    def __init__(self, of: str, names: tuple[str, ...]) -> None:
        self.names = names
        self.zh = f"{glossary.command(of)}含有表格无法表示的嵌套内容，不能导入：{'、'.join(names)}。"
        self.en = f"{of or 'The command'} takes nested values, which a sheet cannot hold: {', '.join(names)}."
        super().__init__(self.en)


@dataclass(frozen=True)
class Column:
    """One field of the input: how it is called and what a cell of it may hold.

    `least` and `most` bound a number as the command takes it (money in fen); `form` says what a code looks like. `many`
    values stand in one cell, with 、 or ； between them.
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
        return glossary.field_word(self.name, of=self.of)

    @property
    def unit(self) -> Word | None:
        return glossary.unit(self.name)

    def header(self, language: Language = "zh") -> str:
        """Its word with its unit: 金额（元）."""
        word = self.word.said(language)
        if self.unit is None or self.unit.said(language) in word.casefold():
            return word
        return f"{word}（{self.unit.zh}）" if language == "zh" else f"{word} ({self.unit.en})"

    def called(self, choice: str, language: Language = "zh") -> str:
        """The word of one of its choices."""
        return glossary.value(choice, field=self.name, of=self.of, language=language)

    def range(self, language: Language = "zh") -> str:
        """The bounds of a number, money in yuan."""
        least, upto = self._bound(self.least or 0), "" if self.most is None else self._bound(self.most)
        if language == "zh":
            return f"{least} 至 {upto}" if upto else f"{least} 或以上"
        return f"{least} to {upto}" if upto else f"{least} or more"

    def _bound(self, number: int) -> str:
        return format_yuan(number, grouped=True) if self.holds == "yuan" else f"{number:,}"

    def says(self, language: Language = "zh") -> str:
        """What a text has to look like."""
        zh, _, en = self.form.partition("\n")
        if zh:
            return zh if language == "zh" else en or zh
        upto = f"（至多 {self.longest} 个字符）" if language == "zh" else f" of up to {self.longest} characters"
        return ("文字" if language == "zh" else "A text") + (upto if self.longest else "")

    def fits(self, code: str) -> bool:
        """Is this a code as the command wants it?"""
        return self._form.fullmatch(code) is not None

    @cached_property
    def _form(self) -> re.Pattern[str]:
        return re.compile(self.pattern or ".*")

    @cached_property
    def values(self) -> Mapping[str, str]:
        """The value behind each way to write it, to be looked up with `glossary.plain`."""
        choices = self.choices or OF_EVERY.get(self.holds, ())
        return glossary.values_named(choices, field=self.name, of=self.of)


def columns(input_schema: Mapping[str, Any], *, of: str = "") -> tuple[Column, ...]:
    """The columns of a command's input, needed ones first; `of` (`outreach.record_count`) chooses its own words.

    Raises `NotFlat` where the input is no flat row.
    """
    required = frozenset(input_schema.get("required", ()))
    found = {
        name: _column(name, schema, of=of, required=name in required)
        for name, schema in input_schema["properties"].items()
    }
    nested = tuple(name for name, column in found.items() if column is None)
    if nested:
        raise NotFlat(of, nested)

    return tuple(sorted((one for one in found.values() if one), key=lambda column: not column.required))


def _column(name: str, schema: Mapping[str, Any], *, of: str, required: bool) -> Column | None:
    many = schema.get("type") == "array"
    one: Mapping[str, Any] = schema.get("items", {}) if many else schema
    holds = _holds(name, one)
    if holds is None:
        return None

    return Column(
        name=name,
        of=of,
        holds=holds,
        required=required,
        many=many,
        choices=tuple(one.get("enum", ())),
        pattern=one.get("pattern"),
        form=one.get("description", ""),
        least=one.get("minimum"),
        most=one.get("maximum"),
        longest=one.get("maxLength"),
        fewest_values=schema.get("minItems", 0),
        most_values=schema.get("maxItems"),
    )


def _holds(name: str, schema: Mapping[str, Any]) -> Holds | None:
    match schema.get("type"):
        case "boolean":
            return "flag"
        case "integer":
            return "yuan" if is_money(name) else "whole"
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
