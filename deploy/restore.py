"""`python -m deploy.restore [--replace] [SITE]`: restore the backup on standard input into five empty databases.

Each service's own user writes its own database. The gateway's has a mark from the first change until all documents are
written, so that nothing starts on half a restore. `--held` only reports how many documents there are.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any
from urllib.parse import unquote

from bson import json_util
from bson.raw_bson import RawBSONDocument
from pymongo.database import Database

from deploy.backup import DATABASES, MARK, SECRETS, SIZE, Document, connect
from deploy.errors import CommandFailed
from deploy.image.backup_archive import DOCUMENTS, METADATA, RAW, Damaged, Manifest, Reading, together
from deploy.image.progress_lines import Progress, reporting, write_line
from services.contract.topology import SOURCES

BATCH, BATCH_BYTES = 1_000, 8_000_000  # documents and bytes written together, at most

Databases = Mapping[str, Database[Document]]


class NotEmpty(CommandFailed):
    """Databases with documents that a restore would drop without `--replace`."""


def restore(databases: Databases, file: IO[bytes], progress: Progress, *, replace: bool = False) -> Manifest:
    """Restore a backup and return its manifest; an error leaves the mark behind.

    Raises `NotEmpty` before anything is changed.
    """
    if not replace and (any(document_counts(databases).values()) or is_half_done(databases)):
        raise NotEmpty("There are documents already: a backup is restored into empty databases, or with --replace.")

    mark = marked(databases)[MARK]
    mark.replace_one({"_id": MARK}, {"_id": MARK, "since": datetime.now(UTC)}, upsert=True)
    for database in databases.values():
        for name in collections(database):
            database.drop_collection(name)
    manifest = write(databases, Reading(file), progress)
    together(manifest, tuple(databases))
    mark.drop()
    return manifest


def document_counts(databases: Databases) -> dict[str, int]:
    """Count the documents of each database."""
    return {
        name: sum(database[collection].count_documents({}) for collection in collections(database))
        for name, database in databases.items()
    }


def is_half_done(databases: Databases) -> bool:
    """Return whether a restore is running, or has ended in the middle."""
    return marked(databases)[MARK].find_one() is not None


def marked(databases: Databases) -> Database[Document]:
    """Return the database that has the mark during a restore: the gateway's, the last."""
    return list(databases.values())[-1]


def collections(database: Database[Document]) -> list[str]:
    """Return the names of a database's collections, without the mark and MongoDB's own."""
    return sorted(name for name in database.list_collection_names() if name != MARK and not name.startswith("system."))


def write(databases: Databases, reading: Reading, progress: Progress) -> Manifest:
    """Write all collections; indexes follow the documents and their count, since some of them delete what is old."""
    declared: Any = {}
    for file, content in reading.files():
        if file.endswith(METADATA):
            declared = json_util.loads(reading.metadata(file, content))
            continue
        database = databases.get(file.partition("/")[0])
        if database is None or not file.endswith(DOCUMENTS):
            raise Damaged(f"{file} belongs to none of {', '.join(databases)}")
        name = unquote(file.partition("/")[2].removesuffix(DOCUMENTS))
        database.create_collection(name, check_exists=False, **declared["options"])
        for batch in batches(reading.documents(file, content)):
            database.get_collection(name, codec_options=RAW).insert_many(batch)
            progress.more(file, len(batch))
        if size(database, name) != (reading.contents(file).documents, reading.contents(file).bytes):
            raise CommandFailed(
                f"{file} was written, and the database holds something else: does another program write there?"
            )
        if indexes := [index for index in declared["indexes"] if index["name"] != "_id_"]:
            database.command("createIndexes", name, indexes=indexes)
    return reading.manifest()


def batches(documents: Iterator[RawBSONDocument]) -> Iterator[list[RawBSONDocument]]:
    """Group documents into batches of 1,000 or of 8 MB."""
    batch: list[RawBSONDocument] = []
    size = 0
    for document in documents:
        batch.append(document)
        size += len(document.raw)
        if len(batch) == BATCH or size >= BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def size(database: Database[Document], name: str) -> tuple[int, int]:
    """Return the number of documents of a collection, and their bytes."""
    row = next(database[name].aggregate(SIZE), {"documents": 0, "bytes": 0})
    return row["documents"], row["bytes"]


def main(arguments: Sequence[str]) -> int:
    """Restore from standard input, with progress on standard error; return the exit code."""
    site = Path(next((word for word in arguments if not word.startswith("-")), SECRETS))
    with reporting() as progress, ExitStack() as open_clients:
        databases: dict[str, Database[Any]] = {}
        for name, service in zip(DATABASES, SOURCES, strict=True):
            databases[name] = open_clients.enter_context(connect(site, service))[name]
        if "--held" in arguments:
            write_line(held=document_counts(databases), is_half_done=is_half_done(databases))
        else:
            restore(databases, sys.stdin.buffer, progress, replace="--replace" in arguments)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
