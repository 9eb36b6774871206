"""The table of fields as a page: every field of every kind of record, its class, and the roles that read it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from gateway.api.catalogue import ServiceDescriptions
from gateway.api.role_matrix import NAMES
from gateway.http.caching import PrecompressedDocument
from gateway.pages import rendering
from services.chassis.tokens import READERS
from services.contract import glossary

CLASSES = {"public": "公开", "office": "内部办公", "personal": "个人信息", "internal": "不显示"}


class ListedField(NamedTuple):
    """A field of a kind of record: its class, and the roles that read it."""

    kind: str
    field: str
    title: str
    field_class: str
    roles: tuple[str, ...]


def page(described: ServiceDescriptions) -> PrecompressedDocument:
    """Render the fields of all kinds of records."""
    return rendering.page("/fields", fields=list(fields(described)), classes=CLASSES, roles=NAMES)


def fields(described: ServiceDescriptions) -> Iterator[ListedField]:
    """List the fields of all kinds, those of the view first; nobody reads an internal one."""
    for service, description in sorted(described.items()):
        for name, kind in description["kinds"].items():
            yield from _of_kind(f"{service}.{name}", kind)


def _of_kind(key: str, kind: Mapping[str, Any]) -> Iterator[ListedField]:
    view = kind["view"]["$defs"][kind["view"]["$ref"].rpartition("/")[2]]
    told = {name: {"class": "public", "roles": READERS} for name in view["properties"]}
    for path, field in {**told, **kind.get("fields", {})}.items():
        title = glossary.field(path.rpartition(".")[2], of=key)
        yield ListedField(key, path, title, field["class"], tuple(field["roles"]))
