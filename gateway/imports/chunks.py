"""Pieces: what an import needs for a while, for any gateway to go on with: the file, its rows, and what is wrong.

They may hold names, so they are deleted when the import is done, and after 7 days in any case (X-08).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Any, Literal

from pymongo.collection import Collection

from services.chassis.clock import SystemClock

KEPT = timedelta(days=7)
PIECE = 256 * 1024  # bytes of a file

What = Literal["file", "rows", "wrongs", "refusals"]


class FileChunks:
    """The pieces of all uploads, by what they hold and their place."""

    def __init__(self, pieces: Collection[dict[str, Any]], clock: SystemClock) -> None:
        self._pieces, self._clock = pieces, clock

    def prepare(self) -> None:
        self._pieces.create_index([("upload", 1), ("what", 1), ("place", 1)])
        self._pieces.create_index("stored_at", expireAfterSeconds=int(KEPT.total_seconds()))

    def put(self, upload: str, what: What, place: int, content: bytes) -> None:
        """In the place of what lay there before."""
        id_ = f"{upload}/{what}/{place}"
        piece = {"upload": upload, "what": what, "place": place, "content": content, "stored_at": self._clock.now()}
        self._pieces.replace_one({"_id": id_}, {"_id": id_, **piece}, upsert=True)

    def read(self, upload: str, *what: What, after: int = -1) -> Iterator[tuple[int, bytes]]:
        """Place and content, place by place; one at a time is in memory."""
        wanted = {"upload": upload, "what": {"$in": what}, "place": {"$gt": after}}
        for piece in self._pieces.find(wanted).sort([("place", 1), ("what", -1)]).batch_size(4):
            yield piece["place"], piece["content"]

    def are_there(self, upload: str, what: What) -> bool:
        return self._pieces.find_one({"upload": upload, "what": what}, {"_id": 1}) is not None

    def forget(self, upload: str, what: Iterable[What] = ("file", "rows", "wrongs", "refusals")) -> None:
        self._pieces.delete_many({"upload": upload, "what": {"$in": list(what)}})
