"""Parameters of a service's lists and questions, as its `describe` tells them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from werkzeug.datastructures import MultiDict

from gateway.http.pagination import LIMIT, THEIR_CURSOR
from gateway.http.parameters import InvalidValue, Parameter, _unknown, one_of, read, truth
from services.chassis.problem import FieldError, InvalidInput
from services.contract.view import COMPARABLE, Field, Kind

ORDER = Parameter(str, "A field to sort by; with - before it, downwards.", "排序字段；前加 - 为降序。")

REVISION = Parameter(
    truth, "Tell a number that grows with every change of any record of this kind.", "返回随记录变更而增长的修订号。",
    {"type": "boolean"},
)  # fmt: skip


def listing(given: MultiDict[str, str], kind: Kind) -> dict[str, Any]:
    """The arguments of a service's list: `order`, `cursor`, `limit`, and a filter by the fields of the kind's view.

    A field that is given several times means any of these.
    """
    fields = {name: field for name, field in kind.fields.items() if field.type in COMPARABLE}
    words = {"order": ORDER, "cursor": THEIR_CURSOR, "limit": LIMIT, "revision": REVISION}
    filters = MultiDict((name, value) for name, value in given.items(multi=True) if name in fields)
    rest = MultiDict((name, value) for name, value in given.items(multi=True) if name not in fields)
    errors = _unknown(rest, [*words, *fields])
    for name, values in filters.lists():
        try:
            filters.setlist(name, [_value(fields[name], value) for value in values])
        except InvalidValue as error:
            errors.append(FieldError(name, error.en, error.zh))
    if errors:
        raise InvalidInput(*errors)
    wanted = {name: values if len(values) > 1 else values[0] for name, values in filters.lists()}
    return {**read(rest, words), **({"filter": wanted} if wanted else {})}


def described(schema: Mapping[str, Any]) -> Mapping[str, Parameter]:
    """The parameters of a question that a service describes by this JSON Schema; whether they are right it says."""
    return {
        name: Parameter(whole if one.get("type") == "integer" else str, name, name, one)
        for name, one in schema["properties"].items()
    }


def whole(text: str) -> int:
    if text.isascii() and text.isdigit() and len(text) <= 18:
        return int(text)
    raise InvalidValue("A whole number.", "须为整数。")


def _value(field: Field, text: str) -> Any:
    if field.type is bool:
        return one_of(("true", "false"))(text) == "true"
    if field.type is int:
        if not (text.isascii() and text.isdigit() and len(text) <= 18):
            raise InvalidValue("A whole number.", "须为整数。")
        return int(text)
    if field.type is date:
        return _day(text)
    return one_of(field.choices)(text) if field.choices else text


def _day(text: str) -> str:
    try:
        if len(text) == 10 and date.fromisoformat(text):
            return text
    except ValueError:
        pass
    raise InvalidValue("A day like 2011-05-14.", "日期格式如 2011-05-14。")
