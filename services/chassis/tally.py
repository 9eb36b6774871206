"""The service's own count by a plan rule: straight from the records, another way than the gateway's (G-16).

Records count as they are now, or as they were known at an instant: then each record counts by the newest entry of its
own history that was written by then, whoever may have heard of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from marshmallow import Schema
from pymongo.collection import Collection

from services.chassis import fields, lists
from services.chassis.fields import FieldError
from services.chassis.mongo import Document
from services.chassis.problem import InvalidInput, NotFound
from services.chassis.upkeep import Position
from services.contract import rule as plan_rule
from services.contract.rule import Condition, Rule
from services.contract.view import Kind

SCANNED = 20_000  # records that are looked at for one page
NEVER = datetime(9999, 12, 31, tzinfo=UTC)  # the instant of an entry that has none
PAGE, LONGEST_PAGE = 1_000, 10_000  # records behind a tally


class Tally(fields.Schema):
    """The days of a tally, both inclusive; as the records were known at an instant; of one district."""

    first = fields.AnyDay()
    last = fields.AnyDay()
    as_of = fields.Instant(required=False)
    district = fields.District(required=False)


class TallyRecords(Tally):
    """The records behind a tally: a page after one id, or what became of these ids."""

    after = Position(required=False)
    limit = fields.Whole(min=1, max=LONGEST_PAGE, rule=None, required=False)
    ids = fields.Many(Position(), min=1, max=LONGEST_PAGE, required=False)


@dataclass(frozen=True, kw_only=True)
class Question:
    """A question to count: by a rule, in a period (both days inclusive), in all districts or one, now or `as_of`."""

    rule: Rule
    first: str
    last: str
    as_of: datetime | None = None
    district: str | None = None

    @property
    def counting(self) -> list[Document]:
        """The stages that leave the records that count, each with its counting view as `state`."""
        rule = self.rule
        tests = [_test(condition) for condition in rule.where]
        tests.append({f"state.{rule.on}": {"$gte": self.first, "$lte": self.last}})
        if self.district is not None:
            tests.append({"state.district": self.district})
        return [*([] if self.as_of is None else _as_known(self.as_of)), {"$match": {"$and": tests}}]


def read(params: Mapping[str, Any], schema: Schema, kinds: Iterable[Kind]) -> tuple[Question, dict[str, Any]]:
    """Read the question that these parameters ask of a service with these kinds; returns the other parameters too.

    Raises `InvalidInput`, and `NotFound` for a kind of another service.
    """
    lists.allow(params, "rule", *schema.fields)
    rule = _read_rule(params.get("rule"))
    if rule.of not in kinds:
        raise NotFound(f"{rule.of.key} belongs to another service.", f"{rule.of.key} 不属于本服务。", kind=rule.of.key)
    given = fields.load(schema, {name: value for name, value in params.items() if name != "rule"})
    if given["district"] and "district" not in rule.of.fields:
        en, zh = f"{rule.of.key} has no district.", f"{rule.of.key} 没有辖区。"
        raise InvalidInput(FieldError("district", en, zh))
    days = {name: given[name].isoformat() for name in ("first", "last")}
    return Question(rule=rule, as_of=given["as_of"], district=given["district"], **days), given


def _read_rule(given: Any) -> Rule:
    try:
        return plan_rule.read(given)
    except plan_rule.BrokenRule as error:
        at = ".".join(["rule", *error.at])
        raise InvalidInput(FieldError(at, error.says, f"规则有误：{error.says}")) from None


def count(collection: Collection[Document], question: Question) -> dict[str, Any]:
    """Count the records and their value, in all and by dimension."""
    rule = question.rule

    def grouped(by: str | None) -> list[Document]:
        return list(collection.aggregate([*question.counting, *_groups(rule, by)], allowDiskUse=True))

    (whole,) = grouped(None) or [{"records": 0}]
    return {
        **_number(rule, whole),
        "by": {
            name: {_name(group["_id"]): _number(rule, group) for group in grouped(f"$state.{name}")} for name in rule.by
        },
    }


def list_records(collection: Collection[Document], question: Question, page: Mapping[str, Any]) -> dict[str, Any]:
    """List the records behind a count, as `TallyRecords` asks; raises `InvalidInput` for both ids and a page."""
    after, limit, ids = page["after"], page["limit"], page["ids"]
    if not ids:
        return tally_records(collection, question, after=after or "", limit=limit or PAGE)
    if after or limit:
        raise InvalidInput(FieldError("ids", "Give either ids or a page.", "ids 不得与分页同时给出。"))
    return {"records": tally_of(collection, question, ids), "through": None}


def tally_records(collection: Collection[Document], question: Question, *, after: str, limit: int) -> dict[str, Any]:
    """List the records that count, in the order of their ids, with version, day and amount.

    `through` is the id after which the next page begins, None where there is none; a page may be short, or empty.
    """
    edge = _edge(collection, after)
    ids = {"$gt": after} if edge is None else {"$gt": after, "$lte": edge}
    by_id: list[Document] = [{"$match": {"_id": ids}}, {"$sort": {"_id": 1}}]
    records = list(collection.aggregate([*by_id, *question.counting, {"$limit": limit}, _row(question.rule)]))
    return {"records": records, "through": records[-1]["id"] if len(records) == limit else edge}


def tally_of(collection: Collection[Document], question: Question, ids: Sequence[str]) -> list[Document]:
    """List those of these records that exist; one that does not count has neither day nor amount."""
    matching = {"_id": {"$in": list(ids)}}
    documents = collection.find(matching, {"version": 1}).sort("_id", 1)
    nothing = {"version": 0, "day": None, "amount": None}
    rows = {
        document["_id"]: {"id": document["_id"], **nothing, "version": document.get("version", 0)}
        for document in documents
    }
    counted = collection.aggregate([{"$match": matching}, *question.counting, _row(question.rule)])
    return list((rows | {row["id"]: row for row in counted}).values())


def _as_known(as_of: datetime) -> list[Document]:
    """Replace each record by its state in its history at that instant; a later one gets neither version nor state."""
    written = {"$dateFromString": {"dateString": "$$entry.at", "onError": NEVER, "onNull": NEVER}}
    history = {"$cond": [{"$isArray": "$history"}, "$history", []]}
    known = {"$filter": {"input": history, "as": "entry", "cond": {"$lte": [written, as_of]}}}
    return [
        {"$project": {"known": {"$last": known}}},
        {"$project": {"version": "$known.version", "state": "$known.view"}},
    ]


def _test(condition: Condition) -> Document:
    name = f"state.{condition.field}"
    if condition.exists is not None:
        return {name: {"$ne": None} if condition.exists else None}
    if condition.any_of:
        return {name: {"$in": list(condition.any_of)}}
    return {
        name: {
            f"${test}": bound for test, bound in (("gte", condition.gte), ("lte", condition.lte)) if bound is not None
        }
    }


def _groups(rule: Rule, by: str | None) -> list[Document]:
    """Make one document for each value of `by`: its records and their value."""
    how, field = rule.measure, rule.field
    records = {"$sum": 1}
    if how == "distinct":
        return [
            {"$group": {"_id": {"by": by, "value": f"$state.{field}"}, "records": records}},
            {"$group": {"_id": "$_id.by", "records": {"$sum": "$records"}, "value": {"$sum": _one_if("$_id.value")}}},
        ]
    if how == "last":
        latest = {"day": f"$state.{rule.on}", "id": "$_id", "value": f"$state.{field}"}
        value = {"$max": {"$cond": [_is_there(f"$state.{field}"), latest, None]}}
        return [
            {"$group": {"_id": by, "records": records, "value": value}},
            {"$project": {"records": 1, "value": "$value.value"}},
        ]
    return [{"$group": {"_id": by, "records": records, "value": {"$sum": _amount(rule)}}}]


def _is_there(value: str) -> Document:
    return {"$gt": [value, None]}


def _one_if(value: str) -> Document:
    return {"$cond": [_is_there(value), 1, 0]}


def _number(rule: Rule, group: Document) -> Document:
    """The number of a group; the last of no values is None, the sum of no records 0."""
    nothing = None if rule.measure == "last" else 0
    return {"records": group["records"], "value": group.get("value", nothing)}


def _row(rule: Rule) -> Document:
    return {
        "$project": {
            "_id": 0,
            "id": "$_id",
            "version": {"$ifNull": ["$version", 0]},
            "day": f"$state.{rule.on}",
            "amount": _amount(rule),
        }
    }


def _amount(rule: Rule) -> Any:
    """The contribution of one record: 1, a number, or the value whose different ones or last one are asked for."""
    how, field = rule.measure, rule.field
    if how == "count":
        return {"$literal": 1}
    return {"$ifNull": [f"$state.{field}", 0 if how == "sum" else None]}


def _edge(collection: Collection[Document], after: str) -> str | None:
    """The id of the last record that one page looks at; None where it reaches the end."""
    beyond = collection.find({"_id": {"$gt": after}}, {"_id": 1}).sort("_id", 1).skip(SCANNED - 1).limit(1)
    return next((document["_id"] for document in beyond), None)


def _name(value: Any) -> str:
    """A group's name in JSON; records without a value are in the group with the empty name."""
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
