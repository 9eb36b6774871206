"""Descriptions: what each service said of itself: what it can do, for whom, and how much it has parked."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from nameko.extensions import SharedExtension
from pymongo.errors import PyMongoError

from services.chassis.mongo import database, patiently
from services.chassis.problem import FieldError, InvalidInput, NotAllowed
from services.chassis.tokens import Actor
from services.contract import KINDS, wire
from services.contract.view import Kind

OF_EVERY_COMMAND = ("command_id", "expected_version")


@dataclass(frozen=True)
class CommandDescription:
    """What a service takes: about which kind of record, from whom, and with which fields."""

    kind: Kind
    roles: frozenset[str]
    known: tuple[str, ...]
    needed: tuple[str, ...]
    input: Mapping[str, Any] = field(default_factory=dict)  # its JSON Schema
    adds: bool = False  # a record, and changes none
    confidential: bool = False  # what it is told is kept by its service alone

    def check(self, arguments: Mapping[str, Any], *, actor: Actor) -> None:
        """As much as can be said without the service; raises `NotAllowed` or `InvalidInput`."""
        if not actor.roles & self.roles:
            raise NotAllowed(needs="/".join(sorted(self.roles)), yours="/".join(sorted(actor.roles)))
        listed = ", ".join(self.known)
        errors = [
            FieldError(name[:100], f"Unknown field; known: {listed}.", f"未知字段；可用：{listed}。")
            for name in arguments
            if name not in (*self.known, *OF_EVERY_COMMAND)
        ]
        errors += [
            FieldError(name, "This field is needed.", "此项必填。")
            for name in self.needed
            if arguments.get(name) is None
        ]
        if errors:
            raise InvalidInput(*errors)


@dataclass(frozen=True)
class ServiceDescription:
    """What a service said it can do, and when."""

    kinds: dict[str, Kind]  # by their plural
    commands: dict[str, CommandDescription]
    questions: dict[str, Mapping[str, Any]]  # what each asks for, as a JSON Schema
    heard: float


class Descriptions(SharedExtension):
    """What each service said of itself last, as it said it; remembered, so that one that is away is described too."""

    def setup(self) -> None:
        self._held = database(self.container.config["SETTINGS"], self.container.service_name)["descriptions"]
        self.said: dict[str, Any] = patiently(self._remembered)

    def hear(self, service: str, said: Mapping[str, Any]) -> None:
        if self.said.get(service) == said:
            return
        self.said = {**self.said, service: said}
        with suppress(PyMongoError):  # then whoever starts next hears it from the service
            self._held.replace_one({"_id": service}, {"said": wire.encode(said)}, upsert=True)

    def _remembered(self) -> dict[str, Any]:
        """As bytes: BSON takes no `$ref` for the name of a field."""
        return {held["_id"]: wire.decode(held["said"]) for held in self._held.find()}


def read(service: str, said: Mapping[str, Any], *, heard: float) -> ServiceDescription:
    """Of what it said, the part that this gateway's contract knows too."""
    kinds = {name: KINDS[f"{service}.{name}"] for name in said["kinds"] if f"{service}.{name}" in KINDS}
    return ServiceDescription(
        kinds={kind.plural: kind for kind in kinds.values()},
        commands={
            name: CommandDescription(
                kind=kinds[one["kind"]],
                roles=frozenset(one["roles"]),
                known=tuple(one["input"]["properties"]),
                needed=tuple(one["input"]["required"]),
                input=one["input"],
                adds=one.get("adds", False),
                confidential=one.get("confidential", False),
            )
            for name, one in said["commands"].items()
            if one["kind"] in kinds
        },
        questions={name: one["input"] for name, one in said.get("queries", {}).items() if "input" in one},
        heard=heard,
    )
