"""Load for the benchmarks: calls with so many in flight, pages over kept connections, records by the thousand.

The HTTP of this module is a socket and no client of `tests.http_client`: the generator shares the cores with what it
measures, so it keeps connections open and does nothing for a request that it can leave out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from itertools import count, product
from time import perf_counter
from typing import Any

import eventlet
from eventlet.green import socket
from nameko.standalone.rpc import ClusterRpcProxy

from services import contract
from services.chassis.client import Caller
from services.chassis.clock import SystemClock
from services.chassis.document import Cause, entry, state_of
from services.chassis.mongo import Document
from services.chassis.tokens import Actor
from services.kernel import Change
from services.outreach.domain.audience import AudienceCount

METHODS = ("scan", "sign_in", "headcount", "turnstile", "estimate", "report")
DAYS = [date(2011, 5, 14) + timedelta(days=day) for day in range(9)]  # of each activity, like a science week
AT_ONCE = 32


def rate(do: Callable[[], Any], *, times: int, at_once: int = AT_ONCE) -> float:
    """How often a second `do` ends, with `at_once` of them under way."""
    pool = eventlet.GreenPool(at_once)
    started = perf_counter()
    for _ in range(times):
        pool.spawn_n(do)
    pool.waitall()
    return times / (perf_counter() - started)


class StockCallers:
    """Callers of stock nameko, used by `with`: each has a connection of its own and one call under way."""

    def __init__(self, amqp_uri: str, token: str, at_once: int = AT_ONCE) -> None:
        self._proxies = [
            ClusterRpcProxy({"AMQP_URI": amqp_uri}, context_data={"token": token}, timeout=30) for _ in range(at_once)
        ]

    def __enter__(self) -> StockCallers:
        self._clusters = [proxy.start() for proxy in self._proxies]
        return self

    def __exit__(self, *_: object) -> None:
        for proxy in self._proxies:
            proxy.stop()

    def rate(self, do: Callable[[Any], Any], *, times: int) -> float:
        """How many calls a second, when each caller makes its next call as soon as it has its answer."""
        calls_left = iter(range(times))
        started = perf_counter()
        pool = eventlet.GreenPool(len(self._clusters))
        for cluster in self._clusters:
            pool.spawn_n(_call_while_any, calls_left, do, cluster)
        pool.waitall()
        return times / (perf_counter() - started)


def _call_while_any(calls_left: Iterator[int], do: Callable[[Any], Any], cluster: Any) -> None:
    for _ in calls_left:
        do(cluster)


class Counting:
    """Records counts over RPC, each for a day and a method that no other count has."""

    def __init__(self, caller: Caller, token: str) -> None:
        self._caller, self._token = caller, token
        self._days = self._free_days()
        self._numbers = count()

    def prepare(self, counts: int) -> None:
        """Begin as many activities as so many counts need."""
        needed = counts // (len(DAYS) * len(METHODS)) + 1
        rate(lambda: self._begin_activity(f"bench-{next(self._numbers)}"), times=needed)

    def next(self) -> dict[str, Any]:
        """Return the arguments of a `record_count` that was not given before."""
        activity_id, day, method = next(self._days)
        words = {"mode": "offline", "method": method, "person_times": 1}
        return {"activity_id": activity_id, "day": day.isoformat(), **words}

    def record(self) -> Any:
        """Record the next count and return its answer."""
        return self._call("record_count", **self.next())

    def _begin_activity(self, activity_id: str) -> None:
        self._call("register_venue", venue_id=f"v-{activity_id}", venue_kind="hall", name="馆", district="511102")
        self._call(
            "create_activity", activity_id=activity_id, title="活动", format="lecture", delivery="on_site",
            lead_org_id="org-1", district="511102", days=[day.isoformat() for day in DAYS],
        )  # fmt: skip
        self._call("schedule_activity", activity_id=activity_id, venue_id=f"v-{activity_id}", slots=["morning"])
        self._call("start_activity", activity_id=activity_id)

    def _free_days(self) -> Iterator[tuple[str, date, str]]:
        for number in count():
            yield from ((f"bench-{number}", day, method) for day, method in product(DAYS, METHODS))

    def _call(self, command: str, **arguments: Any) -> Any:
        return self._caller.call("outreach", command, arguments, token=self._token, timeout=30)


def documents(number: int, *, state: str = "recorded", prefix: str = "stored", start: int = 0) -> Iterator[Document]:
    """Make that many counts as outreach stores them before they are published, numbered from `start`."""
    kind = contract.outreach.AudienceCount.kind
    cause = Cause(because="bench", actor=Actor("u-bench"), at=SystemClock().now())
    example = AudienceCount(
        activity_id="a", day=DAYS[0], mode="offline", method="scan", person_times=1, minors=None, handouts=None,
        consultations=None, format="plaza", district="511102", campaign_id=None, venue_id="v-1", counts_for_k2=True,
        recorded_by="u-bench", plausible_up_to=None, state=state,
    )  # fmt: skip
    for place in range(start, start + number):
        day = date(2011, 1, 1) + timedelta(days=place % 365)
        change = Change(replace(example, activity_id=f"{prefix}-{place}", day=day), "recorded")
        first = entry(kind, change, cause, version=1, after="")
        yield {
            "_id": f"{prefix}-{place}",
            "version": 1,
            "state": state_of(kind, change.record),
            "history": [first],
            "hash": first["hash"],
            "published": 0,
            "pending": True,
        }


def answer(port: int, path: str) -> float:
    """The seconds that one answer takes, on a connection of its own; RuntimeError where it is not 200."""
    with socket.create_connection(("127.0.0.1", port)) as connection:
        started = perf_counter()
        _ask(connection, path)
        return perf_counter() - started


def pages(port: int, path: str, *, token: str | None = None, seconds: float = 3.0, at_once: int = 16) -> float:
    """How many answers a second come over so many kept connections; RuntimeError where one is not 200."""
    started = perf_counter()
    pool = eventlet.GreenPool(at_once)
    connections = [pool.spawn(_ask_until, started + seconds, port, path, token) for _ in range(at_once)]
    answers = sum(connection.wait() for connection in connections)
    return answers / (perf_counter() - started)


def _ask_until(end: float, port: int, path: str, token: str | None) -> int:
    """Ask again and again over one connection; how often it was answered."""
    answers = 0
    with socket.create_connection(("127.0.0.1", port)) as connection:
        while perf_counter() < end:
            _ask(connection, path, token)
            answers += 1
    return answers


def _ask(connection: Any, path: str, token: str | None = None) -> None:
    authorization = f"Authorization: Bearer {token}\r\n" if token else ""
    connection.sendall(f"GET {path} HTTP/1.1\r\nHost: bench\r\n{authorization}\r\n".encode())
    status, _, _ = read_answer(connection)
    if status != 200:
        raise RuntimeError(f"{path}: {status}")


def read_answer(connection: Any) -> tuple[int, dict[str, str], bytes]:
    """Read status, headers by their names in small letters, and body; raise OSError where the connection breaks off."""
    received = b""
    while b"\r\n\r\n" not in received:
        received += _received(connection)
    head, _, body = received.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    while len(body) < int(headers["content-length"]):
        body += _received(connection)
    return int(first.split()[1]), headers, body


def _received(connection: Any) -> bytes:
    chunk: bytes = connection.recv(65536)
    if not chunk:
        raise ConnectionError("the connection was closed")
    return chunk
