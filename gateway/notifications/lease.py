"""A lease: one gateway of all has it, for so long as it takes it again in time; only the database's clock is asked."""

from __future__ import annotations

import uuid
from typing import Any

from pymongo import ReturnDocument
from pymongo.collection import Collection
from pymongo.errors import DuplicateKeyError

Document = dict[str, Any]


class Lease:
    """The lease of this name, as one holder sees it."""

    def __init__(self, leases: Collection[Document], name: str, *, seconds: float) -> None:
        self._leases, self._name, self._holder = leases, name, uuid.uuid4().hex
        self._milliseconds = int(seconds * 1_000)

    def prepare(self) -> None:
        """One that nobody takes again is removed in the end."""
        self._leases.create_index("until", expireAfterSeconds=0)

    def take(self) -> bool:
        """Have it, or have it longer; False while another one has it."""
        is_free = {"$or": [{"$eq": ["$holder", self._holder]}, {"$lt": ["$until", "$$NOW"]}]}
        ours = {"_id": self._name, "holder": self._holder, "until": {"$add": ["$$NOW", self._milliseconds]}}
        try:
            held = self._leases.find_one_and_update(
                {"_id": self._name},
                [{"$replaceWith": {"$cond": [is_free, ours, "$$ROOT"]}}],
                upsert=True,
                return_document=ReturnDocument.AFTER,
            )
        except DuplicateKeyError:  # another one was first
            return False
        return held["holder"] == self._holder

    def release(self) -> None:
        """Let the next one have it at once."""
        self._leases.delete_one({"_id": self._name, "holder": self._holder})
