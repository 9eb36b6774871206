"""Invariants across records: values that no two records of a kind share, kept by a unique index.

A batch asks for them before it writes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import product
from typing import Any

import msgspec
from pymongo import IndexModel
from pymongo import collection as mongo
from pymongo.errors import OperationFailure

from services.chassis.mongo import Document
from services.contract.view import Kind
from services.kernel import Refusal

Values = tuple[Any, ...]


@dataclass(frozen=True)
class Unique:
    """An invariant across records, kept by a unique index: no two records share these fields.

    `among` limits it to some records (equality, or a tuple for any of); a field with several values is unique value by
    value; a record in which a field is None is ignored. A change of `among` needs a higher `revision`: the index gets
    another name then, and exists beside the former one until that is dropped.
    """

    fields: tuple[str, ...]
    refusal: type[Refusal]
    among: Mapping[str, Any] = field(default_factory=dict)
    revision: int = 1

    def __init__(
        self, *fields: str, refusal: type[Refusal], among: Mapping[str, Any] | None = None, revision: int = 1
    ) -> None:
        object.__setattr__(self, "fields", fields)
        object.__setattr__(self, "refusal", refusal)
        object.__setattr__(self, "among", among or {})
        object.__setattr__(self, "revision", revision)

    @property
    def index(self) -> IndexModel:
        """The index that keeps the invariant."""
        return IndexModel(self.key, unique=True, partialFilterExpression=self.only, name=self.name)

    @property
    def name(self) -> str:
        """The index's name; of the first revision the database's own, so that an earlier release names it alike."""
        usual = "_".join(f"{name}_{direction}" for name, direction in self.key)
        return usual if self.revision == 1 else f"{usual}.{self.revision}"

    @property
    def key(self) -> list[tuple[str, int]]:
        """The index's fields."""
        return [(f"state.{name}", 1) for name in self.fields]

    @property
    def only(self) -> Document:
        """The partial index's filter: only present values, of the records that are meant."""
        present = [{f"state.{name}": {"$type": ["string", "int", "long"]}} for name in self.fields]
        return {"$and": present + [{name: value} for name, value in conditions(self.among).items()]}

    def refuse(self, kind: Kind, state: Document) -> Refusal:
        """Make the rule's refusal for a record in this state."""
        return self.refusal(**{name: state[name] for name in self.fields if name in kind.fields})

    def values(self, state: Document) -> set[Values]:
        """The values that no other record may have; none for a record that is ignored."""
        if not is_like(state, self.among):
            return set()
        return set(product(*(_several(state[name]) for name in self.fields)))

    def taken(self, collection: mongo.Collection[Document], candidates: Collection[Values]) -> set[Values]:
        """Return those of the wanted values that a record has."""
        looked_for = list(self._filters(candidates))
        if not looked_for:
            return set()
        shown = {f"state.{name}": 1 for name in (*self.fields, *self.among)}
        documents = collection.find({"$or": looked_for}, shown)
        return {values for document in documents for values in self.values(document["state"])} & set(candidates)

    def _filters(self, candidates: Collection[Values]) -> Iterator[Document]:
        """Make as few filters as possible, each with all values of the field that has most; the index serves each."""
        if not candidates:
            return
        widest = max(range(len(self.fields)), key=lambda place: len({values[place] for values in candidates}))
        groups: dict[Values, list[Any]] = defaultdict(list)
        for values in candidates:
            groups[values[:widest] + values[widest + 1 :]].append(values[widest])
        names = [f"state.{name}" for name in self.fields]
        others = names[:widest] + names[widest + 1 :]
        for rest, several in groups.items():
            same = [{name: value} for name, value in zip(others, rest, strict=True)]
            yield {"$and": [*same, {names[widest]: {"$in": several}}, self.only]}


def drop_earlier_revisions(collection: mongo.Collection[Document], invariants: Iterable[Unique]) -> None:
    """Drop the indexes of earlier revisions, which held for other records; the present ones have to be there."""
    names = {tuple(unique.key): unique.name for unique in invariants}
    for name, index in collection.index_information().items():
        if name != names.get(tuple(index["key"]), name):
            with suppress(OperationFailure):  # gone: another process was first
                collection.drop_index(name)


def conditions(values: Mapping[str, Any]) -> Document:
    """Make the filter for records with these values; a tuple means any of its values."""
    return {
        f"state.{name}": {"$in": [msgspec.to_builtins(item) for item in value]}
        if isinstance(value, tuple)
        else msgspec.to_builtins(value)
        for name, value in values.items()
    }


def is_like(state: Document, values: Mapping[str, Any]) -> bool:
    """True for a record that `conditions` would find."""
    return all(
        state[name] in msgspec.to_builtins(value if isinstance(value, tuple) else (value,))
        for name, value in values.items()
    )


def _several(value: Any) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, list | tuple) else [value]
