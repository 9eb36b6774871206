"""What is stored, read past the system: straight from its databases, its broker, and the gateways' answers."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from http.client import HTTPException
from itertools import chain
from typing import TYPE_CHECKING, Any

from services.chassis.tokens import issue
from services.contract import EVERY_KIND, KINDS
from services.contract.topology import SERVICES, queues
from tests.chaos.load.readers import CODES

if TYPE_CHECKING:
    from pymongo.database import Database

    from tests.chaos.world.world import World

Document = dict[str, Any]
Row = tuple[str, int]
"""A record's id and one of its versions."""
Numbers = Mapping[str, int | None]
"""KPI -> its value, None where nothing was ever heard."""


@dataclass(frozen=True)
class Held:
    """All records of one kind: as their service has them, and what the gateway has of them."""

    kind: str
    records: list[Document]
    views: Mapping[str, Document]
    rows: Mapping[Row, Document]


@dataclass(frozen=True)
class Parked:
    """A message that waits or was settled, at one of the five."""

    at: str
    queue: str
    message_id: str
    error: str


def held(world: World, kind: str) -> Held:
    """Everything of this kind; while nothing is under way it is one moment's."""
    service, _, name = kind.partition(".")
    gateway = _database(world, "gateway")
    generation = serving(world)
    of_kind = {"$gt": f"{kind}/", "$lt": f"{kind}0"}  # 0 comes right after the slash
    views = gateway[f"views{generation}"].find({"_id": of_kind})
    rows = gateway[f"history{generation}"].find({"_id": {"$gt": {"record": f"{kind}/"}, "$lt": {"record": f"{kind}0"}}})
    cut = len(kind) + 1
    return Held(
        kind,
        records=list(_database(world, service)[name].find()),
        views={view["_id"][cut:]: view for view in views},
        rows={(row["_id"]["record"][cut:], row["_id"]["version"]): row for row in rows},
    )


def serving(world: World) -> str:
    """What the collections' names of the generation end in that answers questions."""
    pointer = _database(world, "gateway")["generations"].find_one({"_id": "pointer"})
    return str(pointer["serving"]) if pointer else ""


def pending(world: World) -> dict[str, int]:
    """Records of each kind with something that was not published."""
    counts = {
        kind.key: _database(world, kind.service)[kind.name].count_documents({"pending": True})
        for kind in EVERY_KIND.values()
    }
    return {kind: number for kind, number in counts.items() if number}


def behind(world: World) -> dict[str, int]:
    """Versions of each kind that the gateway has fewer, or more, of than the service, in its views or its rows."""
    gateway, generation = _database(world, "gateway"), serving(world)
    found = {}
    for kind in KINDS.values():
        total = [{"$group": {"_id": None, "versions": {"$sum": "$version"}}}]
        ours = _first(_database(world, kind.service)[kind.name].aggregate(total))
        of_kind = {"$match": {"_id": {"$gt": f"{kind.key}/", "$lt": f"{kind.key}0"}}}
        theirs = _first(gateway[f"views{generation}"].aggregate([of_kind, *total]))
        of_rows = {"_id": {"$gt": {"record": f"{kind.key}/"}, "$lt": {"record": f"{kind.key}0"}}}
        rows = gateway[f"history{generation}"].count_documents(of_rows)
        if theirs != ours or rows != ours:
            found[kind.key] = max(abs(ours - theirs), abs(ours - rows))
    return found


def accepted(world: World) -> int:
    """Commands that gateways have accepted and not yet handed on."""
    return _database(world, "gateway")["accepted"].count_documents({"state": "accepted"})


def parked(world: World) -> list[Parked]:
    return [
        Parked(
            at=name,
            queue=one["queue"],
            message_id=one["properties"].get("message_id", ""),
            error=str(one["error"]),
        )
        for name in (*SERVICES, "gateway")
        for one in _database(world, name)["parked"].find({}, {"body": 0})
    ]


@dataclass(frozen=True)
class Queue:
    """A queue as the broker tells it."""

    name: str
    ready: int
    unacked: int
    consumers: int


def queues_now(world: World) -> dict[str, Queue]:
    """Those that have to be there, and are."""
    columns = ("name", "messages_ready", "messages_unacknowledged", "consumers")
    listed = json.loads(world.control("list_queues", *columns, "--formatter", "json"))
    wanted = set(expected_queues())
    found = [Queue(one["name"], *(one.get(column) or 0 for column in columns[1:])) for one in listed]
    return {queue.name: queue for queue in found if queue.name in wanted}


def expected_queues() -> Iterator[str]:
    return chain((queue.name for queue in queues()), (f"rpc-{service}" for service in SERVICES))


def told(world: World, url: str) -> Numbers | None:
    """The numbers that a gateway tells of 2011; None where it does not answer."""
    key = world.settings.token_private_key or ""
    token = issue(key, subject="u-viewer", roles=("viewer",), lifetime=timedelta(minutes=5))
    try:
        return {code: _ask(f"{url}/api/v1/kpis/{code}?period=2011", token)["value"] for code in CODES}
    except (OSError, HTTPException):
        return None


def _ask(url: str, token: str) -> Any:
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"})  # noqa: S310 - our own gateway
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
        return json.load(answer)


def _first(sums: Iterator[Document]) -> int:
    return int(next(sums, {"versions": 0})["versions"])


def _database(world: World, service: str) -> Database[Document]:
    return world.mongo[world.settings.database(service)]
