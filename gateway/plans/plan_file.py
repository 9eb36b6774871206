"""The plan file, which staff write and review: checked word by word, and every fault reported with its line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any, get_args

import marshmallow
from marshmallow import ValidationError, fields, post_load, validates_schema
from marshmallow.validate import Length, OneOf, Range, Regexp

from gateway.plans import yaml_lines
from gateway.plans.model import Beside, Better, Interval, Item, Kpi, Milestone, Nature, Plan, Target, Unit, Words
from gateway.plans.yaml_lines import At, BrokenFile, FileFault
from services.contract import rule
from services.contract.district import DISTRICTS
from services.contract.topology import SERVICES
from services.kernel import money


def files(folder: Path) -> dict[int, Path]:
    """Find the plan files of all years; raises `BrokenFile`, also where two are of one year."""
    by_year: dict[int, Path] = {}
    for file in sorted(folder.glob("*.yaml")):
        year = read(file.name, file.read_bytes()).year
        if year in by_year:
            raise BrokenFile(file.name, FileFault(1, "year", f"there is another plan for {year}"))
        by_year[year] = file
    return by_year


@lru_cache(maxsize=100)
def read(name: str, content: bytes) -> Plan:
    """Read the plan in a file; raises `BrokenFile` with everything that is wrong, in the order of the lines."""
    document = yaml_lines.read(name, content)
    try:
        plan: Plan = _PlanSchema().load(document.data)
    except ValidationError as error:
        faults = [document.fault(at, message) for at, message in _flat(error.messages)]
        raise BrokenFile(name, *sorted(faults, key=lambda fault: fault.line)) from None
    return plan


def _flat(messages: Any, at: At = ()) -> Iterator[tuple[At, str]]:
    """Yield marshmallow's nested messages one by one, each with its place."""
    if isinstance(messages, Mapping):
        for word, inner in messages.items():
            yield from _flat(inner, at if word == marshmallow.exceptions.SCHEMA else (*at, word))
        return
    for message in messages if isinstance(messages, list) else [messages]:
        yield at, f"unknown word {at[-1]!r}" if message == "Unknown field." else str(message)


def _nested(at: At, message: str) -> ValidationError:
    """Make an error as marshmallow nests it for a place."""
    messages: Any = [message]
    for word in reversed(at):
        messages = {word: messages}
    return ValidationError(messages)


# --- what may stand in the file ---------------------------------------------------------------------------------------


class _Schema(marshmallow.Schema):
    class Meta:
        unknown = marshmallow.RAISE


class _Text(fields.String):
    def __init__(self, **options: Any) -> None:
        super().__init__(required=True, validate=Length(1, 200), **options)


