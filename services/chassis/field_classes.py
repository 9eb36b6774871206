"""Field classes: who may read which field of a record. Each field is in exactly one class, declared beside its store.

**public** fields are the view: everybody who may read records reads them, and events carry them. **office** fields are
read by staff within their district, **personal** ones by the roles named for each of them, on request, and each such
reading is noted. **internal** fields, such as normalised keys and what is sealed, are read by nobody.

A field of a value inside the record has a path: `material.title`. What no store declares is internal.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from functools import cached_property
from typing import Any, get_type_hints

import msgspec

from services.chassis.districts import is_within, require_within
from services.chassis.mongo import Document
from services.chassis.problem import FieldError, InvalidInput, NotAllowed
from services.chassis.tokens import STAFF, Actor
from services.contract import glossary, wire
from services.contract.view import Field, Kind, field_of, without_null

OUTSIDE = ("judge", "system")
"""Roles that read no more than the view, whatever others come with them."""

MISSING = object()


@dataclass(frozen=True, eq=False)
class FieldClasses:
    """The classes of a kind's fields beside those of its view, which are public."""

    kind: Kind
    record: type
    office: tuple[str, ...] = ()
    personal: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    internal: tuple[str, ...] = ()

    def reader(self, actor: Actor, *, personal: bool = False) -> Reader:
        """Return what this caller reads; raises a problem where it asks for personal fields and may read none."""
        mine = tuple(name for name, roles in self.personal.items() if not actor.roles.isdisjoint(roles))
        if personal and not self.personal:
            raise InvalidInput(FieldError("personal", "These records have none.", "此类记录没有个人信息字段。"))
        if personal and (not mine or not _is_in_office(actor)):
            needed = sorted({role for roles in self.personal.values() for role in roles})
            raise NotAllowed(needs="/".join(needed), yours="/".join(sorted(actor.roles)))
        return Reader(self, actor, mine if personal else ())

    def changed(self, before: Document, after: Document) -> Document:
        """Return the office fields that differ, as they were before: that is what a history keeps of them."""
        return _pick(before, (path for path in self.office if not _is_same(dig(before, path), dig(after, path))))

    @cached_property
    def office_fields(self) -> dict[str, Field]:
        """The office fields as filters see them, by path."""
        return {path: field_of(path, self._hint(path)) for path in self.office}

    @cached_property
    def described(self) -> dict[str, Any]:
        """The fields that the view lacks, each with its class, the roles that read it, and its JSON Schema."""
        office = {path: self._described(path, "office", STAFF) for path in self.office}
        personal = {path: self._described(path, "personal", roles) for path, roles in self.personal.items()}
        return {**office, **personal, **{path: {"class": "internal", "roles": []} for path in self.internal}}

    def flaws(self) -> Iterator[str]:
        """Name each field of the record that is in no class or in two, and each declared one that there is not."""
        declared = [*self.office, *self.personal, *self.internal]
        known = [path for path in _paths(self.record, declared) if path not in self.kind.fields]
        yield from (f"{path} is in no class" for path in known if path not in declared)
        yield from (f"{path} is no field, or public, or inside another one" for path in declared if path not in known)
        yield from (f"{path} is in two classes" for path in set(declared) if declared.count(path) > 1)

    def _hint(self, path: str) -> Any:
        hint: Any = self.record
        for name in path.split("."):
            hint = get_type_hints(without_null(hint), include_extras=True)[name]
        return hint

    def _described(self, path: str, name: str, roles: Iterable[str]) -> dict[str, Any]:
        (schema,), parts = msgspec.json.schema_components([self._hint(path)], ref_template="{name}")
        title = glossary.field(path.rpartition(".")[2], of=self.kind.key)
        return {"class": name, "roles": sorted(roles), "schema": {"title": title, **_inlined(schema, parts)}}


