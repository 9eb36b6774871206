"""Measures our pipeline beside stock nameko, each pair in turn on the same broker, database and two cores.

The machine's speed does not matter, the ratios do. Every figure is the median of its rounds.
"""

import deploy.image.greenthreads  # noqa: F401, I001 - before anything else

import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from statistics import median, quantiles
from time import perf_counter
from typing import Any

import eventlet
from rich.console import Console

from gateway.plans import plan_file
from gateway.read_model.store import Store
from gateway.reporting.cache import MAX_AGE
from gateway.reporting.plan_history import PLANS
from services import contract
from services.chassis.amqp import connect
from services.chassis.client import Caller
from services.chassis.document import event
from services.chassis.mongo import database
from services.chassis.problem import Problem
from services.contract.topology import LEDGER_QUEUE, SERVICES
from tests.bench import clients, outside_system, stock_nameko
from tests.bench.outside_system import OutsideSystem
from tests.bench.pipeline import LOOK, READY_WITHIN, Pipeline
from tests.bench.result_table import Row, at_most, exit_code, show
from tests.waiting import wait_until

ROUNDS = 3
CALLS = 3_000  # of each round
CALLS_OF_A_SYSTEM, CLIENTS_OF_A_SYSTEM = 1_000, 4  # of each round; a system has few connections
EVENTS = 20_000
ANSWERS = 30
WATCHED = 1_000  # commands whose way to the KPI is timed
PER_SECOND = 50  # of these commands
DRAINED_WITHIN = 120.0  # seconds
CHUNK = 2_000  # documents written at once

console = Console(stderr=True)


def main(records: int) -> int:
    """Measure, over so many records at the end, and print the table; 1 where a target was missed."""
    os.environ["CALLER_RATE"] = "0"  # one caller asks for as much as many would
    pipeline = Pipeline.of_the_environment()
    caller = Caller(pipeline.settings, "bench")
    eventlet.spawn(caller.link.run)
    system = outside_system.let_in(pipeline.settings)
    try:
        pipeline.start(*SERVICES, "gateway", "door", "stock-echo", "stock-page")
        rows = list(Bench(pipeline, caller, pipeline.token(), system).rows(records))
    finally:
        pipeline.stop_all()
    show(rows, "Kexie beside stock nameko, in one run")
    return exit_code(rows)


