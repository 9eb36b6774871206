"""The stack at its limit and at twice that: it sheds what is beyond, and what it accepts stays quick and is not lost.

The limit is found first: the rate at which hardly anything is shed and nobody waits long. The generator shares the
machine with the stack, so the figures are lower than those of the stack alone.
"""

import deploy.image.greenthreads  # noqa: F401, I001 - before anything else

import os
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any
from urllib.parse import urlsplit

import eventlet
from rich.console import Console
from rich.table import Table

from gateway.read_model.generations import Generations
from services.chassis.client import Caller
from services.chassis.mongo import database
from services.contract.topology import SERVICES
from tests.bench.open_loop import (
    ACCEPTED,
    DONE,
    FAILED,
    LATER,
    MAKINGS,
    RATED,
    SHED,
    UNKNOWN,
    WAYS,
    Making,
    Offering,
    Tally,
    spread,
)
from tests.bench.pipeline import LOOK, Pipeline
from tests.waiting import wait_until

FIRST = 100.0  # requests a second at the beginning of the search
STEPS = 1.4, 1.15  # factors by which the search goes up, first roughly, then finely
STEP = 8.0  # seconds at most for one step of the search
MOST_SHED = 0.01  # of all requests, at the limit
SLOWEST = 0.5  # seconds, p99, at the limit
BOUNDED = 1.0  # seconds, p99 of accepted requests, beyond the limit
SETTLED = 0.2  # of a phase, until all its connections are open
GROWTH = 20.0  # percent by which a process's memory may grow from then on
FAIR = 0.1  # of the limit: the rate that one caller is allowed, several times that of each of the many
GREED = 5.0  # times the allowed rate, for the greedy caller
CAUGHT_UP = 300.0  # seconds in which everything accepted has to be done and counted
ESTABLISHED = "01"  # the state of an open connection, as Linux writes it

console = Console(stderr=True)


@dataclass(frozen=True)
class Used:
    """Memory of each process in MB, and the open connections of each port."""

    memory: dict[str, float]
    connections: dict[str, int]


@dataclass(frozen=True)
class Phase:
    """A rate that was offered for some time, and what became of it."""

    name: str
    rate: float
    tally: Tally
    greedy: Tally
    before: Used
    settled: Used  # once all connections are open
    after: Used
    caught_up: float  # seconds until all that was accepted was done and counted


@dataclass(frozen=True)
class Target:
    """A promise: a figure that has to be at most, or at least, its bound."""

    name: str
    figure: float
    bound: float = 0
    at_least: bool = False

    @property
    def is_met(self) -> bool:
        """Whether the figure is on the right side of its bound, or equal to it."""
        return self.figure >= self.bound if self.at_least else self.figure <= self.bound


@dataclass(frozen=True)
class Account:
    """The outcome of all commands together; every number but the first should be 0."""

    accepted: int
    lost: int
    doubled: int
    done_though_shed: int


def main(seconds: float) -> int:
    """Measure in two phases of so many seconds and print the table; 1 where a target was missed."""
    pipeline = Pipeline.of_the_environment()
    caller = Caller(pipeline.settings, "limit")
    eventlet.spawn(caller.link.run)
    try:
        pipeline.start(*SERVICES, "gateway")
        offering = Offering(pipeline.port("gateway"), caller, pipeline.settings.token_private_key or "")
        phases, account = Trial(pipeline, offering).run(seconds)
    finally:
        pipeline.stop_all()
    targets = list(_targets(phases, account))
    _print(phases, targets)
    return 0 if all(target.is_met for target in targets) else 1


