"""A backup's file: what MongoDB's own mongodump writes, in one tar.gz, and a manifest at its end.

kexie_awards/edition.metadata.json   options and indexes of a collection
kexie_awards/edition.bson            its documents, one after the other
manifest.json                        the instant of all of it, and size, SHA-256 and number of documents of each file

Written and read from the beginning to the end, so that it may go through a pipe. Knows nothing of a database.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import IO, Any

import bson
import msgspec
from bson import CodecOptions
from bson.errors import BSONError
from bson.raw_bson import RawBSONDocument

from deploy.errors import Trouble

FORMAT = 1
MANIFEST = "manifest.json"
DOCUMENTS, METADATA = ".bson", ".metadata.json"
COMPRESSION = 6  # of 9
BUFFER = 1 << 20  # bytes

RAW: CodecOptions[RawBSONDocument] = CodecOptions(document_class=RawBSONDocument)
"""Documents stay the bytes that they are."""

BROKEN = (BSONError, EOFError, OSError, tarfile.TarError, zlib.error, msgspec.MsgspecError)


class Damaged(Trouble):
    """The file is not what was written: nothing of it can be trusted."""

    def __init__(self, why: object) -> None:
        super().__init__(f"This is no whole backup: {why}.")


class Contents(msgspec.Struct, frozen=True):
    """What a file has to hold."""

    bytes: int
    documents: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """`point` is the instant of all documents, to the second; `cluster_time` is the database's own word for it."""

    format: int = FORMAT
    kexie: str
    point: datetime
    cluster_time: tuple[int, int]
    databases: tuple[str, ...]
    files: dict[str, Contents]

    @property
    def documents(self) -> int:
        return sum(one.documents for one in self.files.values())

    @property
    def bytes(self) -> int:
        return sum(one.bytes for one in self.files.values())


class Tally:
    """Counts and digests a file's chunks, each of them whole documents."""

    def __init__(self) -> None:
        self._bytes = self._documents = 0
        self._digest = hashlib.sha256()

    def add(self, chunk: bytes, *, documents: int = 0) -> bytes:
        self._bytes += len(chunk)
        self._documents += documents
        self._digest.update(chunk)
        return chunk

    def contents(self) -> Contents:
        return Contents(self._bytes, self._documents, self._digest.hexdigest())


class Writing:
    """An archive while it is written; whoever reads one that was not ended refuses it."""

    def __init__(self, file: IO[bytes]) -> None:
        self._zipped = gzip.GzipFile(fileobj=file, mode="wb", compresslevel=COMPRESSION)
        self._tar = tarfile.open(fileobj=self._zipped, mode="w")  # noqa: SIM115 - `end` closes it
        self.files: dict[str, Contents] = {}

    def metadata(self, collection: str, said: bytes) -> None:
        tally = Tally()
        self._add(collection + METADATA, [tally.add(said)], len(said))
        self.files[collection + METADATA] = tally.contents()

    def documents(self, collection: str, batches: Iterable[tuple[bytes, int]], *, size: int) -> Contents:
        """Batches of so many whole documents, `size` bytes together: `Damaged` where they are not."""
        tally = Tally()
        self._add(collection + DOCUMENTS, (tally.add(one, documents=number) for one, number in batches), size)
        self.files[collection + DOCUMENTS] = tally.contents()
        return tally.contents()

    def end(self, manifest: Manifest) -> None:
        said = msgspec.json.format(msgspec.json.encode(manifest), indent=1)
        self._add(MANIFEST, [said], len(said))
        self._tar.close()
        self._zipped.close()

    def _add(self, name: str, chunks: Iterable[bytes], size: int) -> None:
        entry = tarfile.TarInfo(name)
        entry.size, entry.mode = size, 0o600
        source = io.BufferedReader(Chunks(chunks), BUFFER)
        try:
            self._tar.addfile(entry, source)
        except OSError as error:
            if error.errno:  # of the system, and not that the chunks came to an end
                raise
            raise Damaged(f"{name} has become shorter") from None
        if source.read(1):
            raise Damaged(f"{name} has become longer")


class Chunks(io.RawIOBase):
    """Chunks, to be read as a file."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks, self._rest = iter(chunks), memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, into: Any) -> int:
        while not self._rest:
            chunk = next(self._chunks, None)
            if chunk is None:
                return 0
            self._rest = memoryview(chunk)
        size = min(len(into), len(self._rest))
        into[:size], self._rest = self._rest[:size], self._rest[size:]
        return size


class Reading:
    """An archive while it is read: first its files in their order, then `manifest`, which holds all of them to it.

    Whatever is wrong raises `Damaged`, at the latest from `manifest`.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self._zipped = gzip.GzipFile(fileobj=file, mode="rb")
        self._seen: dict[str, Contents] = {}
        self._manifest: Manifest | None = None

    def files(self) -> Iterator[tuple[str, IO[bytes]]]:
        """Each is read, by `metadata` or `documents`, before the next one."""
        with _whole(), tarfile.open(fileobj=self._zipped, mode="r|") as tar:
            for entry in tar:
                content = tar.extractfile(entry)
                if content is None:
                    raise Damaged(f"{entry.name} is no file")
                if entry.name == MANIFEST:
                    self._manifest = msgspec.json.decode(content.read(), type=Manifest)
                else:
                    yield entry.name, content
            while self._zipped.read(BUFFER):
                pass  # its checksum comes at the end

    def metadata(self, name: str, content: IO[bytes]) -> bytes:
        tally = Tally()
        with _whole():
            said = tally.add(content.read())
        self._seen[name] = tally.contents()
        return said

    def documents(self, name: str, content: IO[bytes]) -> Iterator[RawBSONDocument]:
        tally = Tally()
        with _whole():
            for document in bson.decode_file_iter(content, RAW):
                tally.add(bytes(document.raw), documents=1)
                yield document
        self._seen[name] = tally.contents()

    def contents(self, name: str) -> Contents:
        """What a file that was read to its end held."""
        return self._seen[name]

    def manifest(self) -> Manifest:
        if self._manifest is None:
            raise Damaged("its end is missing")
        if self._manifest.format != FORMAT:
            raise Trouble(f"This backup is of format {self._manifest.format}, and this Kexie reads {FORMAT}.")
        said = self._manifest.files
        if wrong := sorted(name for name in said.keys() | self._seen.keys() if said.get(name) != self._seen.get(name)):
            raise Damaged(f"{wrong[0]} is not what was written")
        return self._manifest


@contextmanager
def _whole() -> Iterator[None]:
    try:
        yield
    except BROKEN as error:
        raise Damaged(error) from None


def check(file: IO[bytes]) -> Manifest:
    """Read all of it; raises `Damaged`."""
    reading = Reading(file)
    for name, content in reading.files():
        if name.endswith(DOCUMENTS):
            for _ in reading.documents(name, content):
                pass
        else:
            reading.metadata(name, content)
    return reading.manifest()


def together(manifest: Manifest, databases: Sequence[str]) -> None:
    """One database alone would say less, or more, than the others have heard of it."""
    if set(manifest.databases) != set(databases):
        raise Trouble(
            f"This is a backup of {', '.join(manifest.databases)}; "
            f"{', '.join(databases)} know of each other and are restored together."
        )