@dataclass(frozen=True)
class Reader:
    """What one caller reads of the records of one kind."""

    classes: FieldClasses
    actor: Actor
    personal: tuple[str, ...] = ()  # the personal fields that it asked for

    def item(self, document: Document) -> Document:
        """Return a record as this caller sees it: the view with id and version, and the fields of its classes."""
        state = document["state"]
        shown = {name: state.get(name) for name in self.classes.kind.fields}
        return {"id": document["_id"], "version": document["version"], **shown, **self._beside(state)}

    def before(self, entry: Document, state: Document) -> Document:
        """Return an entry of a history as this caller sees it."""
        is_hidden = not (_is_in_office(self.actor) and is_within(self.actor, state))
        return {name: value for name, value in entry.items() if name != "before"} if is_hidden else entry

    def require_within(self, state: Document) -> None:
        """Raise `NotAllowed` where personal fields were asked for, and the record is of another district."""
        if self.personal:
            require_within(self.actor, state)

    @cached_property
    def fields(self) -> dict[str, Field]:
        """The fields that this caller can filter and sort by, by path; nobody can by personal ones."""
        office = self.classes.office_fields if _is_in_office(self.actor) else {}
        return {**self.classes.kind.fields, **office}

    def limits(self, path: str) -> Document:
        """Return the filter that goes with a condition on this field, so that it tells nothing of other districts."""
        is_limited = self.actor.district is not None and path in self.classes.office
        return {"state.district": self.actor.district} if is_limited else {}

    def _beside(self, state: Document) -> Document:
        if not (_is_in_office(self.actor) and is_within(self.actor, state)):
            return {}
        return _pick(state, (*self.classes.office, *self.personal), is_whole=True)


def for_roles(roles: tuple[str, ...], *paths: str) -> Mapping[str, tuple[str, ...]]:
    """Declare the personal fields that these roles read."""
    return dict.fromkeys(paths, roles)


def dig(state: Document, path: str) -> Any:
    """Return the value at this path; None where there is none."""
    value = _dig(state, path)
    return None if value is MISSING else value


def _is_in_office(actor: Actor) -> bool:
    """True for staff, unless they judge as well, which stays blind (A-12, A-13), or are an outside system."""
    return not actor.roles.isdisjoint(STAFF) and actor.roles.isdisjoint(OUTSIDE)


def _is_same(stored: Any, new: Any) -> bool:
    """Compare a value as the database returned it, with lists, and as a record was written, with tuples."""
    return bool(wire.canonical(stored) == wire.canonical(new))


def _dig(state: Any, path: str) -> Any:
    for name in path.split("."):
        state = state.get(name, MISSING) if isinstance(state, dict) else MISSING
    return state


def _pick(state: Document, paths: Iterable[str], *, is_whole: bool = False) -> Document:
    """Return the values at these paths, each in its place; those that are missing as None where `is_whole`."""
    picked: Document = {}
    for path in paths:
        value = _dig(state, path)
        if value is MISSING and not is_whole:
            continue
        *outer, name = path.split(".")
        place = picked
        for step in outer:
            place = place.setdefault(step, {})
        place[name] = None if value is MISSING else value
    return picked


def _paths(record: Any, declared: Iterable[str], before: str = "") -> Iterator[str]:
    """The fields of a record; of a value inside it the value's own fields, where some of them are declared."""
    hints = get_type_hints(record)
    for item in fields(record):
        path, inner = f"{before}{item.name}", without_null(hints[item.name])
        if is_dataclass(inner) and any(name.startswith(f"{path}.") for name in declared):
            yield from _paths(inner, declared, f"{path}.")
        else:
            yield path


def _inlined(schema: Any, parts: Mapping[str, Any]) -> Any:
    """Return the schema with each reference replaced by what it refers to."""
    if isinstance(schema, Mapping):
        if "$ref" in schema:
            return _inlined(parts[schema["$ref"]], parts)
        return {name: _inlined(value, parts) for name, value in schema.items()}
    return [_inlined(item, parts) for item in schema] if isinstance(schema, list) else schema
