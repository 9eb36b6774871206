"""Open-loop load: requests come at a rate, however slowly they are answered, and the outcome of each is noted.

Waiting is measured from the moment a request was due, so that a stack cannot look fast by taking none.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count, cycle
from random import Random
from statistics import quantiles
from time import perf_counter
from typing import Any

import eventlet
from eventlet.green import socket

from services import contract
from services.chassis.client import Caller
from services.chassis.problem import Problem, Unavailable
from services.chassis.tokens import issue
from services.contract import wire
from services.contract.view import Kind
from tests.bench.clients import read_answer

CALLERS = 200
CONNECTIONS = 800  # of the generator: fewer than a gateway accepts
KEPT = 8.0  # seconds in which an idle connection is used again: the gateway closes it later
PATIENCE = 30.0  # seconds for an answer
WAYS = "command", "read", "rpc"
MIX = ("command", "read", "command", "read", "command", "read", "command", "read", "command", "rpc")
KPIS = ("K1", "K2", "K3", "K4", "K5", "K6")

DONE, LATER, RATED, SHED, UNKNOWN, FAILED = "done", "for later", "429", "503", "unknown", "failed"
ACCEPTED = (DONE, LATER)


@dataclass(frozen=True)
class Making:
    """A command that makes a new record each time."""

    kind: Kind
    command: str
    common: dict[str, Any]  # the arguments that all records share
    unique: tuple[str, ...]  # the names of the arguments that no two records share

    @property
    def service(self) -> str:
        """The name of the service that takes the command."""
        return self.kind.service

    def arguments(self, id_: str) -> dict[str, Any]:
        """Return the arguments that make the record of this id, which is the command's id too."""
        return self.common | dict.fromkeys(self.unique, id_) | {"command_id": id_}


MAKINGS = (
    Making(
        contract.outreach.Venue.kind, "register_venue",
        {"venue_kind": "plaza", "name": "嘉州广场", "district": "511102"}, ("venue_id",),
    ),
    Making(
        contract.awards.ExternalResult.kind, "report_external_result",
        {"series": "youth_contest", "level": "province", "edition_no": 26, "grade": "first",
         "category": "innovation_project", "award_kind": "graded", "first_entrant": "p-1", "awarded_on": "2011-03-20",
         "document_sha256": "a" * 64}, ("result_id", "title"),
    ),
    Making(
        contract.members.Organisation.kind, "create_organisation",
        {"name": "科协", "organisation_kind": "enterprise", "district": "511102", "workers_count": 50},
        ("organisation_id", "institution_id"),
    ),
    Making(
        contract.rural.Association.kind, "prepare_association",
        {"industry": "茶叶", "township_code": "511111101", "members_count": 80}, ("association_id", "name"),
    ),
)  # fmt: skip


def spread(waits: Sequence[float]) -> tuple[float, float, float]:
    """Return p50, p99 and the longest; zeros for fewer than two."""
    if len(waits) < 2:
        return 0.0, 0.0, 0.0
    cuts = quantiles(waits, n=100, method="inclusive")
    return cuts[49], cuts[98], max(waits)


@dataclass
class Tally:
    """The outcomes of a phase's requests."""

    seconds: float
    outcomes: Counter[tuple[str, str]] = field(default_factory=Counter)  # by way (command, read, rpc) and outcome
    waits: dict[tuple[str, str], array[float]] = field(default_factory=dict)  # seconds
    late: array[float] = field(default_factory=lambda: array("d"))  # seconds from due to sent
    without_retry_after: int = 0
    failures: Counter[str] = field(default_factory=Counter)

    def note(self, way: str, outcome: str, wait: float) -> None:
        """Count a request that ended, after so many seconds."""
        self.outcomes[way, outcome] += 1
        self.waits.setdefault((way, outcome), array("d")).append(wait)

    def number(self, *outcomes: str, ways: Sequence[str] = WAYS) -> int:
        """How many requests had one of these outcomes; all requests where none is named."""
        return sum(
            number
            for (way, outcome), number in self.outcomes.items()
            if way in ways and (outcome in outcomes or not outcomes)
        )

    def waited(self, *outcomes: str, ways: Sequence[str] = WAYS) -> tuple[float, float, float]:
        """Return p50, p99 and the longest wait of these outcomes, in seconds."""
        keys = [(way, outcome) for way, outcome in self.waits if way in ways and outcome in outcomes]
        return spread([wait for key in keys for wait in self.waits[key]])


