"""A backup is one instant of all databases; a restore gives back what was there then, or changes nothing."""

import gzip
import io
import re
import tarfile
import uuid
from datetime import UTC, datetime

import bson
import pytest
from bson import Binary, Decimal128, Int64, MaxKey, MinKey, ObjectId, Regex, Timestamp
from pymongo import MongoClient, monitoring
from pymongo.errors import OperationFailure

from deploy import backup
from deploy.errors import CommandFailed
from deploy.image import backup_archive
from deploy.image.backup_archive import Damaged
from deploy.image.progress_lines import Progress
from deploy.restore import MARK, NotEmpty, document_counts, is_half_done, restore

HOLDS = 1_000
EVERY_TYPE = {
    "_id": ObjectId(), "text": "科普", "whole": 1, "large": Int64(2**40), "real": 0.5, "nothing": None, "truth": True,
    "day": datetime(2011, 5, 14, tzinfo=UTC), "bytes": Binary(b"\0\xff", 0), "uuid": Binary(bytes(16), 4),
    "pattern": Regex("^a", "i"), "stamp": Timestamp(7, 1), "exact": Decimal128("0.10"), "least": MinKey(),
    "most": MaxKey(), "within": {"b": 1, "a": [1, {"z": None}]},
}  # fmt: skip


@pytest.fixture
def client(addresses):
    with MongoClient(addresses[1], tz_aware=True) as made:
        yield made


@pytest.fixture
def databases(client):
    """Two that know of each other, the gateway's the last."""
    prefix = f"b{uuid.uuid4().hex[:10]}"
    made = {name: client[name] for name in (f"{prefix}_awards", f"{prefix}_gateway")}
    yield made
    for name in made:
        client.drop_database(name)


@pytest.fixture
def awards(databases):
    return next(iter(databases.values()))


@pytest.fixture
def gateway(databases):
    return list(databases.values())[-1]


def back_up(client, databases, progress=None):
    file = io.BytesIO()
    backup.backup(client, tuple(databases), file, progress or Progress())
    return file.getvalue()


def restore_from(databases, content, **how):
    return restore(databases, io.BytesIO(content), Progress(), **how)


def contents(databases):
    return {
        f"{name}.{one}": (
            list(database[one].find().sort("_id")),
            database[one].index_information(),
            database[one].options(),
        )
        for name, database in databases.items()
        for one in database.list_collection_names()
    }


def empty(client, databases):
    for name in databases:
        client.drop_database(name)


class Meanwhile(Progress):
    """Something happens between any two batches that are read."""

    def __init__(self, happens):
        super().__init__()
        self.happens = happens

    def more(self, at, documents):
        super().more(at, documents)
        self.happens()


def test_a_backup_is_one_instant_of_all_databases(client, databases, awards, gateway):
    for database in (awards, gateway):
        database["account"].insert_many([{"_id": number, "holds": HOLDS} for number in range(300)])
    moves = iter(range(1_000))

    def move(session):
        """What leaves one database arrives in the other one."""
        number = next(moves)
        gateway["account"].insert_one({"_id": f"new-{number}", "holds": number}, session=session)
        awards["account"].update_many({}, {"$inc": {"holds": -1}}, session=session)
        gateway["account"].update_one({"_id": number}, {"$inc": {"holds": 300 - number}}, session=session)

    def one_more():
        with client.start_session() as session:
            session.with_transaction(move)

    one_more()
    content = back_up(client, databases, Meanwhile(one_more))
    assert next(moves) > 2
    empty(client, databases)
    manifest = restore_from(databases, content)

    held_in_all = sum(one["holds"] for database in databases.values() for one in database["account"].find())
    assert held_in_all == 2 * 300 * HOLDS
    assert manifest.documents == 601
    assert gateway["account"].count_documents({"_id": {"$regex": "^new-"}}) == 1
    assert (manifest.point - datetime.now(UTC)).total_seconds() < 60


def test_everything_comes_back_as_it_was(client, databases, awards, gateway):
    awards["every_type"].insert_one(EVERY_TYPE)
    awards["every_type"].insert_many([{"_id": number, "text": "文" * 1_000} for number in range(3_000)])
    awards["every_type"].create_index([("text", 1), ("_id", -1)], unique=True, partialFilterExpression={"large": 1})
    awards["every_type"].create_index("day", expireAfterSeconds=10**9, name="old")
    awards.create_collection("empty", collation={"locale": "zh"})
    gateway["counts_1a.b/c"].insert_one({"_id": "a"})
    gateway["sessions"].insert_one({"_id": "secret"})
    before = contents(databases)

    content = back_up(client, databases)
    empty(client, databases)
    manifest = restore_from(databases, content)

    del before[f"{gateway.name}.sessions"]  # whoever was logged in logs in again
    assert contents(databases) == before
    assert document_counts(databases) == {awards.name: 3_001, gateway.name: 1}
    assert not is_half_done(databases)
    assert manifest.documents == 3_002


