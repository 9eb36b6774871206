"""Rows: which parts of an answer are the rows of its table; what is left is told about all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

Answer = Mapping[str, Any]
Row = Mapping[str, Any]
Split = Callable[[Answer], tuple[Iterable[Row], dict[str, Any]]]

ABOUT_ALL = ("as_of", "generation", "revision", "freshness", "complete", "reasons")
"""What an answer says of the state that it was made from."""

ABOUT_A_NUMBER = ("code", "title", "unit", "period", "definition")
"""What each of a number's groups is a part of."""


def of(name: str) -> Split:
    """The rows are the list of this name; amounts in them are counted in the answer's unit, where it has one."""

    def split(answer: Answer) -> tuple[Iterable[Row], dict[str, Any]]:
        unit = {"unit": answer["unit"]} if "unit" in answer else {}
        return ({**row, **unit} for row in answer[name]), _without(answer, name, "cursor")

    return split


items = of("items")


def kpis(answer: Answer) -> tuple[Iterable[Row], dict[str, Any]]:
    """A row for each KPI and each milestone of each item, and one for each item without any."""
    told = _without(answer, "items")
    return list(_of_items(answer["items"], (*told, "item"))), told


def number(answer: Answer) -> tuple[Iterable[Row], dict[str, Any]]:
    """The number itself, then its groups, then what belongs to none of them (G-11)."""
    told = {name: answer[name] for name in (*ABOUT_A_NUMBER, *ABOUT_ALL) if name in answer}
    whole = _flat(_without(answer, "by", "groups", "unassigned", "adds_up", "explain", *ABOUT_ALL))
    if "groups" not in answer:
        return [whole], told
    about = {name: answer[name] for name in ABOUT_A_NUMBER if name in answer}
    groups = [_group(about, group) for group in answer["groups"]]
    unassigned = _group(about, {"key": None, "name": "未归入", **answer["unassigned"]})
    return [_group({}, {"key": None, "name": "合计", **whole}), *groups, unassigned], told


def _group(about: Row, group: Row) -> Row:
    return {"group": {"key": group["key"], "name": group["name"]}, **about, **_without(group, "key", "name")}


def _of_items(items: Iterable[Row], said: Iterable[str]) -> Iterator[Row]:
    for item in items:
        about = {"item": _without(item, "kpis", "milestones")}
        rows: list[Row] = [{**about, "kpi": _flat(_without(kpi, *said))} for kpi in item["kpis"]]
        rows += [{**about, "milestone": _without(one, "item")} for one in item["milestones"]]
        yield from rows or [about]


def _flat(kpi: Row) -> Row:
    """Status and rule in a column each; the months are the series, which has a file of its own."""
    status = kpi.get("status")
    rule = {"rule": status["rule"]} if status else {}
    return {**_without(kpi, "months"), "status": status and status["code"], **rule}


def _without(answer: Answer, *names: str) -> dict[str, Any]:
    return {name: value for name, value in answer.items() if name not in names}
