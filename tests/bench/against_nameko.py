"""Measures our pipeline beside stock nameko, each pair in turn on the same broker, database and two cores.

The machine's speed does not matter, the ratios do. Every figure is the median of its rounds.
"""

import deploy.image.greenthreads  # noqa: F401, I001 - before anything else

import os
import signal
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from itertools import islice
from pathlib import Path
from statistics import median, quantiles
from time import perf_counter
from typing import Any

import eventlet
from eventlet.green import subprocess
from rich.console import Console
from rich.table import Table

from tests.bench import clients, stock_nameko
from deploy.local.health import says_ready
from deploy.local.home import Home
from deploy.local.ports import Ports
from gateway.plans import plan_file
from gateway.reporting.plan_history import PLANS
from gateway.reporting.cache import MAX_AGE
from gateway.read_model.store import Store
from services import contract
from services.chassis.amqp import connect
from services.chassis.client import Caller
from services.chassis.document import event
from services.chassis.mongo import database
from services.chassis.problem import Problem
from services.chassis.settings import Settings
from services.chassis.tokens import issue
from services.contract.topology import LEDGER_QUEUE, SERVICES

ROUNDS = 3
CALLS = 3_000  # of each round
EVENTS = 20_000
ANSWERS = 30
READY_WITHIN = 30.0  # seconds

console = Console(stderr=True)


@dataclass(frozen=True)
class Row:
    """One line of the table: what was measured, beside what, and what it should be."""

    name: str
    ours: str
    beside: str
    figure: float
    target: float
    at_most: bool = False

    @property
    def is_met(self) -> bool:
        return self.figure <= self.target if self.at_most else self.figure >= self.target


@dataclass
class Pipeline:
    """The five processes and stock nameko's, started and stopped as a measurement needs them."""

    settings: Settings
    ports: Ports
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(self, *names: str) -> None:
        """Each in a process of its own; returns when ours are ready and stock nameko's answer."""
        for name in names:
            self.running[name] = self._launch(name)
        for name in names:
            if not name.startswith("stock"):
                until(partial(says_ready, self.port(f"{name} health")))

    def stop(self, *names: str) -> None:
        for name in names:
            self.running[name].send_signal(signal.SIGTERM)
        for name in names:
            self.running.pop(name).wait()

    def resident(self, name: str) -> float:
        """Memory in MB."""
        return memory(self.running[name].pid)

    def port(self, name: str) -> int:
        return self.ports[name]

    def _launch(self, name: str) -> subprocess.Popen[bytes]:
        if name.startswith("stock"):
            command = ["-m", "tests.bench.stock_nameko", name.removeprefix("stock-")]
            besides = {"HTTP_PORT": str(self.ports.take(name))}
        else:
            command = ["-m", "deploy.run", name]
            besides = {"HEALTH_PORT": str(self.ports.take(f"{name} health")), "HTTP_PORT": str(self.ports.take(name))}
        return subprocess.Popen([sys.executable, *command], env=os.environ | besides)


def main(arguments: list[str]) -> int:
    """Measure, print the table; 1 where a target was missed."""
    records = 100_000 if "--quick" in arguments else 1_000_000
    os.environ["CALLER_RATE"] = "0"  # one caller asks for what many would
    settings = Settings.read()
    pipeline = Pipeline(settings, Ports(Home.of_the_environment()))
    caller = Caller(settings, "bench")
    eventlet.spawn(caller.link.run)
    roles = ("recorder", "verifier", "viewer")
    token = issue(settings.token_private_key or "", subject="u-bench", roles=roles, lifetime=timedelta(hours=2))
    bench = Bench(pipeline, caller, token)
    rows: list[Row] = []
    try:
        pipeline.start(*SERVICES, "gateway", "stock-echo", "stock-page")
        for step in (bench.memory, bench.commands, bench.latency, bench.pages, bench.relay, bench.ledger):
            console.print(f"measuring: {(step.__doc__ or '').strip()}")
            rows += step()
        console.print(f"measuring: the same questions over {records:,} records and over few of them")
        rows += bench.size(records)
    finally:
        pipeline.stop(*pipeline.running)
    show(rows)
    return 0 if all(row.is_met for row in rows) else 1


