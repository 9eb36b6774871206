"""The fields of command schemas: strict, with messages in both languages and the rule that they enforce.

Each field gives its JSON Schema, from which `describe`, forms and templates are made.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import Any, Literal, get_args

import marshmallow
from marshmallow import fields

from services.chassis.problem import FieldError, InvalidInput
from services.contract import glossary
from services.contract.district import DISTRICTS
from services.contract.view import View
from services.kernel import text
from services.kernel.day import YEARS
from services.kernel.person_number import has_person_number

LARGEST = 2**63 - 1
ONE_LINE = 200  # characters: a longer text may have lines


class Schema(marshmallow.Schema):
    """The input of one command; unknown fields are refused."""

    class Meta:
        """Options of marshmallow."""

        unknown = marshmallow.RAISE


class Wrong(marshmallow.ValidationError):
    """An error of one field, in both languages."""

    def __init__(self, en: str, zh: str, *, rule: str | None = None) -> None:
        super().__init__([(en, zh, rule)])


class Input(fields.Field[Any]):
    """A field that refuses both a missing value and null, unless it is optional; then it is None."""

    rule: str | None = None

    def __init__(self, *, required: bool = True) -> None:
        super().__init__(
            required=required, allow_none=not required, load_default=marshmallow.missing if required else None
        )

    def make_error(self, key: str, **kwargs: Any) -> marshmallow.ValidationError:
        """The error of a missing value, in both languages."""
        return self.wrong("This field is needed.", "此项必填。")

    def wrong(self, en: str, zh: str) -> Wrong:
        """Make an error of this field, with the rule that it enforces."""
        rule = self.rule
        return Wrong(f"{rule}: {en}" if rule else en, f"{rule}：{zh}" if rule else zh, rule=rule)

    def json_schema(self) -> dict[str, Any]:
        """The JSON Schema of its values; empty where anything is allowed."""
        return {}


class Text(Input):
    """A text of 1 to `max` characters, kept as `services.kernel.text` says; one of more than 200 may have lines."""

    pattern: str | None = None
    says = ("A text of 1 to {max} characters.", "1 至 {max} 个字符的文字。")

    def __init__(self, *, max: int = 200, required: bool = True) -> None:
        super().__init__(required=required)
        self.max = max

    def json_schema(self) -> dict[str, Any]:
        """A string with its length, and its pattern in words and as an expression."""
        return {"type": "string", "minLength": 1, "maxLength": self.max} | (
            {"pattern": f"^{self.pattern}$", "description": self._described()} if self.pattern else {}
        )

    def _described(self) -> str:
        """Describe the pattern, a line in each language."""
        en, zh = (words.format(max=self.max) for words in self.says)
        return f"{zh}\n{en}"

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> str:
        kept = self._kept(value) if isinstance(value, str) else ""
        if not 1 <= len(kept) <= self.max or not kept.strip() or not self._matches(kept):
            raise self.wrong(*(words.format(max=self.max) for words in self.says))
        return kept

    def _kept(self, value: str) -> str:
        try:
            return text.kept(value, lines=self.max > ONE_LINE)
        except text.NotAText as error:
            raise self.wrong(
                f"{error.character} cannot stand in this text.", f"文字中不得含有字符 {error.character}。"
            ) from None

    def _matches(self, value: str) -> bool:
        return self.pattern is None or re.fullmatch(self.pattern, value) is not None


class Verbatim(Text):
    """A text that is taken as it is: a password, or the content of a file."""

    def _kept(self, value: str) -> str:
        return value


Thing = Literal[
    "person", "user", "organisation", "institution", "document", "category", "criterion", "discipline", "subject",
]  # fmt: skip
"""Things with ids that no service has records of; a subject is an entry, a person or an organisation."""


class Id(Text):
    """The id of a record, a person or a thing: letters, digits and . _ : - up to 100, and no person's number (X-08).

    A command's input says which `thing` it is the id of; the id of a record is a `Ref`.
    """

    pattern = r"[A-Za-z0-9][A-Za-z0-9._:-]*"
    says = ("An id of letters, digits and . _ : - (up to {max}).", "编号只能含字母、数字和 . _ : -（至多 {max} 个）。")

    def __init__(self, thing: Thing | None = None, *, max: int = 100, required: bool = True) -> None:
        super().__init__(max=max, required=required)
        self.thing = thing

    def json_schema(self) -> dict[str, Any]:
        """A string, with the thing that it is the id of."""
        return super().json_schema() | ({"x-thing": self.thing} if self.thing else {})

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> str:
        id_ = super()._deserialize(value, attr, data, **kwargs)
        if has_person_number(id_):
            en = "X-08: An id is no number of an identity card or a mobile telephone."
            raise Wrong(en, "X-08：编号不得为身份证号或手机号。", rule="X-08")
        return id_


class Ref(Id):
    """The id of a record: of the kind that this view is of."""

    def __init__(self, view: type[View], *, max: int = 100, required: bool = True) -> None:
        super().__init__(max=max, required=required)
        self.kind = view.kind

    def json_schema(self) -> dict[str, Any]:
        """A string, with the kind of the record."""
        return super().json_schema() | {"x-kind": self.kind.key}


class CommandId(Id):
    """The id that a caller gives its command (X-01); it can be part of a URL's path."""

    rule = "X-01"
    pattern = r"[A-Za-z0-9_:-][A-Za-z0-9._:-]*"

    def __init__(self, *, required: bool = True) -> None:
        super().__init__(max=200, required=required)


