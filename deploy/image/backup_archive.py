"""A backup's file: mongodump's layout in one tar.gz, with a manifest at its end.

Not mongodump itself, since its only way to one instant of all databases is the whole server's oplog (`--oplog`), which
needs rights on all of it and leaves nothing out; nor is it in the image, and its archive has no digests.

kexie_awards/edition.metadata.json   options and indexes of a collection
kexie_awards/edition.bson            its documents, one after the other
manifest.json                        the instant of all of it, and size, SHA-256 and number of documents of each file

Written and read in one direction, so that it may go through a pipe. Knows nothing of a database.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import IO, Any

import bson
import msgspec
from bson import CodecOptions
from bson.errors import BSONError
from bson.raw_bson import RawBSONDocument

from deploy.errors import CommandFailed

FORMAT = 1
MANIFEST = "manifest.json"
DOCUMENTS, METADATA = ".bson", ".metadata.json"
COMPRESSION = 6  # of 9
BUFFER = 1 << 20  # bytes

RAW: CodecOptions[RawBSONDocument] = CodecOptions(document_class=RawBSONDocument)
"""Documents stay as they are, byte by byte."""

BROKEN = (BSONError, EOFError, OSError, tarfile.TarError, zlib.error, msgspec.MsgspecError)


class Damaged(CommandFailed):
    """A file that is not as it was written; nothing of it can be trusted."""

    def __init__(self, why: object) -> None:
        super().__init__(f"This is no whole backup: {why}.")


class Contents(msgspec.Struct, frozen=True):
    """Size and digest of a file in the archive."""

    bytes: int
    documents: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """The archive's last file: the instant of all documents, and the contents of every other file.

    `point` is that instant to the second, `cluster_time` the same one as the database counts it.
    """

    format: int = FORMAT
    kexie: str
    point: datetime
    cluster_time: tuple[int, int]
    databases: tuple[str, ...]
    files: dict[str, Contents]

    @property
    def documents(self) -> int:
        """The number of documents in all files."""
        return sum(contents.documents for contents in self.files.values())

    @property
    def bytes(self) -> int:
        """The size of all files before compression."""
        return sum(contents.bytes for contents in self.files.values())


class Tally:
    """Count and digest of a file's chunks."""

    def __init__(self) -> None:
        self._bytes = self._documents = 0
        self._digest = hashlib.sha256()

    def add(self, chunk: bytes, *, documents: int = 0) -> bytes:
        """Add a chunk of so many whole documents, and return it."""
        self._bytes += len(chunk)
        self._documents += documents
        self._digest.update(chunk)
        return chunk

    def contents(self) -> Contents:
        """Return size and digest of all chunks so far."""
        return Contents(self._bytes, self._documents, self._digest.hexdigest())


class Writing:
    """An archive being written; without `end` no reader accepts it."""

    def __init__(self, file: IO[bytes]) -> None:
        self._zipped = gzip.GzipFile(fileobj=file, mode="wb", compresslevel=COMPRESSION)
        self._tar = tarfile.open(fileobj=self._zipped, mode="w")  # noqa: SIM115 - `end` closes it
        self.files: dict[str, Contents] = {}

    def metadata(self, collection: str, content: bytes) -> None:
        """Write options and indexes of a collection, as mongodump formats them."""
        tally = Tally()
        self._add(collection + METADATA, [tally.add(content)], len(content))
        self.files[collection + METADATA] = tally.contents()

    def documents(self, collection: str, batches: Iterable[tuple[bytes, int]], *, size: int) -> Contents:
        """Write batches, each with its number of documents; raise `Damaged` where they are not `size` bytes."""
        tally = Tally()
        self._add(collection + DOCUMENTS, (tally.add(batch, documents=number) for batch, number in batches), size)
        self.files[collection + DOCUMENTS] = tally.contents()
        return tally.contents()

    def end(self, manifest: Manifest) -> None:
        """Write the manifest, and close the archive but not the file below it."""
        content = msgspec.json.format(msgspec.json.encode(manifest), indent=1)
        self._add(MANIFEST, [content], len(content))
        self._tar.close()
        self._zipped.close()

    def _add(self, name: str, chunks: Iterable[bytes], size: int) -> None:
        entry = tarfile.TarInfo(name)
        entry.size, entry.mode = size, 0o600
        source = io.BufferedReader(Chunks(chunks), BUFFER)
        try:
            self._tar.addfile(entry, source)
        except OSError as error:
            if error.errno:  # of the system, not tarfile's own for chunks that end early
                raise
            raise Damaged(f"{name} has become shorter") from None
        if source.read(1):
            raise Damaged(f"{name} has become longer")


