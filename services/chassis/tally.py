"""The service's own count by a plan rule: straight from the records, another way than the gateway's (G-16)."""

from __future__ import annotations

from typing import Any

from pymongo.collection import Collection

from services.chassis.mongo import Document
from services.contract.rule import Condition, Rule


def tally(collection: Collection[Document], rule: Rule, *, first: str, last: str) -> dict[str, Any]:
    """Number of records and their amount with a day in this period (both days inclusive), in all and by dimension."""
    matching = {
        "$and": [_test(condition) for condition in rule.where] + [{f"state.{rule.on}": {"$gte": first, "$lte": last}}]
    }
    amount: Any = 1 if rule.sum is None else {"$ifNull": [f"$state.{rule.sum}", 0]}

    def grouped(by: Any) -> list[Document]:
        return list(
            collection.aggregate(
                [{"$match": matching}, {"$group": {"_id": by, "records": {"$sum": 1}, "value": {"$sum": amount}}}]
            )
        )

    (whole,) = grouped(None) or [{"records": 0, "value": 0}]
    return {
        "records": whole["records"],
        "value": whole["value"],
        "by": {
            name: {
                _name(group["_id"]): {"records": group["records"], "value": group["value"]}
                for group in grouped(f"$state.{name}")
            }
            for name in rule.by
        },
    }


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


def _name(value: Any) -> str:
    """A group's name as JSON has it; records without a value are in the group with the empty name."""
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
