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
WORDS = ("filter", "order", "cursor", "limit", "revision")


def allow(params: Mapping[str, Any], *known: str) -> None:
    """Refuse parameters that are not known; raises `InvalidInput` with all of them."""
    if unknown := [name for name in params if name not in known]:
        listed = ", ".join(known)
        en, zh = f"Unknown parameter; known: {listed or 'none'}.", f"未知参数；可用：{listed or '无'}。"
        raise InvalidInput(*(FieldError(name, en, zh) for name in unknown))


def page(collection: Collection[Document], kind: Kind, asked: Mapping[str, Any]) -> dict[str, Any]:
    """`items`, the true `total` of the filter, and the `cursor` of the next page (None on the last).

    `filter` holds a value or a list (any of) per field; `order` is a field, `-` before it turns it round. Where it is
    asked for, `revision` grows with every version of any record of the kind: the same one twice, and nothing changed.
    """
    given = {name: value for name, value in asked.items() if value is not None}
    wanted = _filter(kind, given.get("filter", {}))
    order, direction = _order(kind, given.get("order", "id"))
    limit = _limit(given.get("limit", PAGE))
    after = _after(order, direction, given.get("cursor"))
    found = list(
        collection.find({"$and": [wanted, after]}, {"state": 1, "version": 1})
        .sort([(order, direction), ("_id", direction)])
        .limit(limit + 1)
    )
    shown = found[:limit]
    told = {
        "items": [item(kind, held) for held in shown],
        "total": collection.count_documents(wanted),
        "cursor": _cursor(order, shown[-1]) if len(found) > limit else None,
    }
    return {**told, "revision": _revision(collection)} if _is_asked(given.get("revision", False)) else told


def item(kind: Kind, held: Document) -> dict[str, Any]:
    return {"id": held["_id"], "version": held["version"], **{name: held["state"].get(name) for name in kind.fields}}


def _revision(collection: Collection[Document]) -> int:
    """No record ever goes, and no version is ever taken back."""
    (found,) = list(collection.aggregate([{"$group": {"_id": None, "sum": {"$sum": "$version"}}}])) or [{"sum": 0}]
    return int(found["sum"])


def _is_asked(asked: Any) -> bool:
    if not isinstance(asked, bool):
        raise InvalidInput(FieldError("revision", "True or false.", "须为 true 或 false。"))
    return asked


def _filter(kind: Kind, asked: Any) -> Document:
    if not isinstance(asked, Mapping):
        raise InvalidInput(FieldError("filter", "An object of field and value.", "须为字段与值的对象。"))
    return {_path(kind, name, f"filter.{name}"): _any(value, f"filter.{name}") for name, value in asked.items()}


def _any(value: Any, at: str) -> Any:
    for one in value if isinstance(value, list) else [value]:
        if not isinstance(one, str | int | None):
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


def _order(kind: Kind, asked: Any) -> tuple[str, int]:
    name = str(asked).removeprefix("-")
    if name in kind.fields and kind.fields[name].many:
        raise InvalidInput(FieldError("order", f"{name} has several values.", f"{name} 有多个值，不能排序。"))
    return _path(kind, name, "order"), -1 if str(asked).startswith("-") else 1


def _limit(asked: Any) -> int:
    if isinstance(asked, bool) or not isinstance(asked, int) or not 1 <= asked <= LONGEST_PAGE:
        raise InvalidInput(FieldError("limit", f"1 to {LONGEST_PAGE}.", f"须为 1 至 {LONGEST_PAGE}。"))
    return asked


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