class Chunks(io.RawIOBase):
    """A readable file made of chunks."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks, self._rest = iter(chunks), memoryview(b"")

    def readable(self) -> bool:
        """Return True, as `io.BufferedReader` asks."""
        return True

    def readinto(self, into: Any) -> int:
        """Copy the next bytes into a buffer; return 0 at the end."""
        while not self._rest:
            chunk = next(self._chunks, None)
            if chunk is None:
                return 0
            self._rest = memoryview(chunk)
        size = min(len(into), len(self._rest))
        into[:size], self._rest = self._rest[:size], self._rest[size:]
        return size


class Reading:
    """An archive being read: first its files in their order, then `manifest`, which checks all of them.

    Raises `Damaged` where anything is wrong, at the latest from `manifest`.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self._zipped = gzip.GzipFile(fileobj=file, mode="rb")
        self._seen: dict[str, Contents] = {}
        self._manifest: Manifest | None = None

    def files(self) -> Iterator[tuple[str, IO[bytes]]]:
        """Yield the name and content of each file; read it by `metadata` or `documents` before the next one."""
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
                pass  # up to the checksum of gzip

    def metadata(self, name: str, content: IO[bytes]) -> bytes:
        """Read options and indexes of a collection."""
        tally = Tally()
        with _whole():
            text = tally.add(content.read())
        self._seen[name] = tally.contents()
        return text

    def documents(self, name: str, content: IO[bytes]) -> Iterator[RawBSONDocument]:
        """Read the documents of a collection, one at a time."""
        tally = Tally()
        with _whole():
            for document in bson.decode_file_iter(content, RAW):
                tally.add(bytes(document.raw), documents=1)
                yield document
        self._seen[name] = tally.contents()

    def contents(self, name: str) -> Contents:
        """Return size and digest of a file that was read to its end."""
        return self._seen[name]

    def manifest(self) -> Manifest:
        """Return the manifest, once every file is as it says."""
        if self._manifest is None:
            raise Damaged("its end is missing")
        if self._manifest.format != FORMAT:
            raise CommandFailed(f"This backup is of format {self._manifest.format}, and this Kexie reads {FORMAT}.")
        written = self._manifest.files
        names = written.keys() | self._seen.keys()
        if wrong := sorted(name for name in names if written.get(name) != self._seen.get(name)):
            raise Damaged(f"{wrong[0]} is not what was written")
        return self._manifest


@contextmanager
def _whole() -> Iterator[None]:
    try:
        yield
    except BROKEN as error:
        raise Damaged(error) from None


def check(file: IO[bytes], look: Callable[[str, RawBSONDocument], object] = lambda *_: None) -> Manifest:
    """Read a whole archive and return its manifest; raise `Damaged` where anything is wrong.

    `look` is given each document with the name of its file.
    """
    reading = Reading(file)
    for name, content in reading.files():
        if name.endswith(DOCUMENTS):
            for document in reading.documents(name, content):
                look(name, document)
        else:
            reading.metadata(name, content)
    return reading.manifest()


def together(manifest: Manifest, databases: Sequence[str]) -> None:
    """Fail where an archive has other databases than these: one alone would contradict what the others know of it."""
    if set(manifest.databases) != set(databases):
        raise CommandFailed(
            f"This is a backup of {', '.join(manifest.databases)}; "
            f"{', '.join(databases)} know of each other and are restored together."
        )
