"""`python -m deploy.restore [--replace] [SITE]`: the backup on standard input into the five databases, which are empty.

Each service's own user writes its own database. A mark stands in the gateway's from the first change until all of it is
there, so that nothing starts on a half of it. `--held` only tells what there is.
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
from deploy.errors import Trouble
from deploy.image.backup_archive import DOCUMENTS, METADATA, RAW, Damaged, Manifest, Reading, together
from deploy.image.progress_lines import Progress, say, telling
from services.contract.topology import SOURCES

BATCH, AT_ONCE = 1_000, 8_000_000  # documents or bytes that are written together

Databases = Mapping[str, Database[Document]]


class NotEmpty(Trouble):
    """What is there would be lost, and nobody said that it may."""


def restore(databases: Databases, file: IO[bytes], progress: Progress, *, replace: bool = False) -> Manifest:
    """What raises leaves the mark behind, unless it is `NotEmpty`: then nothing was changed."""
    found = held(databases)
    if not replace and (any(found.values()) or is_half_done(databases)):
        raise NotEmpty("There are documents already: a backup is restored into empty databases, or with --replace.")

    mark = marks(databases)[MARK]
    mark.replace_one({"_id": MARK}, {"_id": MARK, "since": datetime.now(UTC)}, upsert=True)
    for database in databases.values():
        for name in names(database):
            database.drop_collection(name)
    manifest = write(databases, Reading(file), progress)
    together(manifest, tuple(databases))
    mark.drop()
    return manifest


def held(databases: Databases) -> dict[str, int]:
    """How many documents there are in each."""
    return {
        name: sum(database[one].count_documents({}) for one in names(database)) for name, database in databases.items()
    }


def is_half_done(databases: Databases) -> bool:
    return marks(databases)[MARK].find_one() is not None


def marks(databases: Databases) -> Database[Document]:
    return list(databases.values())[-1]


def names(database: Database[Document]) -> list[str]:
    return sorted(name for name in database.list_collection_names() if name != MARK and not name.startswith("system."))


def write(databases: Databases, reading: Reading, progress: Progress) -> Manifest:
    """Indexes come after the documents, when those were counted: some of them delete what is old."""
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
            raise Trouble(f"{file} was written, and is not there as it was written: is somebody else at work there?")
        if indexes := [one for one in declared["indexes"] if one["name"] != "_id_"]:
            database.command("createIndexes", name, indexes=indexes)
    return reading.manifest()


def batches(documents: Iterator[RawBSONDocument]) -> Iterator[list[RawBSONDocument]]:
    batch: list[RawBSONDocument] = []
    size = 0
    for document in documents:
        batch.append(document)
        size += len(document.raw)
        if len(batch) == BATCH or size >= AT_ONCE:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def size(database: Database[Document], name: str) -> tuple[int, int]:
    found = next(database[name].aggregate(SIZE), {"documents": 0, "bytes": 0})
    return found["documents"], found["bytes"]


def main(arguments: Sequence[str]) -> int:
    site = Path(next((one for one in arguments if not one.startswith("-")), SECRETS))
    with telling() as progress, ExitStack() as open_clients:
        databases: dict[str, Database[Any]] = {}
        for name, service in zip(DATABASES, SOURCES, strict=True):
            databases[name] = open_clients.enter_context(connect(site, service))[name]
        if "--held" in arguments:
            say(held=held(databases), is_half_done=is_half_done(databases))
        else:
            restore(databases, sys.stdin.buffer, progress, replace="--replace" in arguments)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
