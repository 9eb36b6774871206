"""A plan rule: which records of a kind count, what is added up, and by which day.

Shared language of the plan (the gateway reads it from a file) and of the services' own recount (`tally`): each of the
two computes it in its own way, which is what makes the recount independent (G-16).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from services.contract import wire
from services.contract.view import COMPARABLE, KINDS, Field, Kind


class BrokenRule(ValueError):
    """A rule with a word that the contract does not know; `at` is the path of that word."""

    def __init__(self, *at: str, says: str) -> None:
        super().__init__(f"{'.'.join(at)}: {says}")
        self.at = at
        self.says = says


@dataclass(frozen=True)
class Condition:
    """A condition on one field: one of `any_of`, or between two bounds (inclusive), or present or absent.

    A field with several values meets `any_of` with any one of its values.
    """

    field: str
    any_of: tuple[Any, ...] = ()
    gte: Any = None
    lte: Any = None
    exists: bool | None = None

    def holds(self, data: Mapping[str, Any]) -> bool:
        """True where a view's field meets the condition; a missing value is within no bounds."""
        value = data.get(self.field)
        if self.exists is not None:
            return (value is not None) == self.exists
        if self.any_of:
            return any(item in self.any_of for item in value) if isinstance(value, list) else value in self.any_of
        return value is not None and (self.gte is None or value >= self.gte) and (self.lte is None or value <= self.lte)

    def say(self) -> Any:
        """The condition as plain JSON, from which `read` makes it again."""
        if self.exists is not None:
            return {"exists": self.exists}
        if self.any_of:
            return self.any_of[0] if len(self.any_of) == 1 else list(self.any_of)
        return {name: bound for name, bound in (("gte", self.gte), ("lte", self.lte)) if bound is not None}


MEASURES = ("sum", "distinct", "last")
"""Measures of a field over the records that count: its sum, its number of values, or its value in the last record."""


@dataclass(frozen=True)
class Rule:
    """The records that count (`where`), their measure (their number, or one of a field), and the deciding day (`on`).

    The measure `last` takes the value of the record with the latest day, as for a stock such as a number of members.
    """

    of: Kind
    where: tuple[Condition, ...]
    measure: str
    field: str | None
    on: str
    by: tuple[str, ...] = ()

    @property
    def sum(self) -> str | None:
        """The field that is added up, or None."""
        return self.field if self.measure == "sum" else None

    @property
    def is_additive(self) -> bool:
        """True where the numbers of parts add up to the number of the whole."""
        return self.measure in ("count", "sum")

    def counts(self, data: Mapping[str, Any]) -> bool:
        """True for a view that meets all conditions; a view without a day counts in no period."""
        return data.get(self.on) is not None and self.holds(data)

    def holds(self, data: Mapping[str, Any]) -> bool:
        """True where all conditions are met, whatever the day."""
        return all(condition.holds(data) for condition in self.where)

    def amount(self, data: Mapping[str, Any]) -> Any:
        """Return the contribution of one record that counts: 1, or the field's value; a missing number adds 0."""
        if self.field is None:
            return 1
        return data[self.field] or 0 if self.measure == "sum" else data[self.field]

    def say(self) -> dict[str, Any]:
        """The rule as plain JSON, from which `read` makes the same rule again."""
        return {
            "of": self.of.key,
            "where": {condition.field: condition.say() for condition in self.where},
            "measure": {self.measure: self.field} if self.field else self.measure,
            "on": self.on,
            "by": list(self.by),
        }

    @property
    def identity(self) -> bytes:
        """The same bytes for the same rule; its title and labels are no part of it."""
        return wire.canonical(self.say())


def read(raw: Any) -> Rule:
    """Read a rule from a plan file or a caller and check it against the contract; raises `BrokenRule`."""
    if not isinstance(raw, Mapping):
        raise BrokenRule(says="a rule is a mapping")
    if unknown := sorted(map(str, set(raw) - {"of", "where", "measure", "on", "by"})):
        raise BrokenRule(unknown[0], says="unknown word")
    kind = KINDS.get(str(raw.get("of")))
    if kind is None:
        raise BrokenRule("of", says=f"unknown kind {raw.get('of')!r}; known: {', '.join(sorted(KINDS))}")

    measure, field = _measure(kind, raw.get("measure", "count"))
    return Rule(
        of=kind,
        where=_conditions(kind, raw.get("where") or {}),
        measure=measure,
        field=field,
        on=_field(kind, raw.get("on"), "on", of_type=date).name,
        by=_dimensions(kind, raw.get("by") or []),
    )


