"""`python -m deploy.backup [SITE]`: write a backup of all five databases, as of one instant, to standard output.

Every collection is read in one snapshot session, and so at one time of the whole replica set: nothing is stopped or
locked. Each collection is counted first and then written; where the two differ, the backup fails.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote

from bson import Timestamp, json_util
from pymongo import MongoClient
from pymongo.client_session import ClientSession
from pymongo.errors import OperationFailure

from deploy.errors import CommandFailed
from deploy.image.backup_archive import RAW, Damaged, Manifest, Writing
from deploy.image.progress_lines import Progress, reporting
from services.chassis.version import VERSION
from services.contract.topology import SOURCES

SECRETS = "/run/secrets"
DATABASES = tuple(f"kexie_{service}" for service in SOURCES)
LEFT_OUT = ("sessions",)
"""Collections that no backup holds: a session that has ended since would live again. Users log in again."""

MARK = "restoring"
"""The collection of the last database that exists while a restore runs, or since one ended in the middle."""

TRIES = 5  # to find an instant at which no collection is being made
BATCH = 20_000  # documents; the database sends at most 16 MB
SNAPSHOT_TOO_OLD, SNAPSHOT_UNAVAILABLE = 239, 246

TOO_SLOW = (
    "The backup took longer than the database keeps its past, and is not whole. Write it to a faster place, or at an "
    "hour of less traffic, or let mongod in deploy/compose.yml keep more of it: "
    "--setParameter=minSnapshotHistoryWindowInSeconds=1800 (300 by default)."
)

Document = dict[str, Any]
Client = MongoClient[Document]


@dataclass(frozen=True)
class Declared:
    """A collection with its options and indexes."""

    database: str
    name: str
    metadata: bytes  # as mongodump writes it

    @property
    def path(self) -> str:
        """Its name in the archive, without an ending."""
        return f"{self.database}/{quote(self.name, safe='')}"


@dataclass(frozen=True)
class Counted:
    """The size of a collection at the instant of the backup."""

    declared: Declared
    documents: int
    bytes: int


@dataclass(frozen=True)
class Point:
    """The instant of a backup, and the collections at that instant."""

    session: ClientSession
    time: Timestamp
    collections: tuple[Counted, ...]

    @property
    def documents(self) -> int:
        """The number of documents in all collections."""
        return sum(collection.documents for collection in self.collections)


def backup(client: Client, databases: Sequence[str], into: IO[bytes], progress: Progress) -> Manifest:
    """Write a backup and return its manifest; raise `CommandFailed` where it is not whole."""
    for _ in range(TRIES):
        with client.start_session(snapshot=True) as session:
            if point := find_point(client, session, databases):
                return _write_in_time(client, point, databases, into, progress)
    raise CommandFailed("Collections are being made or dropped, as by a rebuild: back up when that is over.")


def _write_in_time(
    client: Client, point: Point, databases: Sequence[str], into: IO[bytes], progress: Progress
) -> Manifest:
    try:
        return write(client, point, databases, into, progress)
    except OperationFailure as error:
        if error.code != SNAPSHOT_TOO_OLD:
            raise
        raise CommandFailed(TOO_SLOW) from None


def find_point(client: Client, session: ClientSession, databases: Sequence[str]) -> Point | None:
    """Count all collections at one instant; None where collections or indexes changed meanwhile."""
    before = catalogue(client, databases)
    try:
        counted = [count(client, session, declared) for declared in before]
    except OperationFailure as error:
        if error.code != SNAPSHOT_UNAVAILABLE:
            raise
        return None
    if not counted or catalogue(client, databases) != before:
        return None
    return Point(session, counted[0][1], tuple(collection for collection, _ in counted))


def catalogue(client: Client, databases: Sequence[str]) -> list[Declared]:
    """Return the collections of these databases, but for those that no backup holds."""
    return [
        Declared(name, entry["name"], metadata(client, name, entry))
        for name in databases
        for entry in sorted(client[name].list_collections(), key=lambda entry: str(entry["name"]))
        if entry["name"] not in LEFT_OUT and not entry["name"].startswith("system.")
    ]


def metadata(client: Client, database: str, entry: Mapping[str, Any]) -> bytes:
    """Return options and indexes of a collection as mongodump writes them; `entry` is of `listCollections`."""
    if entry["name"] == MARK:
        raise CommandFailed("A restore is running, or ended in the middle: the databases are not whole.")
    if entry["type"] != "collection":
        raise CommandFailed(f"{database}.{entry['name']} is a {entry['type']}, which no backup holds yet.")

    content = {
        "options": entry["options"],
        "indexes": list(client[database][entry["name"]].list_indexes()),
        "uuid": entry["info"]["uuid"].hex(),
        "collectionName": entry["name"],
        "type": entry["type"],
    }
    return json_util.dumps(content, json_options=json_util.CANONICAL_JSON_OPTIONS).encode()


def count(client: Client, session: ClientSession, declared: Declared) -> tuple[Counted, Timestamp]:
    """Return the size of a collection at the session's instant, and that instant."""
    database = client[declared.database]
    cursor = database.command("aggregate", declared.name, pipeline=SIZE, cursor={}, session=session)["cursor"]
    (size,) = cursor["firstBatch"] or [{"documents": 0, "bytes": 0}]
    return Counted(declared, size["documents"], size["bytes"]), cursor["atClusterTime"]


