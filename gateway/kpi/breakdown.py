"""Breakdown of a number: by the values of one field or several, and by what lets a record count or not. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, Protocol

from gateway.kpi import rule_text
from gateway.kpi.figures import NO_RECORDS, Figures, Number
from gateway.kpi.measures import Cell
from gateway.kpi.plan_answers import Answer, bilingual
from gateway.kpi.plan_index import AskedPeriod, KpiLine
from services.contract.rule import Rule


class RecordGroup(Protocol):
    """Values that some records have, and how many records these are."""

    values: dict[str, Any]
    records: int


def by_field(line: KpiLine, field: str, period: AskedPeriod, figures: Figures) -> Answer:
    """Split the number by the values of a field: the known values first, in their order, then the others.

    With `unassigned` the groups add up to the number, but not where a record may be in several groups, nor where the
    number is the least of its parts (G-11): `adds_up` says so.
    """
    parts = [figures.groups(measure, field, period) for measure in line.parts.values()]
    values = {value for groups in parts for value, cell in groups.items() if cell.seen and value is not None}
    known = line.plan.districts if field == "district" else dict.fromkeys(line.kpi.rule.of.fields[field].choices)

    def number(value: str | None) -> Answer:
        cells = [groups.get(value, NO_RECORDS) for groups in parts]
        return figures.least(line.parts.values(), cells, period).answer()

    ordered = [*known, *sorted(values - set(known))]
    return {
        "by": field,
        "groups": [{"key": value, "name": _name(line, field, value), **number(value)} for value in ordered],
        "unassigned": number(None),
        "adds_up": len(parts) == 1 and line.kpi.rule.is_additive,
    }


def by_fields(line: KpiLine, fields: Sequence[str], cells: Iterable[tuple[Mapping[str, Any], Cell]]) -> Answer:
    """Split the number by the values of several fields at once; the records that lack one of them are unassigned."""
    groups: dict[tuple[Any, ...], Cell] = {}
    for values, cell in cells:
        key = tuple(values.get(name) for name in fields)
        if any(value in (None, "") for value in key):
            key = ()
        groups[key] = groups.get(key, NO_RECORDS) + cell
    unassigned = groups.pop((), NO_RECORDS)
    return {
        "by": ",".join(fields),
        "groups": [
            {
                "key": ",".join(key),
                "name": " / ".join(map(partial(_name, line), fields, key)),
                **Number.of_cell(cell).answer(),
            }
            for key, cell in sorted(groups.items())
        ],
        "unassigned": Number.of_cell(unassigned).answer(),
        "adds_up": True,
    }


def explain(line: KpiLine, spreads: Iterable[tuple[Rule, Iterable[RecordGroup]]]) -> Answer:
    """Explain the number: the rule in words, records by state, and why those that do not count do not."""
    return {
        "counts": [_explain_rule(rule, list(groups)) for rule, groups in spreads],
        "pace": bilingual(rule_text.pace(line.kpi, line.item.due)),
    }


def _explain_rule(rule: Rule, groups: Sequence[RecordGroup]) -> Answer:
    by_state: Counter[str] = Counter()
    excluded: Counter[tuple[str, Hashable]] = Counter()
    for group in groups:
        by_state[str(group.values["state"])] += group.records
        if reason := _why_excluded(rule, group.values):
            excluded[reason] += group.records
    return {
        "rule": rule.say(),
        "words": bilingual(rule_text.rule(rule)),
        "by_state": dict(by_state),
        "excluded": [
            {
                "field": field,
                "value": value,
                "records": records,
                **bilingual(rule_text.exclusion(rule, field, value)),
            }
            for (field, value), records in sorted(excluded.items(), key=str)
        ],
    }


def _why_excluded(rule: Rule, values: Mapping[str, Any]) -> tuple[str, Hashable] | None:
    """Return the first condition's field that these values do not meet, with its value; None where they count."""
    unmet = next((condition for condition in rule.where if not condition.holds(values)), None)
    if unmet is None:
        return None
    value = values[unmet.field]
    return unmet.field, tuple(value) if isinstance(value, list) else value


def _name(line: KpiLine, field: str, value: str) -> str:
    if field == "district":
        return line.plan.districts.get(value, value)
    return rule_text.value(value, line.kpi.rule, field).zh
