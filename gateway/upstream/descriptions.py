"""Descriptions: the commands, queries and kinds of record of each service, as its `describe` states them."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from nameko.extensions import SharedExtension
from pymongo.errors import PyMongoError

from services.chassis.mongo import database, patiently
from services.chassis.problem import FieldError, InvalidInput, NotAllowed
from services.chassis.tokens import Actor
from services.contract import KINDS, wire
from services.contract.view import Field, Kind

TYPES: Mapping[str, type] = {"string": str, "integer": int, "boolean": bool}

OF_EVERY_COMMAND = ("command_id", "expected_version")


@dataclass(frozen=True)
class CommandDescription:
    """A command of a service: its kind of record, the roles that may send it, and its fields."""

    kind: Kind
    roles: frozenset[str]
    known: tuple[str, ...]
    needed: tuple[str, ...]
    input: Mapping[str, Any] = field(default_factory=dict)  # its JSON Schema
    adds: bool = False  # a record, and changes none
    confidential: bool = False  # its input may be stored by its service alone

    def check(self, arguments: Mapping[str, Any], *, actor: Actor) -> None:
        """Check what can be checked without the service; raises `NotAllowed` or `InvalidInput`."""
        if not actor.roles & self.roles:
            raise NotAllowed(needs="/".join(sorted(self.roles)), yours="/".join(sorted(actor.roles)))

        if errors := [*self._unknown(arguments), *self._missing(arguments)]:
            raise InvalidInput(*errors)

    def _unknown(self, arguments: Mapping[str, Any]) -> list[FieldError]:
        listed = ", ".join(self.known)
        return [
            FieldError(name[:100], f"Unknown field; known: {listed}.", f"未知字段；可用：{listed}。")
            for name in arguments
            if name not in (*self.known, *OF_EVERY_COMMAND)
        ]

    def _missing(self, arguments: Mapping[str, Any]) -> list[FieldError]:
        return [
            FieldError(name, "This field is needed.", "此项必填。")
            for name in self.needed
            if arguments.get(name) is None
        ]


@dataclass(frozen=True)
class ServiceDescription:
    """The part of a service's description that this gateway's contract knows, and when it was read."""

    kinds: dict[str, Kind]  # by their plural
    office: dict[str, dict[str, Field]]  # the fields that staff read beside the view, by the plural of their kind
    commands: dict[str, CommandDescription]
    questions: dict[str, Mapping[str, Any]]  # the JSON Schema of each one's parameters
    read_at: float  # by the monotonic clock


class Descriptions(SharedExtension):
    """The last description of each service, stored so that a service that is away is documented too."""

    def setup(self) -> None:
        self._stored = database(self.container.config["SETTINGS"], self.container.service_name)["descriptions"]
        self.by_service: dict[str, Any] = patiently(self._read_stored)

    def note(self, service: str, description: Mapping[str, Any]) -> None:
        """Keep what a service's `describe` answered."""
        if self.by_service.get(service) == description:
            return

        self.by_service = {**self.by_service, service: description}
        with suppress(PyMongoError):  # a gateway that starts then has to ask the service itself
            encoded = {"said": wire.encode(description)}  # as bytes: BSON takes no `$ref` for the name of a field
            self._stored.replace_one({"_id": service}, encoded, upsert=True)

    def _read_stored(self) -> dict[str, Any]:
        return {document["_id"]: wire.decode(document["said"]) for document in self._stored.find()}


def read(service: str, description: Mapping[str, Any], *, read_at: float) -> ServiceDescription:
    """Read the part of a description that this gateway's contract knows too."""
    keys = {name: f"{service}.{name}" for name in description["kinds"]}
    kinds = {name: KINDS[key] for name, key in keys.items() if key in KINDS}
    commands = {name: stated for name, stated in description["commands"].items() if stated["kind"] in kinds}
    queries = description.get("queries", {})
    return ServiceDescription(
        kinds={kind.plural: kind for kind in kinds.values()},
        office={kind.plural: office_fields(description["kinds"][name]) for name, kind in kinds.items()},
        commands={name: _command(stated, kinds[stated["kind"]]) for name, stated in commands.items()},
        questions={name: stated["input"] for name, stated in queries.items() if "input" in stated},
        read_at=read_at,
    )


def office_fields(kind: Mapping[str, Any]) -> dict[str, Field]:
    """The described fields of a kind that staff read beside its view, by path; an earlier release describes none."""
    fields = kind.get("fields", {})
    return {path: _field(path, told["schema"]) for path, told in fields.items() if told["class"] == "office"}


def _field(path: str, schema: Mapping[str, Any]) -> Field:
    """Read a field's JSON Schema; the type of what no filter can compare is `object`."""
    options = [option for option in schema.get("anyOf", [schema]) if option.get("type") != "null"]
    option = options[0] if len(options) == 1 else {}
    if option.get("type") == "array":
        return replace(_field(path, option["items"]), many=True)
    is_day = option.get("format") == "date"
    is_plain = is_day or "format" not in option
    type_ = date if is_day else TYPES.get(option.get("type", ""), object) if is_plain else object
    return Field(path, str if "enum" in option else type_, choices=tuple(option.get("enum", ())))


def _command(stated: Mapping[str, Any], kind: Kind) -> CommandDescription:
    return CommandDescription(
        kind=kind,
        roles=frozenset(stated["roles"]),
        known=tuple(stated["input"]["properties"]),
        needed=tuple(stated["input"]["required"]),
        input=stated["input"],
        adds=stated.get("adds", False),
        confidential=stated.get("confidential", False),
    )
