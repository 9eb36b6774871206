"""Revocations: the tokens that every process of a service refuses, about a second after one of them heard of it.

The list is read again each second, beside the calls, so that no call waits for it and each replica learns what another
one heard. While the database is away, the last list stays.
"""

from __future__ import annotations

from datetime import date

from nameko.extensions import SharedExtension

from services.chassis.loop import Loop
from services.chassis.mongo import database, patiently
from services.chassis.provider import Provider
from services.kernel.calendar import end_of

LOOK = 1.0  # seconds between two reads of what other processes heard


class Revocations(SharedExtension):
    """The revoked tokens: `id in revocations`. Each is kept until the end of the day on which it expires anyway."""

    def __init__(self) -> None:
        self._ids: frozenset[str] = frozenset()
        self._loop = Loop("revocations", self._look, seconds=LOOK)

    def setup(self) -> None:
        """Read the revoked tokens."""
        self._collection = database(self.container.config["SETTINGS"], self.container.service_name)["revoked"]
        patiently(self._prepare)

    def start(self) -> None:
        """Read them again every second."""
        self._loop.start(self.container)

    def stop(self) -> None:
        """Read them no more."""
        self._loop.kill()

    def __contains__(self, id_: object) -> bool:
        return id_ in self._ids

    def note(self, id_: str, *, last_day: str) -> None:
        """Refuse a token here from now on; raises what pymongo raises."""
        ends = end_of(date.fromisoformat(last_day))
        self._collection.update_one({"_id": id_}, {"$set": {"expires": ends}}, upsert=True)
        self._look()

    def _prepare(self) -> None:
        self._collection.create_index("expires", expireAfterSeconds=0)
        self._look()

    def _look(self) -> None:
        self._ids = frozenset(document["_id"] for document in self._collection.find({}, {"_id": 1}).hint("_id_"))


class RevocationsProvider(Provider[Revocations]):
    """Gives a service its revocations."""

    revocations = Revocations()

    def provide(self) -> Revocations:
        """Return the revocations."""
        return self.revocations
