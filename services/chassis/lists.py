"""Lists of records: filtered and searched by the fields that the caller reads, ordered, page by page."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from typing import Any

from pymongo.collection import Collection
from structlog import get_logger

from services.chassis import fields, metrics
from services.chassis.field_classes import Reader, dig
from services.chassis.mongo import Document
from services.chassis.problem import FieldError, InvalidInput
from services.contract import wire
from services.contract.view import COMPARABLE

PAGE = 100
LONGEST_PAGE = 1_000
PARAMETERS = ("filter", "search", "order", "cursor", "limit", "revision")

log = get_logger()


class Search(fields.Schema):
    """A text to be found."""

    search = fields.Text(max=100, required=False)


class Personal(fields.Schema):
    """Whether personal fields are asked for."""

    personal = fields.Flag(required=False)


def allow(params: Mapping[str, Any], *known: str) -> None:
    """Raise `InvalidInput` for unknown parameters, with all of them."""
    if unknown := [name for name in params if name not in known]:
        listed = ", ".join(known)
        en, zh = f"Unknown parameter; known: {listed or 'none'}.", f"未知参数；可用：{listed or '无'}。"
        raise InvalidInput(*(FieldError(name, en, zh) for name in unknown))


def asked_for_personal(params: Mapping[str, Any]) -> tuple[dict[str, Any], bool]:
    """Return the other parameters, and whether personal fields are asked for."""
    asked = fields.load(Personal(), {"personal": params.get("personal")})["personal"]
    return {name: value for name, value in params.items() if name != "personal"}, bool(asked)


def noted(reader: Reader, answer: Document) -> Document:
    """Return the answer, once it is noted where it has personal fields: who read which records, never what they say."""
    if reader.personal:
        shown, kind = answer.get("items", [answer]), reader.classes.kind
        metrics.PERSONAL_READS.labels(kind.service, kind.name).inc(len(shown))
        log.info("personal fields read", kind=kind.key, by=reader.actor.id, records=[item["id"] for item in shown])
    return answer


def page(collection: Collection[Document], reader: Reader, params: Mapping[str, Any]) -> dict[str, Any]:
    """Return `items`, the true `total` of the filter, and the `cursor` of the next page (None on the last).

    `filter` holds a value or a list (any of) per field; `search` is part of any text; `order` is a field, descending
    with `-` before it. On request, `revision` grows with every version of any record of the kind: the same one twice
    means that nothing changed.
    """
    given = {name: value for name, value in params.items() if value is not None}
    order, direction = _order(reader, given.get("order", "id"))
    matching = _all(
        *_filter(reader, given.get("filter", {})),
        _search(reader, given.get("search")),
        reader.limits(order.removeprefix("state.")),
    )
    limit = _limit(given.get("limit", PAGE))
    after = _after(order, direction, given.get("cursor"))
    documents = list(
        collection.find({"$and": [matching, after]}, {"state": 1, "version": 1})
        .sort([(order, direction), ("_id", direction)])
        .limit(limit + 1)
    )
    shown = documents[:limit]
    answer = {
        "items": [reader.item(document) for document in shown],
        "total": collection.count_documents(matching),
        "cursor": _cursor(order, shown[-1]) if len(documents) > limit else None,
    }
    return {**answer, "revision": _revision(collection)} if _is_asked(given.get("revision", False)) else answer


def _revision(collection: Collection[Document]) -> int:
    """The sum of all versions; no record is ever removed, and no version taken back."""
    (total,) = list(collection.aggregate([{"$group": {"_id": None, "sum": {"$sum": "$version"}}}])) or [{"sum": 0}]
    return int(total["sum"])


def _is_asked(value: Any) -> bool:
    if not isinstance(value, bool):
        raise InvalidInput(FieldError("revision", "True or false.", "须为 true 或 false。"))
    return value


def _all(*conditions: Document) -> Document:
    """The filter for what meets all of these conditions."""
    given = [condition for condition in conditions if condition]
    return {"$and": given} if len(given) > 1 else given[0] if given else {}


def _filter(reader: Reader, filters: Any) -> Iterator[Document]:
    if not isinstance(filters, Mapping):
        raise InvalidInput(FieldError("filter", "An object of field and value.", "须为字段与值的对象。"))
    for name, value in filters.items():
        at = f"filter.{name}"
        yield {_path(reader, name, at): _any(value, at), **reader.limits(name)}


def _search(reader: Reader, wanted: Any) -> Document:
    """The filter for records with this text in their id or in any text that the caller reads, in either case."""
    text = fields.load(Search(), {"search": wanted})["search"]
    if text is None:
        return {}
    found = {"$regex": re.escape(text), "$options": "i"}
    texts = [name for name, field in reader.fields.items() if field.type is str and not field.choices]
    return {"$or": [{"_id": found}, *({f"state.{name}": found, **reader.limits(name)} for name in texts)]}


def _any(value: Any, at: str) -> Any:
    for item in value if isinstance(value, list) else [value]:
        if not isinstance(item, str | int | None):
            raise InvalidInput(FieldError(at, "A plain value or a list of them.", "须为单个值或值的列表。"))
    return {"$in": value} if isinstance(value, list) else value


def _path(reader: Reader, name: str, at: str) -> str:
    if name == "id":
        return "_id"
    field = reader.fields.get(name)
    if field is None or field.type not in COMPARABLE:
        known = ", ".join(["id", *reader.fields])
        raise InvalidInput(FieldError(at, f"Unknown field; known: {known}.", f"未知字段；可用：{known}。"))
    return f"state.{name}"


def _order(reader: Reader, order: Any) -> tuple[str, int]:
    name = str(order).removeprefix("-")
    if name in reader.fields and reader.fields[name].many:
        raise InvalidInput(FieldError("order", f"{name} has several values.", f"{name} 有多个值，不能排序。"))
    return _path(reader, name, "order"), -1 if str(order).startswith("-") else 1


def _limit(limit: Any) -> int:
    if isinstance(limit, bool) or not isinstance(limit, int) or not 1 <= limit <= LONGEST_PAGE:
        raise InvalidInput(FieldError("limit", f"1 to {LONGEST_PAGE}.", f"须为 1 至 {LONGEST_PAGE}。"))
    return limit


def _cursor(order: str, last: Document) -> str:
    value = last["_id"] if order == "_id" else dig(last["state"], order.partition(".")[2])
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