class Sha256(Text):
    """The SHA-256 of a file, 64 lower-case hexadecimal digits."""

    pattern = r"[0-9a-f]{64}"
    says = ("A SHA-256 of {max} hexadecimal digits.", "{max} 位十六进制的 SHA-256。")

    def __init__(self, *, required: bool = True) -> None:
        super().__init__(max=64, required=required)


class AnyDay(Input):
    """A day like 2011-05-14, in Shanghai, of any year."""

    def json_schema(self) -> dict[str, Any]:
        """A string with the format `date`."""
        return {"type": "string", "format": "date"}

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> date:
        if isinstance(value, str) and re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
            try:
                return date.fromisoformat(value)
            except ValueError:
                pass
        raise self.wrong("A day like 2011-05-14.", "日期格式如 2011-05-14。")


class Day(AnyDay):
    """A day in a year that is plausible for a plan (X-07); for what may be older `since` another year."""

    def __init__(self, *, since: int = YEARS.start, required: bool = True) -> None:
        super().__init__(required=required)
        self.years = range(since, YEARS.stop)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> date:
        day = super()._deserialize(value, attr, data, **kwargs)
        if day.year not in self.years:
            first, last = self.years.start, self.years.stop - 1
            raise Wrong(f"X-07: A day from {first} to {last}.", f"X-07：须为 {first} 至 {last} 年的日期。", rule="X-07")
        return day


class Instant(Input):
    """An instant like 2011-05-14T10:00:00+08:00, with its offset from UTC."""

    def json_schema(self) -> dict[str, Any]:
        """A string with the format `date-time`."""
        return {"type": "string", "format": "date-time"}

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> datetime:
        try:
            instant = datetime.fromisoformat(value) if isinstance(value, str) else None
            if instant is not None and instant.utcoffset() is not None:
                return instant.astimezone(UTC)
        except (ValueError, OverflowError):
            pass
        raise self.wrong("An instant like 2011-05-14T10:00:00+08:00.", "时刻格式如 2011-05-14T10:00:00+08:00。")


class Whole(Input):
    """A whole number; neither a fraction nor a text nor a truth value."""

    def __init__(
        self, *, min: int = 0, max: int | None = None, rule: str | None = "X-06", required: bool = True
    ) -> None:
        super().__init__(required=required)
        self.min, self.max, self.rule = min, LARGEST if max is None else max, rule

    def json_schema(self) -> dict[str, Any]:
        """An integer within its bounds."""
        return {"type": "integer", "minimum": self.min} | ({"maximum": self.max} if self.max < LARGEST else {})

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not self.min <= value <= self.max:
            upto = f" to {self.max}" if self.max < LARGEST else " or more"
            upto_zh = f" 至 {self.max} 的整数。" if self.max < LARGEST else " 或以上的整数。"
            raise self.wrong(f"A whole number, {self.min}{upto}.", f"须为 {self.min}{upto_zh}")
        return value


class Fen(Whole):
    """Money in whole fen."""

    def __init__(self, *, min: int = 0, max: int | None = None, required: bool = True) -> None:
        super().__init__(min=min, max=max, required=required)

    def json_schema(self) -> dict[str, Any]:
        """An integer within its bounds, with its unit."""
        return super().json_schema() | {"x-unit": "fen"}


