"""`python -m deploy.backup [SITE]`: a backup of all five databases, as they were at one instant, to standard output.

Every collection is read in one snapshot session, and so at one time of the whole replica set: nothing is stopped and
nothing locked. First each is counted there, then written; where it is not what was counted, the backup fails.
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

from deploy.errors import Trouble
from deploy.image.backup_archive import RAW, Damaged, Manifest, Writing
from deploy.image.progress_lines import Progress, telling
from services.chassis.version import VERSION
from services.contract.topology import SOURCES

SECRETS = "/run/secrets"
DATABASES = tuple(f"kexie_{service}" for service in SOURCES)
LEFT_OUT = ("sessions",)
"""Whoever was logged in logs in again: a session that has ended since then would live again."""

MARK = "restoring"
"""The collection, of the last database, that is there while a restore is at work or since one ended in the middle."""

TRIES = 5  # to find a moment at which no collection is being made
BATCH = 20_000  # documents, or the database's 16 MB
SNAPSHOT_TOO_OLD, SNAPSHOT_UNAVAILABLE = 239, 246

TOO_SLOW = (
    "The backup took longer than the database keeps its past, and is not whole. Write it to a faster place, or at an "
    "hour when less is going on, or let mongod in deploy/compose.yml keep more of it: "
    "--setParameter=minSnapshotHistoryWindowInSeconds=1800 (300 where it is not said)."
)

Document = dict[str, Any]
Client = MongoClient[Document]


@dataclass(frozen=True)
class Held:
    """A collection as it is declared."""

    database: str
    name: str
    metadata: bytes  # as mongodump writes it

    @property
    def path(self) -> str:
        return f"{self.database}/{quote(self.name, safe='')}"


@dataclass(frozen=True)
class Counted:
    """A collection as it was at the point."""

    held: Held
    documents: int
    bytes: int


@dataclass(frozen=True)
class Point:
    """The instant of a backup, and all that there was then."""

    session: ClientSession
    time: Timestamp
    collections: tuple[Counted, ...]

    @property
    def documents(self) -> int:
        return sum(one.documents for one in self.collections)


def backup(client: Client, databases: Sequence[str], into: IO[bytes], progress: Progress) -> Manifest:
    """Raises `Trouble` where it did not become one whole backup."""
    for _ in range(TRIES):
        with client.start_session(snapshot=True) as session:
            if point := find_point(client, session, databases):
                try:
                    return write(client, point, databases, into, progress)
                except OperationFailure as error:
                    if error.code != SNAPSHOT_TOO_OLD:
                        raise
                    raise Trouble(TOO_SLOW) from None
    raise Trouble("Collections are being made or dropped, as by a rebuild: back up when that is over.")


def find_point(client: Client, session: ClientSession, databases: Sequence[str]) -> Point | None:
    """None where collections or their indexes changed meanwhile, which no snapshot shows."""
    before = catalogue(client, databases)
    try:
        counted = [count(client, session, held) for held in before]
    except OperationFailure as error:
        if error.code != SNAPSHOT_UNAVAILABLE:
            raise
        return None
    if not counted or catalogue(client, databases) != before:
        return None
    return Point(session, counted[0][1], tuple(one for one, _ in counted))


def catalogue(client: Client, databases: Sequence[str]) -> list[Held]:
    return [
        Held(name, one["name"], metadata(client, name, one))
        for name in databases
        for one in sorted(client[name].list_collections(), key=lambda one: str(one["name"]))
        if one["name"] not in LEFT_OUT and not one["name"].startswith("system.")
    ]


def metadata(client: Client, database: str, said: Mapping[str, Any]) -> bytes:
    if said["name"] == MARK:
        raise Trouble("A restore is at work, or ended in the middle: what is there is no whole.")
    if said["type"] != "collection":
        raise Trouble(f"{database}.{said['name']} is a {said['type']}, which no backup holds yet.")
    told = {
        "options": said["options"],
        "indexes": list(client[database][said["name"]].list_indexes()),
        "uuid": said["info"]["uuid"].hex(),
        "collectionName": said["name"],
        "type": said["type"],
    }
    return json_util.dumps(told, json_options=json_util.CANONICAL_JSON_OPTIONS).encode()


def count(client: Client, session: ClientSession, held: Held) -> tuple[Counted, Timestamp]:
    """How much there is at the session's instant, and which that is."""
    cursor = client[held.database].command("aggregate", held.name, pipeline=SIZE, cursor={}, session=session)["cursor"]
    (found,) = cursor["firstBatch"] or [{"documents": 0, "bytes": 0}]
    return Counted(held, found["documents"], found["bytes"]), cursor["atClusterTime"]


SIZE: list[Document] = [{"$group": {"_id": None, "documents": {"$sum": 1}, "bytes": {"$sum": {"$bsonSize": "$$ROOT"}}}}]


def write(client: Client, point: Point, databases: Sequence[str], into: IO[bytes], progress: Progress) -> Manifest:
    writing, progress.total = Writing(into), point.documents
    for one in point.collections:
        writing.metadata(one.held.path, one.held.metadata)
        read = batches(client, point.session, one.held, progress)
        if writing.documents(one.held.path, read, size=one.bytes).documents != one.documents:
            raise Damaged(f"{one.held.path} had {one.documents} documents at its instant, and others were read")
    manifest = Manifest(
        kexie=VERSION,
        point=point.time.as_datetime(),
        cluster_time=(point.time.time, point.time.inc),
        databases=tuple(databases),
        files=writing.files,
    )
    writing.end(manifest)
    return manifest


def batches(client: Client, session: ClientSession, held: Held, progress: Progress) -> Iterator[tuple[bytes, int]]:
    collection = client[held.database].get_collection(held.name, codec_options=RAW)
    for batch in collection.find_raw_batches(session=session, batch_size=BATCH):
        documents = documents_in(batch)
        yield batch, documents
        progress.more(held.path, documents)


def documents_in(batch: bytes) -> int:
    """Each begins with its length."""
    number = place = 0
    while place < len(batch):
        place += int.from_bytes(batch[place : place + 4], "little")
        number += 1
    return number


def connect(site: Path, who: str) -> MongoClient[Any]:
    """As this user of the site, whose database is believed as the site says."""
    believe(site)
    return MongoClient((site / f"{who}_mongo_uri").read_text().strip(), appname="kexie backup")


def believe(site: Path) -> None:
    """The site's authority, where its folder is here and nobody has said another; containers are told by compose."""
    if (authority := site / "tls" / "ca.pem").exists():
        os.environ.setdefault("SSL_CERT_FILE", str(authority))


def main(site: Path) -> int:
    with telling() as progress, connect(site, "backup") as client:
        backup(client, DATABASES, sys.stdout.buffer, progress)
        sys.stdout.buffer.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(*sys.argv[1:2] or [SECRETS])))
