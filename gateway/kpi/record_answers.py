"""Answers about records: the ones behind a number, and the versions of one of them. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from gateway.kpi.plan_answers import Answer
from services.contract.rule import Rule


def record(rule: Rule, view: Mapping[str, Any]) -> Answer:
    """Describe one of the records behind a number, with its day, its amount and the fields it can be grouped by."""
    data = view["data"]
    return {
        **evidence(rule, view),
        "day": data[rule.on],
        "amount": rule.amount(data),
        **{name: data.get(name) for name in rule.by},
    }


def evidence(rule: Rule, view: Mapping[str, Any]) -> Answer:
    """Name a record, and the address of its history."""
    id_ = view["_id"].removeprefix(f"{rule.of.key}/")
    return {
        "service": rule.of.service,
        "kind": rule.of.name,
        "id": id_,
        "version": view["version"],
        "state": view["data"]["state"],
        "history": f"/api/v1/records/{rule.of.service}/{rule.of.name}/{quote(id_, safe='')}/history",
    }


def version(row: Mapping[str, Any]) -> Answer:
    """Describe one version of a record as the gateway received it."""
    event = {name: row[name] for name in ("happened", "time", "actor", "cause", "hash")}
    return {"version": row["_id"]["version"], **event, "view": row["data"]}
