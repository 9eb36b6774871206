"""The plan file: YAML that staff can read, checked word by word; whatever is wrong is told with its line.

All texts stay texts until the schema says what they are (511102 is a code, 2011-12-31 a day), aliases are refused
because a few of them can stand for gigabytes, and a word that occurs twice is refused because YAML would drop one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import marshmallow
import yaml
from marshmallow import ValidationError, fields, post_load, validates_schema
from marshmallow.validate import Length, OneOf, Range, Regexp

from gateway.plan import Beside, Item, Kpi, Plan, Target, Unit, Words
from services.contract import rule
from services.contract.district import DISTRICTS
from services.contract.topology import SERVICES

LARGEST = 1_000_000  # bytes
DEEPEST = 20  # levels of nesting

At = tuple[str | int, ...]
"""Where something stands in a file: `("items", 34, "kpis", 0, "rule", "on")`."""


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong, and where."""

    line: int
    at: str
    says: str


class BrokenPlan(ValueError):
    """The file cannot be a plan; one line for each fault: `2011.yaml:12: items[0].due: ...`."""

    def __init__(self, name: str, *faults: Fault) -> None:
        self.faults = faults
        super().__init__(
            "\n".join(f"{name}:{fault.line}: {fault.at + ': ' if fault.at else ''}{fault.says}" for fault in faults)
        )


def read_folder(folder: Path) -> dict[int, Plan]:
    """The plans of all years; raises `BrokenPlan`."""
    plans: dict[int, Plan] = {}
    for file in sorted(folder.glob("*.yaml")):
        plan = read(file.name, file.read_bytes())
        if plan.year in plans:
            raise BrokenPlan(file.name, Fault(1, "year", f"there is another plan for {plan.year}"))
        plans[plan.year] = plan
    return plans


def read(name: str, content: bytes) -> Plan:
    """The plan in this file; raises `BrokenPlan` that names everything wrong."""
    if len(content) > LARGEST:
        raise BrokenPlan(name, Fault(1, "", f"{len(content)} bytes; a plan has at most {LARGEST}"))

    try:
        document = _Document(_compose(name, content))
    except yaml.YAMLError as error:
        raise BrokenPlan(name, _fault_in_yaml(error)) from None
    if document.faults:
        raise BrokenPlan(name, *document.faults)

    try:
        return _PlanSchema().load(document.data)
    except ValidationError as error:
        faults = [document.fault(at, says) for at, says in _flat(error.messages)]
        raise BrokenPlan(name, *sorted(faults, key=lambda fault: fault.line)) from None


class _Document:
    """The texts, lists and mappings of a YAML tree, and the line on which each of them stands."""

    def __init__(self, root: yaml.Node) -> None:
        self.faults: list[Fault] = []
        self._lines: dict[At, int] = {}
        self.data = self._plain(root, (), _line(root))

    def fault(self, at: At, says: str) -> Fault:
        """On the line of this place, or of the nearest one around it that is there."""
        known = next(at[:depth] for depth in range(len(at), -1, -1) if at[:depth] in self._lines)
        return Fault(self._lines[known], _path(at), says)

    def _plain(self, node: yaml.Node, at: At, line: int) -> Any:
        self._lines[at] = line
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, at)
        if isinstance(node, yaml.SequenceNode):
            return [self._plain(item, (*at, i), _line(item)) for i, item in enumerate(node.value)]
        return node.value

    def _mapping(self, node: yaml.MappingNode, at: At) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in node.value:
            word, line = str(key.value)[:200], _line(key)
            if not isinstance(key, yaml.ScalarNode):
                self.faults.append(Fault(line, _path(at), "a word is needed before the colon"))
            elif word in found:
                self.faults.append(Fault(line, _path((*at, word)), "stands here twice"))
            else:
                found[word] = self._plain(value, (*at, word), line)
        return found