def _field(kind: Kind, name: Any, *at: str, of_type: type | None = None) -> Field:
    field = kind.fields.get(name) if isinstance(name, str) else None
    if field is None:
        raise BrokenRule(*at, says=f"{kind.key} has no field {name!r}; it has {', '.join(kind.fields)}")
    if of_type and (field.type is not of_type or field.many):
        raise BrokenRule(*at, says=f"{kind.key}.{name} is not a {of_type.__name__}")
    return field


def _conditions(kind: Kind, raw: Any) -> tuple[Condition, ...]:
    if not isinstance(raw, Mapping):
        raise BrokenRule("where", says="conditions are a mapping of field to value")
    return tuple(_condition(_field(kind, name, "where", str(name)), test) for name, test in raw.items())


def _condition(field: Field, test: Any) -> Condition:
    at = ("where", field.name)
    if field.type not in COMPARABLE:
        raise BrokenRule(*at, says="no condition can be put on this field")
    if field.many and isinstance(test, Mapping):
        raise BrokenRule(*at, says="a field with several values takes a value or a list")
    if not isinstance(test, Mapping):
        listed = test if isinstance(test, list) else [test]
        if not listed:
            raise BrokenRule(*at, says="an empty list matches nothing")
        return Condition(field.name, any_of=tuple(_value(field, item, *at) for item in listed))
    if "exists" in test and set(test) == {"exists"}:
        return Condition(field.name, exists=_truth(test["exists"], *at))
    if test and set(test) <= {"gte", "lte"} and field.type in (int, date):
        bounds = {name: _value(field, bound, *at) for name, bound in test.items()}
        return Condition(field.name, gte=bounds.get("gte"), lte=bounds.get("lte"))
    raise BrokenRule(*at, says="a condition is a value, a list, {gte: , lte: } on numbers and days, or {exists: true}")


def _value(field: Field, raw: Any, *at: str) -> Any:
    """Read a value as views carry it; plan files hold texts only, so '26' is read as 26 where the field is a number."""
    if field.type is bool:
        return _truth(raw, *at)
    if field.type is int:
        return _whole(raw, *at)
    if field.type is date:
        return _day(raw, *at)
    if field.choices and raw not in field.choices:
        raise BrokenRule(*at, says=f"{raw!r} is not one of {', '.join(field.choices)}")
    if not isinstance(raw, str):
        raise BrokenRule(*at, says=f"{raw!r} is not a text")
    return raw


def _truth(raw: Any, *at: str) -> bool:
    if raw in (True, "true"):
        return True
    if raw in (False, "false"):
        return False
    raise BrokenRule(*at, says=f"{raw!r} is neither true nor false")


def _whole(raw: Any, *at: str) -> int:
    if isinstance(raw, bool) or not isinstance(raw, int | str):
        raise BrokenRule(*at, says=f"{raw!r} is not a whole number")
    try:
        value = int(raw)
    except ValueError:
        raise BrokenRule(*at, says=f"{raw!r} is not a whole number") from None
    if not -wire.LARGEST < value < wire.LARGEST:
        raise BrokenRule(*at, says=f"{raw!r} is beyond 2^63")
    return value


def _day(raw: Any, *at: str) -> str:
    try:
        return date.fromisoformat(str(raw)).isoformat()
    except ValueError:
        raise BrokenRule(*at, says=f"{raw!r} is not a day like 2011-05-14") from None


def _measure(kind: Kind, raw: Any) -> tuple[str, str | None]:
    if raw == "count":
        return "count", None
    if isinstance(raw, Mapping) and len(raw) == 1 and set(raw) <= set(MEASURES):
        ((measure, name),) = raw.items()
        field = _field(kind, name, "measure", measure, of_type=None if measure == "distinct" else int)
        if field.type not in COMPARABLE or field.many:
            raise BrokenRule("measure", measure, says=f"the values of {kind.key}.{name} cannot be told apart")
        return measure, field.name
    raise BrokenRule("measure", says=f"{raw!r} is none of count, {{sum: field}}, {{distinct: field}}, {{last: field}}")


def _dimensions(kind: Kind, raw: Any) -> tuple[str, ...]:
    if not isinstance(raw, list):
        raise BrokenRule("by", says="dimensions are a list of fields")
    for name in raw:
        if _field(kind, name, "by").many:
            raise BrokenRule("by", says=f"{kind.key}.{name} has several values in one record")
        if raw.count(name) > 1:
            raise BrokenRule("by", says=f"{name} is named more than once")
    return tuple(raw)