SIZE: list[Document] = [{"$group": {"_id": None, "documents": {"$sum": 1}, "bytes": {"$sum": {"$bsonSize": "$$ROOT"}}}}]


def write(client: Client, point: Point, databases: Sequence[str], into: IO[bytes], progress: Progress) -> Manifest:
    """Write every collection as of the point; raise `Damaged` where one is not what was counted."""
    writing, progress.total = Writing(into), point.documents
    for collection in point.collections:
        path = collection.declared.path
        writing.metadata(path, collection.declared.metadata)
        read = batches(client, point.session, collection.declared, progress)
        if writing.documents(path, read, size=collection.bytes).documents != collection.documents:
            raise Damaged(f"{path} had {collection.documents} documents at its instant, and others were read")
    manifest = Manifest(
        kexie=VERSION,
        point=point.time.as_datetime(),
        cluster_time=(point.time.time, point.time.inc),
        databases=tuple(databases),
        files=writing.files,
    )
    writing.end(manifest)
    return manifest


def batches(
    client: Client, session: ClientSession, declared: Declared, progress: Progress
) -> Iterator[tuple[bytes, int]]:
    """Yield the documents of a collection in batches, with how many there are in each."""
    collection = client[declared.database].get_collection(declared.name, codec_options=RAW)
    for batch in collection.find_raw_batches(session=session, batch_size=BATCH):
        documents = documents_in(batch)
        yield batch, documents
        progress.more(declared.path, documents)


def documents_in(batch: bytes) -> int:
    """Count the BSON documents of a batch; each begins with its length."""
    number = place = 0
    while place < len(batch):
        place += int.from_bytes(batch[place : place + 4], "little")
        number += 1
    return number


def connect(site: Path, who: str) -> MongoClient[Any]:
    """Connect to the database as a user of the site, with the site's authority."""
    trust_authority_of(site)
    return MongoClient((site / f"{who}_mongo_uri").read_text().strip(), appname="kexie backup")


def trust_authority_of(site: Path) -> None:
    """Trust the authority in the site's folder, unless `SSL_CERT_FILE` names another, as compose does in containers."""
    if (authority := site / "tls" / "ca.pem").exists():
        os.environ.setdefault("SSL_CERT_FILE", str(authority))


def main(site: Path) -> int:
    """Back up to standard output, with progress on standard error; return the exit code."""
    with reporting() as progress, connect(site, "backup") as client:
        backup(client, DATABASES, sys.stdout.buffer, progress)
        sys.stdout.buffer.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(*sys.argv[1:2] or [SECRETS])))
