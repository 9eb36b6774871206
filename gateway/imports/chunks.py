"""Chunks: the parts of an upload that any gateway may need to continue an import: the file, its rows and their errors.

They may hold names, so they are deleted when the import is done, and a day after nobody needs them any more (X-08).
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import IO, Literal

from pymongo import IndexModel
from pymongo.collection import Collection

from services.chassis.clock import SystemClock
from services.chassis.mongo import Document

KEPT = timedelta(hours=24)  # after the upload, or after its import last waited
CHUNK = 256 * 1024  # bytes of a file
ZIP = b"PK\x03\x04"  # the first bytes of an XLSX

Content = Literal["file", "rows", "wrongs", "refusals"]
"""The content of a chunk: bytes of the file, readable rows, errors of reading, or errors that the service named."""


@dataclass(frozen=True)
class StoredFile:
    """A file that was kept in chunks, under the id of its upload."""

    upload: str
    bytes: int
    sha256: str
    is_zip: bool


class FileChunks:
    """The chunks of all uploads, by their content and place."""

    def __init__(self, chunks: Collection[Document], clock: SystemClock) -> None:
        self._chunks, self._clock = chunks, clock

    def prepare(self) -> None:
        """Make the indexes; chunks are deleted after `KEPT`."""
        self._chunks.create_indexes(
            [
                IndexModel([("upload", 1), ("what", 1), ("place", 1)]),
                IndexModel("expires_at", expireAfterSeconds=0),
            ]
        )

    def put(self, upload: str, content: Content, place: int, data: bytes) -> None:
        """Store a chunk, instead of one that was at this place before."""
        id_ = f"{upload}/{content}/{place}"
        chunk = {"upload": upload, "what": content, "place": place, "content": data}
        chunk["expires_at"] = self._clock.now() + KEPT
        self._chunks.replace_one({"_id": id_}, {"_id": id_, **chunk}, upsert=True)

    def keep(self, upload: str) -> None:
        """Keep an upload for `KEPT` from now on; written only when half of that has passed, as chunks are large."""
        until = self._clock.now() + KEPT
        old = {"upload": upload, "expires_at": {"$lt": until - KEPT / 2}}
        self._chunks.update_many(old, {"$set": {"expires_at": until}})

    def read(self, upload: str, *contents: Content, after: int = -1) -> Iterator[tuple[int, bytes]]:
        """Yield place and data in order of their places; at one place, refusals come after errors of reading.

        Four chunks at most are in memory at a time.
        """
        chosen = {"upload": upload, "what": {"$in": contents}, "place": {"$gt": after}}
        for chunk in self._chunks.find(chosen).sort([("place", 1), ("what", -1)]).batch_size(4):
            yield chunk["place"], chunk["content"]

    def has(self, upload: str, content: Content) -> bool:
        """Tell whether chunks of this content are still kept."""
        return self._chunks.find_one({"upload": upload, "what": content}, {"_id": 1}) is not None

    def forget(self, upload: str, contents: Iterable[Content] = ("file", "rows", "wrongs", "refusals")) -> None:
        """Delete these contents of an upload, by default all of them."""
        self._chunks.delete_many({"upload": upload, "what": {"$in": list(contents)}})

    def store_file(self, stream: IO[bytes]) -> StoredFile:
        """Store a file while it is received; nothing of it stays where receiving fails."""
        upload, digest, size, is_zip = uuid.uuid4().hex, hashlib.sha256(), 0, False
        try:
            for place, data in enumerate(_split(stream)):
                is_zip = is_zip or (place == 0 and data.startswith(ZIP))
                digest.update(data)
                size += len(data)
                self.put(upload, "file", place, data)
        except BaseException:  # too large, or broken off
            self.forget(upload)
            raise
        return StoredFile(upload, size, digest.hexdigest(), is_zip)


def _split(stream: IO[bytes]) -> Iterator[bytes]:
    """Yield the stream in parts of `CHUNK` bytes, and a last one that may be shorter."""
    part = b""
    while data := stream.read(CHUNK - len(part)):
        part += data
        if len(part) == CHUNK:
            yield part
            part = b""
    if part:
        yield part