class _Rule(fields.Field[rule.Rule]):
    """A rule, checked by the contract; what the contract does not know is reported with its own place."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> rule.Rule:
        try:
            checked = rule.read(value)
        except rule.BrokenRule as error:
            raise _nested(error.at, error.says) from None
        for name in checked.by:
            if name != "district" and not checked.of.fields[name].choices:
                raise _nested(("by",), f"{checked.of.key}.{name} may hold anything; numbers are split by closed lists")
        return checked


class _WordsSchema(_Schema):
    zh = _Text()
    en = _Text()

    @post_load
    def _made(self, data: dict[str, Any], **_: Any) -> Words:
        return Words(**data)


class _UnitSchema(_Schema):
    zh = _Text()
    en = _Text()
    fen = fields.Boolean(load_default=False)

    @post_load
    def _made(self, data: dict[str, Any], **_: Any) -> Unit:
        return Unit(Words(data["zh"], data["en"]), is_money=data["fen"])


class _TargetSchema(_Schema):
    value = fields.Integer(required=True, validate=Range(0, 2**53))
    baseline = fields.Integer(load_default=None, validate=Range(0, 2**53))
    decided_on = fields.Date(required=True)
    doc_no = _Text()

    @post_load
    def _made(self, data: dict[str, Any], **_: Any) -> Target:
        return Target(**data)


class _BesideSchema(_Schema):
    title = fields.Nested(_WordsSchema, required=True)
    rule = _Rule(required=True)

    @post_load
    def _made(self, data: dict[str, Any], **_: Any) -> Beside:
        return Beside(**data)


def _code() -> fields.String:
    return fields.String(required=True, validate=Regexp(r"[A-Z][A-Za-z0-9-]{0,29}\Z"))


class _MilestoneSchema(_Schema):
    code = _code()
    title = fields.Nested(_WordsSchema, required=True)
    rule = _Rule(required=True)
    due = fields.Date(required=True)

    @post_load
    def _made(self, data: dict[str, Any], **_: Any) -> Milestone:
        return Milestone(**data)


class _PaceSchema(_Schema):
    months = fields.List(fields.Integer(validate=Range(0, 100)), required=True, validate=Length(equal=12))

    @validates_schema
    def _is_whole(self, data: dict[str, Any], **_: Any) -> None:
        if (whole := sum(data["months"])) != 100:
            raise _nested(("months",), f"the percents of the months add up to {whole}, not 100")


class _KpiSchema(_Schema):
    code = _code()
    title = fields.Nested(_WordsSchema, required=True)
    unit = fields.Nested(_UnitSchema, required=True)
    nature = fields.String(load_default="flow", validate=OneOf(get_args(Nature)))
    better = fields.String(load_default="more", validate=OneOf(get_args(Better)))
    targets = fields.List(fields.Nested(_TargetSchema), load_default=list)
    rule = _Rule()
    least = fields.Dict(fields.String(validate=Length(1, 40)), _Rule(), validate=Length(2, 9))
    reported = fields.Raw()
    scheduled = _Rule(load_default=None)
    beside = fields.List(fields.Nested(_BesideSchema), load_default=list)
    pace = fields.Nested(_PaceSchema, load_default=None)
    expects = fields.String(load_default=None, validate=OneOf(get_args(Interval)))

    @validates_schema
    def _counts_something(self, data: dict[str, Any], **_: Any) -> None:
        if ("rule" in data) == ("least" in data):
            raise _nested((), "a number has either a rule or the parts that it is the least of")
        if "least" in data and "reported" in data:
            raise _nested(("reported",), "what is the least of parts has no second number")

    @validates_schema
    def _natures_agree(self, data: dict[str, Any], **_: Any) -> None:
        if any((counted.measure == "last") != (data["nature"] == "stock") for _, counted in _counted(data)):
            raise _nested(("nature",), "a stock (nature: stock) is what its last record says, and no other number is")

    @validates_schema
    def _units_agree(self, data: dict[str, Any], **_: Any) -> None:
        is_money = data["unit"].is_money
        for at, counted in _counted(data):
            if is_money != _is_money(counted):
                raise _nested(("unit",) if at == ("rule",) else at, _clash(counted))

    @validates_schema
    def _districts_are_kept(self, data: dict[str, Any], **_: Any) -> None:
        for at, counted in _counted(data):
            if "district" not in counted.by:
                raise _nested((*at, "by"), "every number can be asked for a district: district is missing")

    @validates_schema
    def _targets_follow(self, data: dict[str, Any], **_: Any) -> None:
        days = [target.decided_on for target in data["targets"]]
        for number, (earlier, later) in enumerate(pairwise(days), start=1):
            if later <= earlier:
                raise _nested(("targets", number, "decided_on"), f"{later} does not come after {earlier}")

    @post_load
    def _made(self, data: dict[str, Any], **_: Any) -> Kpi:
        scale = data["unit"].scale
        parts = data.pop("least", None) or {"rule": data.pop("rule")}
        reported = _reported(parts["rule"], data["reported"]) if "reported" in data else None
        pace = tuple(data["pace"]["months"]) if data["pace"] else None
        lists = {
            "targets": tuple(_scaled(target, scale) for target in data["targets"]),
            "beside": tuple(data["beside"]),
        }
        return Kpi(**{**data, **lists, "parts": parts, "reported": reported, "pace": pace})


class _ItemSchema(_Schema):
    no = fields.Integer(required=True, validate=Range(1, 999))
    section = _Text()
    title = fields.Nested(_WordsSchema, required=True)
    service = fields.String(required=True, validate=OneOf((*SERVICES, "gateway")))
    responsible = _Text()
    due = fields.Date(required=True)
    kpis = fields.List(fields.Nested(_KpiSchema), load_default=list)
    milestones = fields.List(fields.Nested(_MilestoneSchema), load_default=list)
    unmeasured = fields.Nested(_WordsSchema, load_default=None)

    @validates_schema
    def _says_what_is_counted(self, data: dict[str, Any], **_: Any) -> None:
        if bool(data["kpis"] or data["milestones"]) == bool(data["unmeasured"]):
            message = "an item has KPIs or milestones, or else says why nothing of it is counted (unmeasured)"
            raise _nested(("kpis",), message)

    @post_load
    def _made(self, data: dict[str, Any], **_: Any) -> Item:
        return Item(**{**data, "kpis": tuple(data["kpis"]), "milestones": tuple(data["milestones"])})


class _PlanSchema(_Schema):
    title = fields.Nested(_WordsSchema, required=True, data_key="plan")
    year = fields.Integer(required=True, validate=Range(1900, 2199))
    timezone = fields.String(required=True, validate=OneOf(["Asia/Shanghai"]))
    districts = fields.Dict(fields.String(), fields.String(), required=True, validate=Length(1))
    sections = fields.Dict(fields.String(), fields.Nested(_WordsSchema), required=True)
    items = fields.List(fields.Nested(_ItemSchema), required=True, validate=Length(1))

    @validates_schema
    def _districts_are_ours(self, data: dict[str, Any], **_: Any) -> None:
        for code, name in data["districts"].items():
            if DISTRICTS.get(code) != name:
                known = DISTRICTS.get(code, f"no district of ours; known: {', '.join(DISTRICTS)}")
                raise _nested(("districts", code), f"{code} is not {name}, it is {known}")

    @validates_schema
    def _sections_are_there(self, data: dict[str, Any], **_: Any) -> None:
        for number, item in enumerate(data["items"]):
            if item.section not in data["sections"]:
                raise _nested(("items", number, "section"), f"there is no section {item.section!r}")

    @validates_schema
    def _codes_are_single(self, data: dict[str, Any], **_: Any) -> None:
        _single((("items", i, "no"), item.no) for i, item in enumerate(data["items"]))
        _single(
            (("items", i, "kpis", k, "code"), kpi.code)
            for i, item in enumerate(data["items"])
            for k, kpi in enumerate(item.kpis)
        )
        _single(
            (("items", i, "milestones", k, "code"), milestone.code)
            for i, item in enumerate(data["items"])
            for k, milestone in enumerate(item.milestones)
        )

    @post_load
    def _made(self, data: dict[str, Any], **_: Any) -> Plan:
        del data["timezone"]
        return Plan(**{**data, "items": tuple(data["items"])})


def _single(named: Iterator[tuple[At, object]]) -> None:
    seen: set[object] = set()
    for at, name in named:
        if name in seen:
            raise _nested(at, f"{name} stands here twice")
        seen.add(name)


def _reported(counted: rule.Rule, where: Any) -> rule.Rule:
    """Read the rule of what was reported, verified or not: the counted rule with other conditions."""
    stated = counted.say()
    try:
        return rule.read({**stated, "where": {**stated["where"], **where}})
    except rule.BrokenRule as error:
        raise _nested(("reported", *error.at[1:]), error.says) from None
    except TypeError:
        raise _nested(("reported",), "conditions are a mapping of field to value") from None


def _counted(data: Mapping[str, Any]) -> Iterator[tuple[At, rule.Rule]]:
    """Yield every rule whose number is in the KPI's unit, with its place."""
    if "rule" in data:
        yield ("rule",), data["rule"]
    for name, part in data.get("least", {}).items():
        yield ("least", name), part
    if data["scheduled"]:
        yield ("scheduled",), data["scheduled"]
    for number, beside in enumerate(data["beside"]):
        yield ("beside", number, "rule"), beside.rule


def _scaled(target: Target, scale: int) -> Target:
    baseline = None if target.baseline is None else target.baseline * scale
    return replace(target, value=target.value * scale, baseline=baseline)


def _is_money(counted: rule.Rule) -> bool:
    field = counted.field if counted.measure in ("sum", "last") else None
    return field is not None and money.is_money(field)


def _clash(counted: rule.Rule) -> str:
    counts = f"{counted.measure}s {counted.field}" if counted.field else "counts records"
    clash = "needs a unit of money (fen: true)" if _is_money(counted) else "cannot have a unit of money (fen: true)"
    return f"the rule {counts}: it {clash}"
