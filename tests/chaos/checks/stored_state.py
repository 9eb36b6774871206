"""The stored state, read from the databases and the broker themselves; and the numbers that gateways answer."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from itertools import chain
from typing import TYPE_CHECKING, Any

from services.chassis.tokens import issue
from services.contract import EVERY_KIND, KINDS, topology
from services.contract.topology import SERVICES
from tests.chaos.load.readers import CODES
from tests.http_client import NoResponse, request_json

if TYPE_CHECKING:
    from pymongo.database import Database

    from tests.chaos.world.world import World

TIMEOUT = 30.0  # seconds for one answer

Document = dict[str, Any]
Row = tuple[str, int]
"""A record's id and one of its versions."""
Numbers = Mapping[str, int | None]
"""KPI -> its value, None where no event of it ever came."""


@dataclass(frozen=True)
class StoredKind:
    """All records of one kind as their service has them, and the gateway's copies of them."""

    name: str
    records: list[Document]
    views: Mapping[str, Document]
    rows: Mapping[Row, Document]


@dataclass(frozen=True)
class Parked:
    """A dead-lettered message of one of the five, settled or not."""

    at: str
    queue: str
    message_id: str
    error: str


def read_kind(world: World, kind: str) -> StoredKind:
    """Read everything of this kind; it is of one moment only while nothing is under way."""
    service, _, name = kind.partition(".")
    gateway = _database(world, "gateway")
    generation = serving(world)
    of_kind = {"$gt": f"{kind}/", "$lt": f"{kind}0"}  # 0 comes right after the slash
    views = gateway[f"views{generation}"].find({"_id": of_kind})
    rows = gateway[f"history{generation}"].find({"_id": {"$gt": {"record": f"{kind}/"}, "$lt": {"record": f"{kind}0"}}})
    cut = len(kind) + 1
    return StoredKind(
        kind,
        records=list(_database(world, service)[name].find()),
        views={view["_id"][cut:]: view for view in views},
        rows={(row["_id"]["record"][cut:], row["_id"]["version"]): row for row in rows},
    )


def serving(world: World) -> str:
    """The suffix of the collections of the generation that answers questions."""
    pointer = _database(world, "gateway")["generations"].find_one({"_id": "pointer"})
    return str(pointer["serving"]) if pointer else ""


def pending(world: World) -> dict[str, int]:
    """How many records of each kind have versions that were not published."""
    counts = {
        kind.key: _database(world, kind.service)[kind.name].count_documents({"pending": True})
        for kind in EVERY_KIND.values()
    }
    return {kind: number for kind, number in counts.items() if number}


def behind(world: World) -> dict[str, int]:
    """By how many versions of each kind the gateway's views or rows are fewer, or more, than the service's."""
    gateway, generation = _database(world, "gateway"), serving(world)
    differences = {}
    for kind in KINDS.values():
        total = [{"$group": {"_id": None, "versions": {"$sum": "$version"}}}]
        ours = _first(_database(world, kind.service)[kind.name].aggregate(total))
        of_kind = {"$match": {"_id": {"$gt": f"{kind.key}/", "$lt": f"{kind.key}0"}}}
        theirs = _first(gateway[f"views{generation}"].aggregate([of_kind, *total]))
        of_rows = {"_id": {"$gt": {"record": f"{kind.key}/"}, "$lt": {"record": f"{kind.key}0"}}}
        rows = gateway[f"history{generation}"].count_documents(of_rows)
        if theirs != ours or rows != ours:
            differences[kind.key] = max(abs(ours - theirs), abs(ours - rows))
    return differences


def accepted(world: World) -> int:
    """How many commands the gateways have accepted and not yet handed on."""
    return _database(world, "gateway")["accepted"].count_documents({"state": "accepted"})


def parked(world: World) -> list[Parked]:
    """Read the dead-lettered messages of all five."""
    return [
        Parked(
            at=name,
            queue=message["queue"],
            message_id=message["properties"].get("message_id", ""),
            error=str(message["error"]),
        )
        for name in (*SERVICES, "gateway")
        for message in _database(world, name)["parked"].find({}, {"body": 0})
    ]


@dataclass(frozen=True)
class Queue:
    """A queue as the broker lists it."""

    name: str
    ready: int
    unacked: int
    consumers: int


def queues_now(world: World) -> dict[str, Queue]:
    """List the expected queues that are there, by their names."""
    columns = ("name", "messages_ready", "messages_unacknowledged", "consumers")
    listed = json.loads(world.control("list_queues", *columns, "--formatter", "json"))
    expected = set(expected_queues())
    queues = [Queue(row["name"], *(row.get(column) or 0 for column in columns[1:])) for row in listed]
    return {queue.name: queue for queue in queues if queue.name in expected}


def expected_queues() -> Iterator[str]:
    """The names of the queues that have to be there: of every listener and of every service's RPC."""
    return chain((queue.name for queue in topology.queues()), (f"rpc-{service}" for service in SERVICES))


def numbers_of(world: World, url: str) -> Numbers | None:
    """Read the numbers of 2011 at a gateway; None where it does not answer."""
    key = world.settings.token_private_key or ""
    token = issue(key, subject="u-viewer", roles=("viewer",), lifetime=timedelta(minutes=5))
    try:
        answers = {
            code: request_json(f"{url}/api/v1/kpis/{code}?period=2011", token=token, timeout=TIMEOUT) for code in CODES
        }
    except NoResponse:
        return None
    if any(answer.status != 200 for answer in answers.values()):
        return None
    return {code: answer.body["value"] for code, answer in answers.items()}


def _first(sums: Iterator[Document]) -> int:
    return int(next(sums, {"versions": 0})["versions"])


def _database(world: World, service: str) -> Database[Document]:
    return world.mongo[world.settings.database(service)]