class Flag(Input):
    """True or false."""

    def json_schema(self) -> dict[str, Any]:
        """A truth value."""
        return {"type": "boolean"}

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> bool:
        if not isinstance(value, bool):
            raise self.wrong("true or false.", "须为 true 或 false。")
        return value


class OneOf(Input):
    """A word of a closed list, given singly or as a Literal of the contract."""

    def __init__(self, *choices: Any, required: bool = True) -> None:
        super().__init__(required=required)
        self.choices: tuple[str, ...] = tuple(word for choice in choices for word in (get_args(choice) or (choice,)))

    def json_schema(self) -> dict[str, Any]:
        """A string with its choices."""
        return {"type": "string", "enum": list(self.choices)}

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> str:
        if not isinstance(value, str) or value not in self.choices:
            listed = ", ".join(self.choices)
            raise self.wrong(f"One of {listed}.", f"须为以下之一：{listed}。")
        return value


class District(OneOf):
    """A district of the municipality by its GB/T 2260 code."""

    def __init__(self, *, required: bool = True) -> None:
        super().__init__(*DISTRICTS, required=required)


class Many(Input):
    """Several values of one field; an optional one that is missing or null becomes an empty list."""

    def __init__(self, inner: Input, *, min: int = 0, max: int = 100, required: bool = True) -> None:
        super().__init__(required=required)
        self.inner, self.min, self.max = inner, min, max
        if not required:
            self.load_default = ()

    def deserialize(
        self, value: Any, attr: str | None = None, data: Mapping[str, Any] | None = None, **kwargs: Any
    ) -> Any:
        """Read the list; None becomes an empty one."""
        values = super().deserialize(value, attr, data, **kwargs)
        return () if values is None else values

    def json_schema(self) -> dict[str, Any]:
        """An array within its bounds."""
        return {"type": "array", "items": self.inner.json_schema(), "minItems": self.min, "maxItems": self.max}

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> tuple[Any, ...]:
        if not isinstance(value, list) or not self.min <= len(value) <= self.max:
            raise self.wrong(f"A list of {self.min} to {self.max}.", f"须为 {self.min} 至 {self.max} 项的列表。")
        return tuple(self.inner.deserialize(item) for item in value)


class Group(Input):
    """Several fields that belong together, as one object, from which `makes` makes a value."""

    def __init__(self, schema: type[Schema], makes: Callable[..., Any], *, required: bool = True) -> None:
        super().__init__(required=required)
        self.schema, self.makes = schema(), makes

    def json_schema(self) -> dict[str, Any]:
        """The schema of its fields."""
        return json_schema(self.schema)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        if not isinstance(value, dict):
            raise self.wrong("An object of fields.", "须为由字段组成的对象。")
        try:
            return self.makes(**load(self.schema, value))
        except InvalidInput as invalid:
            wrong = [
                (f"{error.field}: {error.en}", f"{error.field}：{error.zh}", error.rule) for error in invalid.errors
            ]
            raise marshmallow.ValidationError(wrong) from None


def load(schema: marshmallow.Schema, given: Mapping[str, Any]) -> dict[str, Any]:
    """Read the input by its schema; raises `InvalidInput` that names every field that is wrong."""
    try:
        return schema.load(given)
    except marshmallow.ValidationError as error:
        known = ", ".join(schema.fields)
        raise InvalidInput(*_errors(error.normalized_messages(), known)) from None


def json_schema(schema: marshmallow.Schema, *, of: str = "") -> dict[str, Any]:
    """The input as JSON Schema; titles are the words of the command `of` (`outreach.record_count`)."""
    return {
        "type": "object",
        "properties": {name: _described(name, field, of=of) for name, field in schema.fields.items()},
        "required": [name for name, field in schema.fields.items() if field.required],
        "additionalProperties": False,
    }


def _described(name: str, field: Any, *, of: str) -> dict[str, Any]:
    word = glossary.field(name, of=of)
    return field.json_schema() | ({} if word == name else {"title": word})


def _errors(messages: Mapping[str, Any], known: str) -> list[FieldError]:
    errors = []
    for name, problems in messages.items():
        for problem in problems:
            if isinstance(problem, tuple):
                errors.append(FieldError(str(name), problem[0], problem[1], problem[2]))
            else:
                errors.append(FieldError(str(name), f"Unknown field; known: {known}.", f"未知字段；可用：{known}。"))
    return errors