@dataclass
class Bench:
    """The measurements, in an order in which none disturbs the next."""

    pipeline: Pipeline
    caller: Caller
    token: str
    system: OutsideSystem

    def __post_init__(self) -> None:
        self.settings = self.pipeline.settings
        self.counting = clients.Counting(self.caller, self.token)

    def rows(self, records: int) -> Iterator[Row]:
        """Take all measurements, and say on the way which one is being taken."""
        for step in (self.memory, self.commands, self.door, self.latency, self.pages, self.relay, self.ledger):
            console.print(f"measuring: {step.__doc__}")
            yield from step()
        console.print(f"measuring: the same questions over {records:,} records and over few of them")
        yield from self.size(records)

    def memory(self) -> list[Row]:
        """Memory of each process that has nothing to do."""
        used = {name: self.pipeline.resident(name) for name in (*SERVICES, "gateway", "door")}
        largest = max(used, key=lambda name: used[name])
        return [at_most("memory of an idle process", f"{used[largest]:.0f} MB ({largest})", used[largest], 80)]

    def commands(self) -> list[Row]:
        """Recording a count over RPC beside a bare nameko echo, both called by 32 stock nameko clients at once."""
        wait_until(self._echoes, "stock nameko's echo", within=READY_WITHIN, every=LOOK)
        self.counting.prepare((CALLS + 2 * CALLS_OF_A_SYSTEM) * ROUNDS + 5_000)
        echoes, records = [], []
        with clients.StockCallers(self.settings.amqp_uri, self.token) as callers:
            callers.rate(_echo, times=500)
            callers.rate(self._record, times=500)
            for _ in range(ROUNDS):
                echoes.append(callers.rate(_echo, times=CALLS))
                records.append(callers.rate(self._record, times=CALLS))
        ours, theirs = median(records), median(echoes)
        return [Row("recording a count / echo RPC", f"{ours:,.0f}/s", f"{theirs:,.0f}/s", ours / theirs, 0.4)]

    def door(self) -> list[Row]:
        """Recording a count through the door beside a direct call, both by four stock nameko clients at once."""
        through, direct = [], []
        with (
            clients.StockCallers(self.system.amqp_uri, self.system.token, CLIENTS_OF_A_SYSTEM) as its_callers,
            clients.StockCallers(self.settings.amqp_uri, self.token, CLIENTS_OF_A_SYSTEM) as our_callers,
        ):
            for callers in (its_callers, our_callers):
                callers.rate(self._record, times=100)
            for _ in range(ROUNDS):
                through.append(its_callers.rate(self._record, times=CALLS_OF_A_SYSTEM))
                direct.append(our_callers.rate(self._record, times=CALLS_OF_A_SYSTEM))
        here, there = (1_000 * CLIENTS_OF_A_SYSTEM / median(rates) for rates in (through, direct))
        return [
            at_most("a call through the door / direct", f"{here:.1f} ms", here / there, 2, beside=f"{there:.1f} ms")
        ]

    def latency(self) -> list[Row]:
        """From answered command to changed KPI, at 50 commands a second."""
        self._settle()
        answered: list[float] = []
        counted = eventlet.spawn(self._moments_counted, self._events())
        started = perf_counter()
        for number in range(WATCHED):
            eventlet.sleep(max(0.0, started + number / PER_SECOND - perf_counter()))
            eventlet.spawn_n(self._record_at, answered)

        waits = [max(0.0, 1000 * (there - here)) for here, there in zip(answered, counted.wait(), strict=True)]
        cuts = quantiles(sorted(waits), n=100)
        return [
            at_most("answered command to changed KPI, p50", f"{cuts[49]:.1f} ms", cuts[49], 20),
            at_most("answered command to changed KPI, p99", f"{cuts[98]:.1f} ms", cuts[98], 100),
        ]

    def pages(self) -> list[Row]:
        """GET /api/v1/kpis/K2 beside a bare nameko @http that returns a constant."""
        ours, theirs = [], []
        for _ in range(ROUNDS):
            theirs.append(clients.pages(self.pipeline.port("stock-page"), "/constant"))
            ours.append(self._kpi())
        here, there = median(ours), median(theirs)
        return [Row("GET /kpis/K2 / bare @http", f"{here:,.0f}/s", f"{there:,.0f}/s", here / there, 0.5)]

    def relay(self) -> list[Row]:
        """The relay, with a backlog that a dead process left."""
        self.pipeline.stop("outreach")
        counts = database(self.settings, "outreach")["audience_count"]
        insert(counts, clients.documents(EVENTS))
        self.pipeline.start("outreach")
        figure = drained(lambda: counts.count_documents({"pending": True}), EVENTS)
        return [Row("relay, events/s", f"{figure:,.0f}/s", "-", figure, 3_000)]

    def ledger(self) -> list[Row]:
        """The ledger beside a stock @event_handler that does nothing, both draining a full queue."""
        self._make_stock_queue()
        self._fill_queues()
        self.pipeline.start("stock-hearer")
        theirs = drained(lambda: self._waiting(stock_nameko.HEARER_QUEUE), EVENTS)
        self.pipeline.stop("stock-hearer")
        self.pipeline.start("gateway")
        ours = drained(lambda: self._waiting(LEDGER_QUEUE.name), EVENTS)
        return [Row("ledger / stock @event_handler", f"{ours:,.0f}/s", f"{theirs:,.0f}/s", ours / theirs, 1.3)]

    def size(self, records: int) -> list[Row]:
        """Ask the same questions over many records and over few, and add up the records themselves beside it."""
        few, some = records // 100, records // 10
        self._take_events(few, after=0)
        progress_of_few = self._progress()
        self._take_events(some, after=few)
        kpi_of_some = self._kpi()
        self._take_events(records, after=some)
        kpi, progress, added_up = self._kpi(), self._progress(), self._add_up()
        return [
            at_most(
                f"GET /kpis/K2 over {records:,} / over {some:,}",
                f"{1000 / kpi:.2f} ms", kpi_of_some / kpi, 1.2, beside=f"{1000 / kpi_of_some:.2f} ms",
            ),
            at_most(
                f"GET progress, 62 items, over {records:,} / over {few:,}",
                f"{progress:.1f} ms", progress / progress_of_few, 1.5, beside=f"{progress_of_few:.1f} ms",
            ),
            Row(
                "adding up K2 from its records / GET progress, 62 items",
                f"{progress:.1f} ms", f"{added_up:,.0f} ms", added_up / progress, 50,
            ),
        ]  # fmt: skip

    # --- commands and the ledger --------------------------------------------------------------------------------------

    def _echoes(self) -> bool:
        try:
            return bool(self.caller.call("stock_echo", "echo", {"person_times": 1}))
        except Problem:
            return False

    def _record(self, cluster: Any) -> Any:
        return cluster.outreach.record_count(**self.counting.next())

    def _record_at(self, answered: list[float]) -> None:
        """Record a count and append the moment of the answer."""
        self.counting.record()
        answered.append(perf_counter())

    def _moments_counted(self, before: int) -> list[float]:
        """The moments at which the ledger was seen to have counted each of the watched commands."""
        moments: list[float] = []
        while len(moments) < WATCHED:
            moments += [perf_counter()] * (self._events() - before - len(moments))
            eventlet.sleep(0.002)
        return moments

    def _settle(self) -> None:
        """Wait until the ledger has taken all events of outreach."""
        wait_until(lambda: self._events() == self._versions(), "the ledger", within=DRAINED_WITHIN, every=LOOK)

    def _versions(self) -> int:
        """How many versions the records of outreach have, each of which is an event."""
        kinds = [kind for kind in contract.KINDS.values() if kind.service == "outreach"]
        total = [{"$group": {"_id": None, "versions": {"$sum": "$version"}}}]
        outreach = database(self.settings, "outreach")
        return sum(group["versions"] for kind in kinds for group in outreach[kind.name].aggregate(total))

    def _events(self) -> int:
        """How many events the ledger has taken."""
        ledger = database(self.settings, "gateway")["counts"].find_one({"_id": "ledger"}, {"events": 1})
        return int((ledger or {"events": 0})["events"])

    # --- queues -------------------------------------------------------------------------------------------------------

    def _make_stock_queue(self) -> None:
        """Let stock nameko declare its queue, and leave it without a consumer."""
        self.pipeline.start("stock-hearer")
        wait_until(
            lambda: self._exists(stock_nameko.HEARER_QUEUE), "stock nameko's queue", within=READY_WITHIN, every=LOOK
        )
        self._settle()
        self.pipeline.stop("stock-hearer", "gateway", "outreach")

    def _fill_queues(self) -> None:
        """Let outreach publish events that nobody takes."""
        counts = database(self.settings, "outreach")["audience_count"]
        counts.delete_many({"_id": {"$regex": "^stored-"}})
        insert(counts, clients.documents(EVENTS, prefix="queued"))
        self.pipeline.start("outreach")
        wait_until(
            lambda: not counts.count_documents({"pending": True}), "the relay", within=DRAINED_WITHIN, every=LOOK
        )
        self.pipeline.stop("outreach")

    def _waiting(self, queue: str) -> int:
        with connect(self.settings, "bench.look") as connection:
            return int(connection.default_channel.queue_declare(queue, passive=True).message_count)

    def _exists(self, queue: str) -> bool:
        try:
            return self._waiting(queue) >= 0
        except Exception:  # noqa: BLE001 - not there yet
            return False

    # --- questions ----------------------------------------------------------------------------------------------------

    def _take_events(self, records: int, *, after: int) -> None:
        """Let the read model take one event of each record from this number on, up to so many records in all."""
        kind = contract.outreach.AudienceCount.kind
        store = Store(database(self.settings, "gateway"))
        documents = clients.documents(records - after, state="verified", prefix="size", start=after)
        while chunk := list(islice(documents, CHUNK)):
            store.take_events([event(kind, document["_id"], document["history"][0]) for document in chunk])

    def _kpi(self) -> float:
        return clients.pages(self.pipeline.port("gateway"), "/api/v1/kpis/K2", token=self.token)

    def _progress(self) -> float:
        """The milliseconds of one answer, each asked so late that the cache holds none."""
        port, seconds = self.pipeline.port("gateway"), []
        for _ in range(ANSWERS):
            eventlet.sleep(2 * MAX_AGE)
            seconds.append(clients.answer(port, "/api/v1/plans/2011/progress"))
        return 1000 * median(seconds)

    def _add_up(self) -> float:
        """The milliseconds of one aggregation over the views for K2 month by month, which the counts replace."""
        plan = plan_file.read("2011.yaml", (PLANS / "2011.yaml").read_bytes())
        rule = next(kpi.rule for _, kpi in plan.kpis() if kpi.code == "K2")
        views, seconds = database(self.settings, "gateway")["views"], []
        conditions = {f"data.{condition.field}": condition.any_of[0] for condition in rule.where}
        of_the_year = {"kind": rule.of.key, f"data.{rule.on}": {"$gte": "2011-01-01", "$lte": "2011-12-31"}}
        month, amount = {"$substrBytes": [f"$data.{rule.on}", 0, 7]}, {"$sum": f"$data.{rule.field}"}
        for _ in range(ROUNDS):
            started = perf_counter()
            list(views.aggregate([{"$match": of_the_year | conditions}, {"$group": {"_id": month, "value": amount}}]))
            seconds.append(perf_counter() - started)
        return 1000 * median(seconds)


def _echo(cluster: Any) -> Any:
    return cluster.stock_echo.echo(person_times=1)


def drained(left: Callable[[], int], full: int) -> float:
    """How many a second went between nine tenths and a tenth of a full store."""
    wait_until(lambda: left() < 0.9 * full, "the first tenth to go", within=DRAINED_WITHIN, every=LOOK)
    started, first = perf_counter(), left()
    wait_until(lambda: left() < 0.1 * full, "all but a tenth to go", within=DRAINED_WITHIN, every=LOOK)
    return (first - left()) / (perf_counter() - started)


def insert(collection: Any, documents: Iterator[Any]) -> None:
    """Write the documents in chunks, so that only one chunk is in memory."""
    while chunk := list(islice(documents, CHUNK)):
        collection.insert_many(chunk)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
