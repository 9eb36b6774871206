"""Staging: where the records of an import wait until all its rows are good; invisible to everybody else.

    <kind>_staged: {_id: <import>/<row>, import, row, record, named, because, digest, happened, reason, state,
                    staged_at}

`named` is the record's id where the row gives one, `digest` that of its content.

The staged records have the unique indexes of their kind, import by import, so that two rows which exclude each other
are found however far apart they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from pymongo import IndexModel
from pymongo.collection import Collection
from pymongo.errors import BulkWriteError

from services.chassis.mongo import DUPLICATE, Document
from services.chassis.unique import Unique, conditions

KEPT = timedelta(days=7)  # rows of an import that nobody ended

Key = tuple[str, ...]


class Staging:
    """The staged records of one kind."""

    def __init__(self, collection: Collection[Document], unique: Iterable[Unique]) -> None:
        self._records, self._unique = collection, unique
        self._staged = collection.database[f"{collection.name}_staged"]
        self._is_prepared = False

    def prepare(self) -> None:
        """Make the indexes, once the first import comes."""
        if self._is_prepared:
            return
        of_an_import = ("import", 1)
        is_named = {"named": {"$type": "string"}}
        indexes = [
            IndexModel([of_an_import, ("named", 1)], unique=True, partialFilterExpression=is_named),
            IndexModel("staged_at", expireAfterSeconds=int(KEPT.total_seconds())),
        ]
        indexes += [
            IndexModel([of_an_import, *unique.key], unique=True, partialFilterExpression=unique.only)
            for unique in self._unique
        ]
        self._staged.create_indexes(indexes)
        self._is_prepared = True

    def replace(self, import_: str, documents: list[Document], *, rows: list[int]) -> dict[int, Key]:
        """Stage these instead of these rows' former ones; returns rows that exclude another one, with their key."""
        self._staged.delete_many(_of(import_, after=rows[0] - 1, through=rows[-1]))
        if not documents:
            return {}
        try:
            self._staged.insert_many(documents, ordered=False)
        except BulkWriteError as error:
            faults = error.details["writeErrors"]
            if error.details["writeConcernErrors"] or any(fault["code"] != DUPLICATE for fault in faults):
                raise
            shared = {documents[fault["index"]]["row"]: tuple(fault["keyPattern"]) for fault in faults}
            return {
                row: key[1:] for row, key in shared.items() if key != ("_id",)
            }  # a row staged twice: another gateway was here
        return {}

    def page(self, import_: str, *, after: int, limit: int) -> list[Document]:
        """Return the next staged rows after this one."""
        return list(self._staged.find(_of(import_, after=after)).sort("_id", 1).limit(limit))

    def others(self, import_: str, *, rows: list[int], values: Mapping[str, Any]) -> list[Document]:
        """Return the staged rows before and after these that have the wanted values."""
        these = {"row": {"$gte": rows[0], "$lte": rows[-1]}}
        return list(self._staged.find({**_of(import_), **conditions(values), "$nor": [these]}).sort("_id", 1))

    def forget(self, import_: str, *, through: int | None = None) -> int:
        """Unstage all of an import, or its rows up to that one; returns how many."""
        return self._staged.delete_many(_of(import_, through=through)).deleted_count


def staged_id(import_: str, row: int) -> str:
    """The id of a staged row; ids sort as the rows do."""
    return f"{import_}/{row:08}"


def _of(import_: str, *, after: int = 0, through: int | None = None) -> Document:
    """Rows of an import."""
    last = {"$lt": f"{import_}0"} if through is None else {"$lte": staged_id(import_, through)}
    return {"_id": {"$gt": staged_id(import_, after), **last}}
