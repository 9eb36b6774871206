"""Leases: of all gateways one holds a lease, as long as it renews it in time; only the database's clock counts."""

from __future__ import annotations

import uuid
from typing import Any

from pymongo import ReturnDocument
from pymongo.collection import Collection
from pymongo.errors import DuplicateKeyError


class Lease:
    """A named lease, as one of its possible holders sees it."""

    def __init__(self, leases: Collection[dict[str, Any]], name: str, *, seconds: float) -> None:
        self._leases, self._name, self._holder = leases, name, uuid.uuid4().hex
        self._milliseconds = int(seconds * 1_000)

    def prepare(self) -> None:
        """Have MongoDB remove a lease that nobody renews any more."""
        self._leases.create_index("until", expireAfterSeconds=0)

    def take_lease(self) -> bool:
        """Take the lease, or renew it; False while another holder has it."""
        is_free = {"$or": [{"$eq": ["$holder", self._holder]}, {"$lt": ["$until", "$$NOW"]}]}
        ours = {"_id": self._name, "holder": self._holder, "until": {"$add": ["$$NOW", self._milliseconds]}}
        try:
            lease = self._leases.find_one_and_update(
                {"_id": self._name},
                [{"$replaceWith": {"$cond": [is_free, ours, "$$ROOT"]}}],
                upsert=True,
                return_document=ReturnDocument.AFTER,
            )
        except DuplicateKeyError:  # another holder inserted it first
            return False
        return lease["holder"] == self._holder

    def release_lease(self) -> None:
        """Let another holder take the lease at once."""
        self._leases.delete_one({"_id": self._name, "holder": self._holder})