class Offering:
    """Callers of the gateway and of the services; `commands` holds the outcome of every command, by its kind and id."""

    def __init__(self, port: int, caller: Caller, private_key: str, *, seed: int = 1) -> None:
        self._port, self._caller, self._random = port, caller, Random(seed)
        lifetime = timedelta(hours=6)
        roles = ("recorder", "verifier", "viewer")
        subjects = [f"u-{number}" for number in range(CALLERS)]
        self._tokens = cycle(
            [issue(private_key, subject=subject, roles=roles, lifetime=lifetime) for subject in subjects]
        )
        self._greedy = issue(private_key, subject="u-greedy", roles=roles, lifetime=lifetime)
        self._idle: list[tuple[float, Any]] = []
        self._ids = (f"limit-{number}" for number in count())
        self._makings, self._kpis, self._ways = cycle(MAKINGS), cycle(KPIS), cycle(MIX)
        self.commands: dict[str, dict[str, str]] = {making.kind.key: {} for making in MAKINGS}

    def offer(self, rate: float, seconds: float, *, greedy: float = 0.0) -> tuple[Tally, Tally]:
        """Offer so many requests a second, and of one caller `greedy` reads a second; end when all are answered."""
        ours, theirs = Tally(seconds), Tally(seconds)
        reading = eventlet.spawn(self._send, greedy, seconds, lambda due: self._read(theirs, due, self._greedy))
        self._send(rate, seconds, lambda due: self._ask(ours, due))
        reading.wait()
        return ours, theirs

    def _send(self, rate: float, seconds: float, ask: Callable[[float], None]) -> None:
        pool = eventlet.GreenPool(CONNECTIONS)
        for due in self._moments(rate, seconds):
            if (early := due - perf_counter()) > 0:
                eventlet.sleep(early)
            pool.spawn_n(ask, due)
        pool.waitall()

    def _moments(self, rate: float, seconds: float) -> Iterator[float]:
        """The moments at which independent callers come."""
        if not rate:
            return
        due = perf_counter()
        end = due + seconds
        while (due := due + self._random.expovariate(rate)) < end:
            yield due

    def _ask(self, tally: Tally, due: float) -> None:
        tally.late.append(perf_counter() - due)
        ask = {"command": self._command, "rpc": self._call, "read": self._read}[next(self._ways)]
        ask(tally, due, next(self._tokens))

    def _read(self, tally: Tally, due: float, token: str) -> None:
        outcome = self._http(tally, f"GET /api/v1/kpis/{next(self._kpis)}", token)
        tally.note("read", outcome, perf_counter() - due)

    def _command(self, tally: Tally, due: float, token: str) -> None:
        making, id_ = next(self._makings), next(self._ids)
        address = f"POST /api/v1/{making.service}/{making.command}"
        outcome = self._http(tally, address, token, wire.encode(making.arguments(id_)))
        self.commands[making.kind.key][id_] = outcome
        tally.note("command", outcome, perf_counter() - due)

    def _call(self, tally: Tally, due: float, token: str) -> None:
        making, id_ = next(self._makings), next(self._ids)
        try:
            self._caller.call(making.service, making.command, making.arguments(id_), token=token)
            outcome = DONE
        except Unavailable:
            outcome = UNKNOWN
        except Problem as problem:
            outcome = FAILED
            tally.failures[f"rpc {making.command}: {problem.say()['en']}"] += 1
        self.commands[making.kind.key][id_] = outcome
        tally.note("rpc", outcome, perf_counter() - due)

    def _http(self, tally: Tally, address: str, token: str, body: bytes = b"") -> str:
        headers = f"Host: limit\r\nAuthorization: Bearer {token}\r\nContent-Length: {len(body)}\r\n"
        connection = None
        try:
            connection = self._connection()
            connection.sendall(f"{address} HTTP/1.1\r\n{headers}\r\n".encode() + body)
            status, answered, content = read_answer(connection)
        except OSError as error:
            if connection is not None:
                connection.close()
            tally.failures[f"{address}: {type(error).__name__}: {error}"] += 1
            return UNKNOWN
        self._give_back(connection, answered)
        outcome = _outcome(status, content)
        if outcome in (RATED, SHED, UNKNOWN) and "retry-after" not in answered:
            tally.without_retry_after += 1
        if outcome in (UNKNOWN, FAILED):
            tally.failures[f"{address}: {status} {content[:300].decode(errors='replace')}"] += 1
        return outcome

    def hang_up(self) -> None:
        """Close the idle connections, because the gateway is about to stop."""
        while self._idle:
            self._idle.pop()[1].close()

    def _connection(self) -> Any:
        while self._idle:
            since, connection = self._idle.pop()
            if perf_counter() - since < KEPT:
                return connection
            connection.close()
        return socket.create_connection(("127.0.0.1", self._port), timeout=PATIENCE)

    def _give_back(self, connection: Any, headers: dict[str, str]) -> None:
        if headers.get("connection") == "close":
            connection.close()
        else:
            self._idle.append((perf_counter(), connection))


def _outcome(status: int, content: bytes) -> str:
    if status == 503:
        return SHED if b'"overloaded"' in content else UNKNOWN
    return {200: DONE, 202: LATER, 429: RATED}.get(status, FAILED)