def test_the_file_is_what_mongodump_writes(client, databases, awards):
    awards["edition"].insert_one({"_id": "e-1", "no": 26})
    awards["edition"].create_index("no")

    with tarfile.open(fileobj=io.BytesIO(back_up(client, databases)), mode="r:gz") as tar:
        said = bson.json_util.loads(tar.extractfile(f"{awards.name}/edition.metadata.json").read())
        documents = bson.decode_all(tar.extractfile(f"{awards.name}/edition.bson").read())
        modes = {entry.mode for entry in tar}

    assert documents == [{"_id": "e-1", "no": 26}]
    assert said["options"] == {}
    assert [index["name"] for index in said["indexes"]] == ["_id_", "no_1"]
    assert re.fullmatch("[0-9a-f]{32}", said["uuid"])
    assert modes == {0o600}


def test_what_is_damaged_is_found_before_anything_is_written(client, databases, awards):
    awards["edition"].insert_many([{"_id": number, "text": uuid.uuid4().hex} for number in range(500)])
    content = back_up(client, databases)
    assert backup_archive.check(io.BytesIO(content)).documents == 500

    for place in range(20, len(content) - 8, len(content) // 50):
        flipped = content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]
        with pytest.raises(Damaged):
            backup_archive.check(io.BytesIO(flipped))
    for length in (0, 1, 20, len(content) // 2, len(content) - 1):
        with pytest.raises(Damaged):
            backup_archive.check(io.BytesIO(content[:length]))


def test_a_file_that_was_written_otherwise_is_damaged_whatever_its_checksum_says(client, databases, awards):
    awards["edition"].insert_one({"_id": "e-1", "text": "as it was"})
    changed = gzip.compress(gzip.decompress(back_up(client, databases)).replace(b"as it was", b"as it is!"))

    with pytest.raises(Damaged, match=r"edition\.bson is not what was written"):
        backup_archive.check(io.BytesIO(changed))


def test_a_restore_goes_into_empty_databases_unless_it_may_replace(client, databases, awards, gateway):
    awards["edition"].insert_one({"_id": "e-1"})
    content = back_up(client, databases)
    gateway["views"].insert_one({"_id": "later"})
    before = contents(databases)

    with pytest.raises(NotEmpty, match="--replace"):
        restore_from(databases, content)
    assert contents(databases) == before

    restore_from(databases, content, replace=True)
    assert document_counts(databases) == {awards.name: 1, gateway.name: 0}


def test_a_restore_that_ended_in_the_middle_is_known_and_can_be_given_again(client, databases, awards, gateway):
    awards["edition"].insert_many([{"_id": number, "text": uuid.uuid4().hex} for number in range(2_000)])
    gateway["views"].insert_one({"_id": "v"})
    content = back_up(client, databases)
    before = contents(databases)
    empty(client, databases)

    with pytest.raises(Damaged):
        restore_from(databases, content[: len(content) // 2])
    assert is_half_done(databases)
    with pytest.raises(NotEmpty):
        restore_from(databases, content)
    with pytest.raises(CommandFailed, match="ended in the middle"):
        back_up(client, databases)

    restore_from(databases, content, replace=True)
    assert contents(databases) == before
    assert MARK not in gateway.list_collection_names()


def test_one_database_alone_is_not_restored(client, databases, awards):
    awards["edition"].insert_one({"_id": "e-1"})
    alone = backup_archive.check(io.BytesIO(back_up(client, {awards.name: awards})))

    with pytest.raises(CommandFailed, match="are restored together"):
        backup_archive.together(alone, tuple(databases))


def test_a_backup_that_the_database_s_past_is_too_short_for_fails_and_says_so(addresses, client, databases, gateway):
    for database in databases.values():
        database["edition"].insert_many([{"_id": number} for number in range(300)])
    keeps = "minSnapshotHistoryWindowInSeconds"
    usual = client.admin.command("getParameter", 1, **{keeps: 1})[keeps]

    def forget_the_past():
        """Write until nobody may read as of the point any more."""
        client.admin.command("setParameter", 1, **{keeps: 0})
        while True:
            gateway["edition"].insert_one({})
            with client.start_session(snapshot=True) as late:
                late._snapshot_time = first.point
                try:
                    gateway["edition"].find_one(session=late)
                except OperationFailure:
                    return

    first = Point()
    try:
        with (
            MongoClient(addresses[1], event_listeners=[first]) as watched,
            pytest.raises(CommandFailed, match=f"{keeps}=1800"),
        ):
            back_up(watched, databases, Meanwhile(forget_the_past))
    finally:
        client.admin.command("setParameter", 1, **{keeps: usual})


class Point(monitoring.CommandListener):
    """The instant at which a client's snapshot reads."""

    point = None

    def started(self, event):
        """Nothing to see yet."""

    def succeeded(self, event):
        self.point = self.point or event.reply.get("cursor", {}).get("atClusterTime")

    def failed(self, event):
        """Nothing to see."""


def test_collections_that_are_made_meanwhile_are_not_forgotten(client, databases, awards, gateway):
    awards["edition"].insert_one({"_id": "e-1"})
    catalogue, asked = backup.catalogue, []

    def made_meanwhile(*arguments):
        found = catalogue(*arguments)
        if not asked:
            gateway["views"].insert_one({"_id": "v"})
        asked.append(found)
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(backup, "catalogue", made_meanwhile)
        content = back_up(client, databases)

    assert len(asked) > 2
    assert f"{gateway.name}/views.bson" in backup_archive.check(io.BytesIO(content)).files
