"""Parameters of a service's lists and questions, as its `describe` states them."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from datetime import date
from typing import Any

from werkzeug.datastructures import MultiDict

from gateway.http.pagination import LIMIT, THEIR_CURSOR
from gateway.http.parameters import InvalidValue, Parameter, one_of, read, truth, unknown_parameters
from services.chassis.problem import FieldError, InvalidInput
from services.contract.view import COMPARABLE, Field

ORDER = Parameter(str, "A field to sort by, with - before it in descending order.", "排序字段；前加 - 为降序。")

REVISION = Parameter(
    truth, "Include a number that grows with every change of a record of this kind.", "返回随记录变更而增长的修订号。",
    {"type": "boolean"},
)  # fmt: skip

SEARCH = Parameter(
    str, "A text that is part of the id or of any text that you may read.", "编号或可读文字字段中包含的文字。",
    {"type": "string", "minLength": 1, "maxLength": 100},
)  # fmt: skip

PERSONAL = Parameter(
    truth, "Show personal fields too, to those who may read them; the audit trail notes it.",
    "同时显示个人信息字段（仅限有权的角色，并记入审计）。",
    {"type": "boolean"},
)  # fmt: skip

OF_EVERY_LIST = {
    "order": ORDER, "cursor": THEIR_CURSOR, "limit": LIMIT, "revision": REVISION, "search": SEARCH,
    "personal": PERSONAL,
}  # fmt: skip


def listing(given: MultiDict[str, str], described: Mapping[str, Field]) -> dict[str, Any]:
    """Read the arguments of a service's list: those of every list, and a `filter` by the fields of the records.

    A field that is given several times means any of these values. The service knows which fields the caller may read.
    Raises `InvalidInput` with every error.
    """
    fields = {name: field for name, field in described.items() if field.type in COMPARABLE}
    filters = MultiDict((name, value) for name, value in given.items(multi=True) if name in fields)
    others = MultiDict((name, value) for name, value in given.items(multi=True) if name not in fields)
    values, errors = _read_filters(filters, fields)
    if errors := [*unknown_parameters(others, [*OF_EVERY_LIST, *fields]), *errors]:
        raise InvalidInput(*errors)

    wanted = {name: several if len(several) > 1 else several[0] for name, several in values.items()}
    return {**read(others, OF_EVERY_LIST), **({"filter": wanted} if wanted else {})}


def described(schema: Mapping[str, Any]) -> Mapping[str, Parameter]:
    """The parameters of a question, by the JSON Schema of its service, which alone checks their values."""
    return {
        name: Parameter(whole if stated.get("type") == "integer" else str, name, name, stated)
        for name, stated in schema["properties"].items()
    }


def whole(text: str) -> int:
    """Read a whole number of up to 18 digits; raises `InvalidValue`."""
    if text.isascii() and text.isdigit() and len(text) <= 18:
        return int(text)
    raise InvalidValue("A whole number.", "须为整数。")


def _read_filters(
    filters: MultiDict[str, str], fields: Mapping[str, Field]
) -> tuple[dict[str, list[Any]], list[FieldError]]:
    values, errors = {}, []
    for name, texts in filters.lists():
        try:
            values[name] = [_value(fields[name], text) for text in texts]
        except InvalidValue as error:
            errors.append(FieldError(name, error.en, error.zh))
    return values, errors


def _value(field: Field, text: str) -> Any:
    if field.type is bool:
        return truth(text)
    if field.type is int:
        return whole(text)
    if field.type is date:
        return _day(text)
    return one_of(field.choices)(text) if field.choices else text


def _day(text: str) -> str:
    with suppress(ValueError):
        if len(text) == 10 and date.fromisoformat(text):
            return text
    raise InvalidValue("A day like 2011-05-14.", "日期格式如 2011-05-14。")