@dataclass
class Trial:
    """The search for the limit, the two phases, and the account of every command at the end."""

    pipeline: Pipeline
    offering: Offering

    def __post_init__(self) -> None:
        self._settings = self.pipeline.settings
        self._generations = Generations(database(self._settings, "gateway"), list)

    def run(self, seconds: float) -> tuple[list[Phase], Account]:
        """Find the limit, offer it and twice it for so many seconds each, and compare all commands with the records."""
        self._warm_up()
        limit = self._search(min(STEP, seconds / 4))
        self._allow(FAIR * limit)
        phases = [
            self._phase("at the limit", limit, seconds),
            self._phase("at twice the limit", 2 * limit, seconds, greedy=GREED * FAIR * limit),
        ]
        return phases, self._account()

    def _allow(self, rate: float) -> None:
        """Allow each caller this rate: the default is the same on every machine, and too high for a slow one."""
        self.offering.hang_up()
        self.pipeline.stop("gateway")
        os.environ["CALLER_RATE"] = str(rate)
        self.pipeline.start("gateway")
        self._warm_up()

    def _warm_up(self) -> None:
        wait_until(lambda: self.offering.offer(20, 1)[0].number(DONE) > 10, "answers", within=60, every=LOOK)

    def _search(self, seconds: float) -> float:
        """The highest rate that was served well."""
        good, rate = 0.0, FIRST
        for step in STEPS:
            rate = good * step if good else rate
            while self._is_served_well(rate, seconds) or self._is_served_well(rate, seconds):  # a hiccup is no limit
                good, rate = rate, rate * step
        while not good:
            rate /= 2
            good = rate if self._is_served_well(rate, seconds) else 0.0
        return good

    def _is_served_well(self, rate: float, seconds: float) -> bool:
        tally, _ = self.offering.offer(rate, seconds)
        _, p99, _ = tally.waited(*ACCEPTED)
        bad = tally.number(SHED, RATED, UNKNOWN, FAILED, LATER) / max(1, tally.number())
        console.print(f"{rate:,.0f} requests/s: p99 {1000 * p99:,.0f} ms, not served {bad:.1%}")
        self._catch_up()
        return bad <= MOST_SHED and p99 <= SLOWEST

    def _phase(self, name: str, rate: float, seconds: float, *, greedy: float = 0.0) -> Phase:
        console.print(f"{name}: {rate:,.0f} requests/s for {seconds:,.0f} s")
        before, settling = self._used(), eventlet.spawn_after(seconds * SETTLED, self._used)
        tally, theirs = self.offering.offer(rate, seconds, greedy=greedy)
        return Phase(name, rate, tally, theirs, before, settling.wait(), self._used(), self._catch_up())

    def _used(self) -> Used:
        broker, port = urlsplit(self._settings.amqp_uri).port or 5672, self.pipeline.port("gateway")
        memory = {name: self.pipeline.resident(name) for name in (*SERVICES, "gateway")}
        return Used(memory, {"broker": connections(broker), "gateway": connections(port)})

    def _catch_up(self) -> float:
        """Wait until no accepted command waits and the ledger has counted every record; the seconds that took."""
        started = perf_counter()
        gateway = database(self._settings, "gateway")
        accepted = {"state": "accepted"}
        wait_until(
            lambda: not gateway["accepted"].count_documents(accepted, limit=1),
            "the accepted commands",
            within=CAUGHT_UP,
        )
        wait_until(lambda: self._counted() == self._recorded(), "the ledger", within=CAUGHT_UP)
        return perf_counter() - started

    def _counted(self) -> int:
        return int(self._generations.serving().read_counts({}).ledger["events"])

    def _recorded(self) -> int:
        return sum(self._records(making).count_documents({}) for making in MAKINGS)

    def _records(self, making: Making) -> Any:
        return database(self._settings, making.service)[making.kind.name]

    def _account(self) -> Account:
        """Compare every command with the record it was to make, at its service and at the gateway."""
        ends = [end for making in MAKINGS for end in self._ends(making)]
        return Account(
            accepted=sum(outcome in ACCEPTED for outcome, _ in ends),
            lost=sum(outcome in ACCEPTED and min(versions) < 1 for outcome, versions in ends),
            doubled=sum(max(versions) > 1 for _, versions in ends),
            done_though_shed=sum(outcome in (SHED, RATED) and max(versions) > 0 for outcome, versions in ends),
        )

    def _ends(self, making: Making) -> Iterator[tuple[str, tuple[int, ...]]]:
        """The outcome of each of these commands, and the versions that service and gateway have of its record."""
        recorded = {record["_id"]: record["version"] for record in self._records(making).find({}, {"version": 1})}
        counted = self._generations.serving().versions_of(making.kind.key, "", None)
        for id_, outcome in self.offering.commands[making.kind.key].items():
            yield outcome, (recorded.get(id_, 0), *counted.get(id_, (0, 0)))


def connections(port: int) -> int:
    """How many connections to this port of the machine are open, by IPv4 and IPv6."""
    tables = (Path(f"/proc/net/{name}").read_text().splitlines()[1:] for name in ("tcp", "tcp6"))
    listed = (line.split() for table in tables for line in table)
    return sum(local.endswith(f":{port:04X}") and state == ESTABLISHED for _, local, _, state, *_ in listed)


