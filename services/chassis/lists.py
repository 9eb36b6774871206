"""Lists of records: filtered by the fields of their view, ordered, page by page."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any

from pymongo.collection import Collection

from services.chassis.mongo import Document
from services.chassis.problem import FieldError, InvalidInput
from services.contract import wire
from services.contract.view import COMPARABLE, Kind

PAGE = 100
LONGEST_PAGE = 1_000
PARAMETERS = ("filter", "order", "cursor", "limit", "revision")


def allow(params: Mapping[str, Any], *known: str) -> None:
    """Raise `InvalidInput` for unknown parameters, with all of them."""
    if unknown := [name for name in params if name not in known]:
        listed = ", ".join(known)
        en, zh = f"Unknown parameter; known: {listed or 'none'}.", f"未知参数；可用：{listed or '无'}。"
        raise InvalidInput(*(FieldError(name, en, zh) for name in unknown))


def page(collection: Collection[Document], kind: Kind, params: Mapping[str, Any]) -> dict[str, Any]:
    """Return `items`, the true `total` of the filter, and the `cursor` of the next page (None on the last).

    `filter` holds a value or a list (any of) per field; `order` is a field, descending with `-` before it. On request,
    `revision` grows with every version of any record of the kind: the same one twice means that nothing changed.
    """
    given = {name: value for name, value in params.items() if value is not None}
    matching = _filter(kind, given.get("filter", {}))
    order, direction = _order(kind, given.get("order", "id"))
    limit = _limit(given.get("limit", PAGE))
    after = _after(order, direction, given.get("cursor"))
    documents = list(
        collection.find({"$and": [matching, after]}, {"state": 1, "version": 1})
        .sort([(order, direction), ("_id", direction)])
        .limit(limit + 1)
    )
    shown = documents[:limit]
    answer = {
        "items": [item(kind, document) for document in shown],
        "total": collection.count_documents(matching),
        "cursor": _cursor(order, shown[-1]) if len(documents) > limit else None,
    }
    return {**answer, "revision": _revision(collection)} if _is_asked(given.get("revision", False)) else answer


def item(kind: Kind, document: Document) -> dict[str, Any]:
    """Return a record as lists show it: its view with id and version."""
    return {
        "id": document["_id"],
        "version": document["version"],
        **{name: document["state"].get(name) for name in kind.fields},
    }


def _revision(collection: Collection[Document]) -> int:
    """The sum of all versions; no record is ever removed, and no version taken back."""
    (total,) = list(collection.aggregate([{"$group": {"_id": None, "sum": {"$sum": "$version"}}}])) or [{"sum": 0}]
    return int(total["sum"])


def _is_asked(value: Any) -> bool:
    if not isinstance(value, bool):
        raise InvalidInput(FieldError("revision", "True or false.", "须为 true 或 false。"))
    return value


def _filter(kind: Kind, filters: Any) -> Document:
    if not isinstance(filters, Mapping):
        raise InvalidInput(FieldError("filter", "An object of field and value.", "须为字段与值的对象。"))
    return {_path(kind, name, f"filter.{name}"): _any(value, f"filter.{name}") for name, value in filters.items()}


def _any(value: Any, at: str) -> Any:
    for item in value if isinstance(value, list) else [value]:
        if not isinstance(item, str | int | None):
            raise InvalidInput(FieldError(at, "A plain value or a list of them.", "须为单个值或值的列表。"))
    return {"$in": value} if isinstance(value, list) else value


def _path(kind: Kind, name: str, at: str) -> str:
    if name == "id":
        return "_id"
    field = kind.fields.get(name)
    if field is None or field.type not in COMPARABLE:
        known = ", ".join(["id", *kind.fields])
        raise InvalidInput(FieldError(at, f"Unknown field; known: {known}.", f"未知字段；可用：{known}。"))
    return f"state.{name}"


def _order(kind: Kind, order: Any) -> tuple[str, int]:
    name = str(order).removeprefix("-")
    if name in kind.fields and kind.fields[name].many:
        raise InvalidInput(FieldError("order", f"{name} has several values.", f"{name} 有多个值，不能排序。"))
    return _path(kind, name, "order"), -1 if str(order).startswith("-") else 1


def _limit(limit: Any) -> int:
    if isinstance(limit, bool) or not isinstance(limit, int) or not 1 <= limit <= LONGEST_PAGE:
        raise InvalidInput(FieldError("limit", f"1 to {LONGEST_PAGE}.", f"须为 1 至 {LONGEST_PAGE}。"))
    return limit


def _cursor(order: str, last: Document) -> str:
    value = last["_id"] if order == "_id" else last["state"].get(order.partition(".")[2])
    return base64.urlsafe_b64encode(wire.encode([order, value, last["_id"]])).decode()


def _after(order: str, direction: int, cursor: Any) -> Document:
    if cursor is None:
        return {}
    try:
        of, value, last = wire.decode(base64.urlsafe_b64decode(str(cursor)))
    except (binascii.Error, wire.BrokenJson, ValueError, TypeError):
        of = None
    if of != order or not isinstance(value, str | int | None) or not isinstance(last, str):
        raise InvalidInput(FieldError("cursor", "Not a cursor of this list.", "不是此列表的游标。"))
    beyond = "$gt" if direction == 1 else "$lt"
    later: list[Document] = [{order: value, "_id": {beyond: last}}, {order: {beyond: value}}]
    if value is None:  # missing values come first, and nothing compares with them
        later[1:] = [{order: {"$ne": None}}] if direction == 1 else []
    elif direction == -1 and order != "_id":
        later.append({order: None})
    return {"$or": later}