def _compose(name: str, content: bytes) -> yaml.Node:
    depth = 0
    for event in yaml.parse(content, Loader=yaml.BaseLoader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if isinstance(event, yaml.AliasEvent):
            raise BrokenPlan(name, Fault(_line(event), "", "aliases are not taken"))
        if depth > DEEPEST:
            raise BrokenPlan(name, Fault(_line(event), "", f"nested deeper than {DEEPEST}"))
    root = yaml.compose(content, Loader=yaml.BaseLoader)
    if root is None:
        raise BrokenPlan(name, Fault(1, "", "the file is empty"))
    return root


def _line(node: yaml.Node | yaml.Event) -> int:
    return node.start_mark.line + 1 if node.start_mark else 1


def _fault_in_yaml(error: yaml.YAMLError) -> Fault:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or str(error).partition("\n")[0]
    return Fault(mark.line + 1 if mark else 1, "", problem)


def _flat(messages: Any, at: At = ()) -> Iterator[tuple[At, str]]:
    """Marshmallow's nested messages one by one, each with its place."""
    if isinstance(messages, Mapping):
        for word, inner in messages.items():
            yield from _flat(inner, at if word == marshmallow.exceptions.SCHEMA else (*at, word))
        return
    for message in messages if isinstance(messages, list) else [messages]:
        yield at, f"unknown word {at[-1]!r}" if message == "Unknown field." else str(message)


def _path(at: At) -> str:
    return "".join(f"[{word}]" if isinstance(word, int) else f".{word}" for word in at).lstrip(".")


def _nested(at: At, says: str) -> ValidationError:
    messages: Any = [says]
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
    """A rule held against the contract; what the contract does not know is told with its own place."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> rule.Rule:
        try:
            found = rule.read(value)
        except rule.BrokenRule as error:
            raise _nested(error.at, error.says) from None
        for name in found.by:
            if name != "district" and not found.of.fields[name].choices:
                raise _nested(("by",), f"{found.of.key}.{name} may hold anything; numbers are split by closed lists")
        return found


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


class _KpiSchema(_Schema):
    code = fields.String(required=True, validate=Regexp(r"[A-Z][A-Za-z0-9-]{0,19}\Z"))
    title = fields.Nested(_WordsSchema, required=True)
    unit = fields.Nested(_UnitSchema, required=True)
    targets = fields.List(fields.Nested(_TargetSchema), load_default=list)
    rule = _Rule(required=True)
    reported = fields.Raw()
    beside = fields.List(fields.Nested(_BesideSchema), load_default=list)

    @validates_schema
    def _units_agree(self, data: dict[str, Any], **_: Any) -> None:
        is_money = data["unit"].is_money
        if is_money != _sums_fen(data["rule"]):
            raise _nested(("unit",), _clash(data["rule"]))
        for number, beside in enumerate(data["beside"]):
            if is_money != _sums_fen(beside.rule):
                raise _nested(("beside", number, "rule"), _clash(beside.rule))

    @validates_schema
    def _targets_follow(self, data: dict[str, Any], **_: Any) -> None:
        days = [target.decided_on for target in data["targets"]]
        for number, (earlier, later) in enumerate(pairwise(days), start=1):
            if later <= earlier:
                raise _nested(("targets", number, "decided_on"), f"{later} does not come after {earlier}")

    @post_load
    def _made(self, data: dict[str, Any], **_: Any) -> Kpi:
        scale = data["unit"].scale
        return Kpi(
            code=data["code"],
            title=data["title"],
            unit=data["unit"],
            targets=tuple(replace(target, value=target.value * scale) for target in data["targets"]),
            rule=data["rule"],
            reported=_reported(data["rule"], data["reported"]) if "reported" in data else None,
            beside=tuple(data["beside"]),
        )


class _ItemSchema(_Schema):
    no = fields.Integer(required=True, validate=Range(1, 999))
    section = _Text()
    title = fields.Nested(_WordsSchema, required=True)
    service = fields.String(required=True, validate=OneOf((*SERVICES, "gateway")))
    responsible = _Text()
    due = fields.Date(required=True)
    kpis = fields.List(fields.Nested(_KpiSchema), required=True)

    @post_load
    def _made(self, data: dict[str, Any], **_: Any) -> Item:
        return Item(**{**data, "kpis": tuple(data["kpis"])})


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
    """The same rule with other conditions: what was reported, verified or not."""
    said = counted.say()
    try:
        return rule.read({**said, "where": {**said["where"], **where}})
    except rule.BrokenRule as error:
        raise _nested(("reported", *error.at[1:]), error.says) from None
    except TypeError:
        raise _nested(("reported",), "conditions are a mapping of field to value") from None


def _sums_fen(counted: rule.Rule) -> bool:
    return counted.sum is not None and (counted.sum == "fen" or counted.sum.endswith("_fen"))


def _clash(counted: rule.Rule) -> str:
    counts = f"sums {counted.sum}" if counted.sum else "counts records"
    wanted = "needs a unit of money (fen: true)" if _sums_fen(counted) else "cannot have a unit of money (fen: true)"
    return f"the rule {counts}: it {wanted}"