@dataclass
class Bench:
    """The measurements, in an order in which none disturbs the next."""

    pipeline: Pipeline
    caller: Caller
    token: str

    def __post_init__(self) -> None:
        self.settings = self.pipeline.settings
        self.counting = clients.Counting(self.caller, self.token)

    def memory(self) -> list[Row]:
        """memory of each process that has nothing to do"""
        used = {name: self.pipeline.resident(name) for name in (*SERVICES, "gateway")}
        most = max(used, key=lambda name: used[name])
        return [Row("memory of an idle process", f"{used[most]:.0f} MB ({most})", "-", used[most], 80, at_most=True)]

    def commands(self) -> list[Row]:
        """recording a count over RPC beside a bare nameko echo, both called by 32 stock nameko clients at once"""
        until(self._echoes)
        self.counting.prepare(CALLS * ROUNDS + 3_000)
        echoes, records = [], []
        with clients.StockCallers(self.settings.amqp_uri, self.token) as callers:
            callers.rate(_echo, times=500)
            callers.rate(self._record, times=500)
            for _ in range(ROUNDS):
                echoes.append(callers.rate(_echo, times=CALLS))
                records.append(callers.rate(self._record, times=CALLS))
        ours, theirs = median(records), median(echoes)
        return [Row("recording a count / echo RPC", f"{ours:,.0f}/s", f"{theirs:,.0f}/s", ours / theirs, 0.4)]

    def latency(self) -> list[Row]:
        """from answered command to changed KPI, at 50 commands a second"""
        self._quiet()
        store = database(self.settings, "gateway")["counts"]
        base = self._events()
        answered: list[float] = []
        seen: list[float] = []

        def command() -> None:
            self.counting.record()
            answered.append(perf_counter())

        def watch() -> None:
            while len(seen) < 1_000:
                new = store.find_one({"_id": "ledger"}, {"events": 1})["events"] - base - len(seen)  # type: ignore[index]
                seen.extend([perf_counter()] * new)
                eventlet.sleep(0.002)

        watching = eventlet.spawn(watch)
        started = perf_counter()
        for number in range(1_000):
            eventlet.sleep(max(0.0, started + number / 50 - perf_counter()))
            eventlet.spawn_n(command)
        watching.wait()
        waits = sorted(max(0.0, 1000 * (there - here)) for here, there in zip(answered, seen, strict=True))
        cuts = quantiles(waits, n=100)
        return [
            Row("answered command to changed KPI, p50", f"{cuts[49]:.1f} ms", "-", cuts[49], 20, at_most=True),
            Row("answered command to changed KPI, p99", f"{cuts[98]:.1f} ms", "-", cuts[98], 100, at_most=True),
        ]

    def pages(self) -> list[Row]:
        """GET /api/v1/kpis/K2 beside a bare nameko @http that returns a constant"""
        ours, theirs = [], []
        for _ in range(ROUNDS):
            theirs.append(clients.pages(self.pipeline.port("stock-page"), "/constant"))
            ours.append(self._kpi())
        here, there = median(ours), median(theirs)
        return [Row("GET /kpis/K2 / bare @http", f"{here:,.0f}/s", f"{there:,.0f}/s", here / there, 0.5)]

    def relay(self) -> list[Row]:
        """the relay, with a backlog that a dead process left"""
        self.pipeline.stop("outreach")
        counts = database(self.settings, "outreach")["audience_count"]
        insert(counts, clients.documents(EVENTS))
        pending = lambda: counts.count_documents({"pending": True})  # noqa: E731
        self.pipeline.start("outreach")
        figure = drained(pending, EVENTS)
        return [Row("relay, events/s", f"{figure:,.0f}/s", "-", figure, 3_000)]

    def ledger(self) -> list[Row]:
        """the ledger beside a stock @event_handler that does nothing, both draining a full queue"""
        self.pipeline.start("stock-hearer")
        until(lambda: self._queue_is_there(stock_nameko.HEARER_QUEUE))
        self._quiet()
        self.pipeline.stop("stock-hearer", "gateway", "outreach")
        counts = database(self.settings, "outreach")["audience_count"]
        counts.delete_many({"_id": {"$regex": "^stored-"}})
        insert(counts, clients.documents(EVENTS, prefix="queued"))
        self.pipeline.start("outreach")
        until(lambda: counts.count_documents({"pending": True}) == 0, 120)
        self.pipeline.stop("outreach")
        self.pipeline.start("stock-hearer")
        theirs = drained(lambda: self._waiting(stock_nameko.HEARER_QUEUE), EVENTS)
        self.pipeline.stop("stock-hearer")
        self.pipeline.start("gateway")
        ours = drained(lambda: self._waiting(LEDGER_QUEUE.name), EVENTS)
        return [Row("ledger / stock @event_handler", f"{ours:,.0f}/s", f"{theirs:,.0f}/s", ours / theirs, 1.3)]

    def size(self, records: int) -> list[Row]:
        """the same questions over many records and over few of them, and beside adding up the records themselves"""
        few, some = records // 100, records // 10
        self._take_in(few, after=0)
        progress_of_few = self._progress()
        self._take_in(some, after=few)
        kpi_of_some = self._kpi()
        self._take_in(records, after=some)
        kpi, progress, added_up = self._kpi(), self._progress(), self._add_up()
        return [
            Row(
                f"GET /kpis/K2 over {records:,} / over {some:,}",
                f"{1000 / kpi:.2f} ms", f"{1000 / kpi_of_some:.2f} ms", kpi_of_some / kpi, 1.2, at_most=True,
            ),
            Row(
                f"GET progress, 62 items, over {records:,} / over {few:,}",
                f"{progress:.1f} ms", f"{progress_of_few:.1f} ms", progress / progress_of_few, 1.5, at_most=True,
            ),
            Row(
                "adding up K2 from its records / GET progress, 62 items",
                f"{progress:.1f} ms", f"{added_up:,.0f} ms", added_up / progress, 50,
            ),
        ]  # fmt: skip

    def _take_in(self, records: int, *, after: int) -> None:
        kind = contract.outreach.AudienceCount.kind
        store = Store(database(self.settings, "gateway"))
        documents = clients.documents(records - after, state="verified", prefix="size", start=after)
        while chunk := list(islice(documents, 2_000)):
            store.take([event(kind, held["_id"], held["history"][0]) for held in chunk])

    def _progress(self) -> float:
        """ms of one answer, so far apart that each is read anew."""
        port, took = self.pipeline.port("gateway"), []
        for _ in range(ANSWERS):
            eventlet.sleep(2 * MAX_AGE)
            took.append(clients.answer(port, "/api/v1/plans/2011/progress"))
        return 1000 * median(took)

    def _add_up(self) -> float:
        """ms of one aggregation over the views for K2 month by month, as the counts have it."""
        plan = plan_file.read("2011.yaml", (PLANS / "2011.yaml").read_bytes())
        rule = next(kpi.rule for _, kpi in plan.kpis() if kpi.code == "K2")
        views, took = database(self.settings, "gateway")["views"], []
        wanted = {f"data.{one.field}": one.any_of[0] for one in rule.where}
        of_the_year = {"kind": rule.of.key, f"data.{rule.on}": {"$gte": "2011-01-01", "$lte": "2011-12-31"}}
        month, amount = {"$substrBytes": [f"$data.{rule.on}", 0, 7]}, {"$sum": f"$data.{rule.field}"}
        for _ in range(ROUNDS):
            started = perf_counter()
            list(views.aggregate([{"$match": of_the_year | wanted}, {"$group": {"_id": month, "value": amount}}]))
            took.append(perf_counter() - started)
        return 1000 * median(took)

    def _kpi(self) -> float:
        return clients.pages(self.pipeline.port("gateway"), "/api/v1/kpis/K2", token=self.token)

    def _record(self, cluster: Any) -> Any:
        return cluster.outreach.record_count(**self.counting.next())

    def _echoes(self) -> bool:
        try:
            return bool(self.caller.call("stock_echo", "echo", {"person_times": 1}))
        except Problem:
            return False

    def _quiet(self) -> None:
        """Wait until the ledger has taken in all that outreach ever said."""
        until(lambda: self._events() == self._said(), 120)

    def _said(self) -> int:
        kinds = [kind for kind in contract.KINDS.values() if kind.service == "outreach"]
        total = [{"$group": {"_id": None, "versions": {"$sum": "$version"}}}]
        outreach = database(self.settings, "outreach")
        return sum(group["versions"] for kind in kinds for group in outreach[kind.name].aggregate(total))

    def _events(self) -> int:
        found = database(self.settings, "gateway")["counts"].find_one({"_id": "ledger"})
        return int((found or {"events": 0})["events"])

    def _waiting(self, queue: str) -> int:
        with connect(self.settings, "bench.look") as connection:
            return int(connection.default_channel.queue_declare(queue, passive=True).message_count)

    def _queue_is_there(self, queue: str) -> bool:
        try:
            return self._waiting(queue) >= 0
        except Exception:  # noqa: BLE001 - not there yet
            return False


