"""Public views: one declaration per kind of record gives value, reader, routing keys and schema.

Knows nothing of brokers and databases. A view carries ids, counts, days and states; names, phone numbers and anything
else about a person stay with the owner (X-08).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from datetime import date, datetime
from functools import cached_property
from types import NoneType, UnionType
from typing import (
    Annotated,
    Any,
    ClassVar,
    Literal,
    TypeVar,
    Union,
    dataclass_transform,
    get_args,
    get_origin,
    get_type_hints,
)

import msgspec

Count = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
"""A whole number of things or person-times, never negative; a missing one is None and never 0 (X-06)."""

Fen = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1, extra_json_schema={"x-unit": "fen"})]
"""Money in whole fen, never negative (X-06)."""

Instant = Annotated[datetime, msgspec.Meta(tz=True)]
"""A moment, written with its offset from UTC: `2011-05-14T00:00:00+08:00`."""


class BrokenView(ValueError):
    """Data that is not a view of that kind; the message names the field."""


class View:
    """A public view of one record: a frozen value that anybody may read."""

    kind: ClassVar[Kind]


V = TypeVar("V", bound=View)


@dataclass(frozen=True)
class Field:
    """A field of a view as plan rules and filters see it; `choices` is empty where any value is allowed."""

    name: str
    type: type
    choices: tuple[str, ...] = ()
    many: bool = False


@dataclass(frozen=True, eq=False)
class Kind:
    """A kind of record that a service publishes: its view, its happenings and its names on the wire."""

    service: str
    name: str
    plural: str
    view: type[View]
    happenings: tuple[str, ...]
    major: int = 1

    @property
    def key(self) -> str:
        """The kind's name in plans: `outreach.audience_count`."""
        return f"{self.service}.{self.name}"

    @property
    def dataschema(self) -> str:
        """The name of its schema in events between our services, with the major version."""
        return f"/{self.service}/{self.name}/{self.major}"

    @property
    def schema_uri(self) -> str:
        """The name of its schema for everybody else: an absolute URI, at the gateway below `/api/v1/schemas/`.

        A URN, because an event stays the same for good, and the gateway's host and port do not.
        """
        return f"urn:kexie:schema:{self.service}:{self.name}:{self.major}"

    @cached_property
    def fields(self) -> dict[str, Field]:
        """The fields of the view, by name."""
        hints = get_type_hints(self.view, include_extras=True)
        return {item.name: field_of(item.name, hints[item.name]) for item in fields(self.view)}  # type: ignore[arg-type]

    @property
    def states(self) -> tuple[str, ...]:
        """Every state that a record of the kind can have."""
        return self.fields["state"].choices

    def routing_key(self, happened: str) -> str:
        """Name the routing key under which this happening is published."""
        return f"{self.name}.{happened}"

    def read(self, data: Mapping[str, Any]) -> View:
        """Make the frozen value; unknown fields are ignored; raises `BrokenView`, which names the field."""
        try:
            return msgspec.convert(data, type=self.view)
        except msgspec.ValidationError as error:
            raise BrokenView(f"{self.key}: {error}") from None

    def write(self, record: object) -> dict[str, Any]:
        """Take the view's fields by name from a record, as plain JSON values."""
        return {name: msgspec.to_builtins(getattr(record, name)) for name in self.fields}

    @cached_property
    def json_schema(self) -> dict[str, Any]:
        """The JSON Schema of the view."""
        (schema,), definitions = msgspec.json.schema_components([self.view])
        del schema
        return {"$defs": definitions, "$ref": f"#/$defs/{self.view.__name__}"}


KINDS: dict[str, Kind] = {}
"""The services' kinds by their keys: what the gateway takes in and a plan can count."""

EVERY_KIND: dict[str, Kind] = {}
"""These and the gateway's own kinds; both are filled when the modules of `services.contract` are imported."""


@dataclass_transform(frozen_default=True, kw_only_default=True)
def published_by(
    service: str, *, happenings: tuple[str, ...], plural: str | None = None, major: int = 1, counted: bool = True
) -> Callable[[type[V]], type[V]]:
    """Declare a kind of record that `service` owns and publishes; the gateway takes in the `counted` ones."""

    def declare(view: type[V]) -> type[V]:
        """Make the class a frozen dataclass and register its kind."""
        value = dataclass(frozen=True, kw_only=True)(view)
        name = re.sub(r"(?<!^)(?=[A-Z])", "_", view.__name__).lower()
        kind = Kind(service, name, plural or f"{name}s", value, happenings, major)
        value.kind = kind
        EVERY_KIND[kind.key] = kind
        if counted:
            KINDS[kind.key] = kind
        return value

    return declare


def field_of(name: str, hint: Any) -> Field:
    """Read a field's type hint."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return field_of(name, arguments[0])
    if origin in (Union, UnionType):
        return field_of(name, without_null(hint))
    if origin is Literal:
        return Field(name, str, choices=arguments)
    if origin is tuple:
        inner = field_of(name, arguments[0])
        return Field(name, inner.type, choices=inner.choices, many=True)
    return Field(name, hint)


def without_null(hint: Any) -> Any:
    """Return the one type of a hint that may also be None; any other hint as it is."""
    if get_origin(hint) not in (Union, UnionType):
        return hint
    (only,) = [argument for argument in get_args(hint) if argument is not NoneType]
    return only


COMPARABLE = (int, str, date, bool)
"""Types that a plan rule can put a condition on."""
