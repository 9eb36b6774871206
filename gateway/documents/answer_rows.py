"""Rows of an answer: which of its parts are the rows of a table, and which are facts about all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

Answer = Mapping[str, Any]
Row = Mapping[str, Any]
Split = Callable[[Answer], tuple[Iterable[Row], dict[str, Any]]]

ABOUT_ALL = ("as_of", "generation", "revision", "freshness", "complete", "reasons")
"""Fields about the state that an answer was made from."""

ABOUT_A_NUMBER = ("code", "title", "unit", "period", "definition")
"""Fields about the number that each of its groups is a part of."""


def of(name: str) -> Split:
    """Take the rows from the list of this name; amounts in them are in the answer's unit, where it has one."""

    def split(answer: Answer) -> tuple[Iterable[Row], dict[str, Any]]:
        unit = {"unit": answer["unit"]} if "unit" in answer else {}
        return ({**row, **unit} for row in answer[name]), _without(answer, name, "cursor")

    return split


items = of("items")


def kpis(answer: Answer) -> tuple[Iterable[Row], dict[str, Any]]:
    """Make a row of each KPI and each milestone of each item, and of each item without any."""
    facts = _without(answer, "items")
    return list(_of_items(answer["items"], (*facts, "item"))), facts


def number(answer: Answer) -> tuple[Iterable[Row], dict[str, Any]]:
    """Make a row of the number itself; of one that is split a row of each group and of the records in none (G-11).

    The total of these comes last, and each row says which it is: whoever adds up the column counts nothing twice.
    """
    facts = {name: answer[name] for name in (*ABOUT_A_NUMBER, *ABOUT_ALL) if name in answer}
    whole = _flat(_without(answer, "by", "groups", "unassigned", "adds_up", "explain", *ABOUT_ALL))
    if "groups" not in answer:
        return [whole], facts
    about = {name: answer[name] for name in ABOUT_A_NUMBER if name in answer}
    groups = [_group("group", about, group) for group in answer["groups"]]
    unassigned = _group("unassigned", about, {"key": None, "name": None, **answer["unassigned"]})
    return [*groups, unassigned, _group("total", {}, {"key": None, "name": None, **whole})], facts


def _group(row: str, about: Row, group: Row) -> Row:
    named = {"key": group["key"], "name": group["name"]}
    return {"row": row, "group": named, **about, **_without(group, "key", "name")}


def _of_items(items: Iterable[Row], facts: Iterable[str]) -> Iterator[Row]:
    for item in items:
        about = {"item": _without(item, "kpis", "milestones")}
        rows: list[Row] = [{**about, "kpi": _flat(_without(kpi, *facts))} for kpi in item["kpis"]]
        rows += [{**about, "milestone": _without(milestone, "item")} for milestone in item["milestones"]]
        yield from rows or [about]


def _flat(kpi: Row) -> Row:
    """Give status and rule a column each; leave out the months, which have a file of their own, and the text."""
    status = kpi.get("status")
    rule = {"rule": status["rule"]} if status else {}
    return {**_without(kpi, "months", "text"), "status": status and status["code"], **rule}


def _without(answer: Answer, *names: str) -> dict[str, Any]:
    return {name: value for name, value in answer.items() if name not in names}