def _echo(cluster: Any) -> Any:
    return cluster.stock_echo.echo(person_times=1)


def memory(pid: int, what: str = "VmRSS") -> float:
    """In MB, as Linux has it."""
    status = Path(f"/proc/{pid}/status").read_text()
    (kilobytes,) = [int(line.split()[1]) for line in status.splitlines() if line.startswith(what)]
    return kilobytes / 1024


def drained(left: Callable[[], int], full: int) -> float:
    """How many a second went between nine tenths and a tenth of a full store."""
    until(lambda: left() < 0.9 * full, 120)
    started, first = perf_counter(), left()
    until(lambda: left() < 0.1 * full, 120)
    return (first - left()) / (perf_counter() - started)


def insert(collection: Any, documents: Iterator[Any]) -> None:
    while chunk := list(islice(documents, 2_000)):
        collection.insert_many(chunk)


def until(condition: Callable[[], Any], within: float = READY_WITHIN) -> None:
    with eventlet.Timeout(within, RuntimeError(f"not within {within} s")):
        while not condition():
            eventlet.sleep(0.02)


def show(rows: Iterable[Row], title: str = "Kexie beside stock nameko, in one run") -> None:
    table = Table(title=title)
    for heading in ("what", "ours", "beside", "figure", "target", ""):
        table.add_column(heading, justify="left" if heading == "what" else "right")
    for row in rows:
        target = f"{'≤' if row.at_most else '≥'} {row.target:g}"
        table.add_row(row.name, row.ours, row.beside, f"{row.figure:,.2f}", target, "✓" if row.is_met else "missed")
    Console().print(table)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