def _targets(phases: list[Phase], account: Account) -> Iterator[Target]:
    """The promises, with the figures that were measured."""
    _, twice = phases
    tallies = [tally for phase in phases for tally in (phase.tally, phase.greedy)]
    growth = {name: used / twice.settled.memory[name] - 1 for name, used in twice.after.memory.items()}
    grown = max(growth, key=lambda name: growth[name])
    gained = twice.after.connections["broker"] - twice.before.connections["broker"]
    yield Target(f"accepted commands lost, of {account.accepted:,}", account.lost)
    yield Target("commands done twice", account.doubled)
    yield Target("commands shed and done all the same", account.done_though_shed)
    yield Target("requests shed at twice the limit", twice.tally.number(SHED), 1, at_least=True)
    yield Target("shed without Retry-After", sum(tally.without_retry_after for tally in tallies))
    yield Target("neither accepted nor shed", sum(tally.number(FAILED) for tally in tallies))
    yield Target("p99 of accepted requests at twice the limit, s", twice.tally.waited(*ACCEPTED)[1], BOUNDED)
    yield Target(f"memory gained at twice the limit, % ({grown})", 100 * growth[grown], GROWTH)
    yield Target("connections to the broker gained at twice the limit", gained)
    yield Target("429 for the greedy caller", twice.greedy.number(RATED), 1, at_least=True)
    yield Target("429 for others", sum(phase.tally.number(RATED) for phase in phases))


def _print(phases: list[Phase], targets: list[Target]) -> None:
    out = Console()
    out.print(_table_of_phases(phases))
    out.print(_table_of_targets(targets))
    for failure, times in sum((phase.tally.failures for phase in phases), Counter()).most_common(5):
        out.print(f"{times:,} times: {failure}", highlight=False)


def _table_of_phases(phases: list[Phase]) -> Table:
    table = Table(title="Kexie at its limit and beyond")
    for heading in ("", *(phase.name for phase in phases)):
        table.add_column(heading, justify="right" if heading else "left")
    for line in zip(*map(_lines, phases), strict=True):
        table.add_row(line[0][0], *(text for _, text in line))
    return table


def _table_of_targets(targets: list[Target]) -> Table:
    table = Table(title="Promises")
    for heading in ("what", "measured", "target", ""):
        table.add_column(heading, justify="left" if heading == "what" else "right")
    for target in targets:
        bound = f"{'≥' if target.at_least else '≤'} {target.bound:g}"
        table.add_row(target.name, f"{target.figure:,.4g}", bound, "✓" if target.is_met else "missed")
    return table


def _lines(phase: Phase) -> Iterator[tuple[str, str]]:
    """The table's lines for one phase."""
    tally, greedy = phase.tally, phase.greedy
    yield "offered a second", f"{tally.number() / tally.seconds:,.0f}"
    yield "accepted a second", f"{tally.number(*ACCEPTED) / tally.seconds:,.0f}"
    for outcome in (DONE, LATER, RATED, SHED, UNKNOWN, FAILED):
        yield outcome, f"{tally.number(outcome):,}"
    for way in WAYS:
        yield f"{way}: accepted / offered", f"{tally.number(*ACCEPTED, ways=(way,)):,} / {tally.number(ways=(way,)):,}"
        yield f"{way}: accepted, p50 / p99 / longest", _times(tally.waited(*ACCEPTED, ways=(way,)))
    yield "shed, p50 / p99 / longest", _times(tally.waited(SHED, RATED))
    yield "sent late, p50 / p99 / longest", _times(spread(tally.late))
    yield (
        "greedy caller: served / 429 / 503",
        " / ".join(f"{greedy.number(outcome):,}" for outcome in (DONE, RATED, SHED)),
    )
    yield "all done and counted after", f"{phase.caught_up:,.1f} s"
    uses = phase.before, phase.settled, phase.after
    for name in phase.before.memory:
        yield f"memory of {name}, MB", " → ".join(f"{used.memory[name]:.0f}" for used in uses)
    for name in phase.before.connections:
        yield f"connections to the {name}", " → ".join(f"{used.connections[name]}" for used in uses)


def _times(waited: tuple[float, float, float]) -> str:
    return " / ".join(f"{1000 * wait:,.0f}" for wait in waited) + " ms"


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1])))
