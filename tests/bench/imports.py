"""Measures the import of a sheet of audience counts, from its upload to the changed KPI, while everything runs.

The sheet is made in a process of its own, so that only the stack's memory is looked at.
"""

import deploy.image.greenthreads  # noqa: F401, I001 - before anything else

import os
import sys
import tempfile
import uuid
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from time import perf_counter

import eventlet
import xlsxwriter
from eventlet.green import subprocess
from rich.console import Console

from deploy.local import stack_file
from tests.bench import clients
from tests.bench.against_nameko import Pipeline, Row, memory, show
from deploy.local.home import Home
from deploy.cli.client import Gateway
from deploy.local.ports import Ports
from gateway.imports import sheets
from services.chassis.client import Caller
from services.chassis.fields import json_schema
from services.chassis.mongo import client
from services.chassis.settings import Settings
from services.chassis.tokens import issue
from services.contract.topology import SERVICES
from services.outreach.schemas import RecordCount

FAST, FRUGAL = 1_000, 400  # rows a second, MB
WITH_CACHE = 1_000  # MB: the database was told to keep 500 of its data at hand, and does
SPARING = 10_000  # bytes
WITHIN = 1_800.0  # seconds
MAKE = "--make"

console = Console(stderr=True)


def main(arguments: list[str]) -> int:
    """Import so many rows, print the table; 1 where a target was missed."""
    if arguments[0] == MAKE:
        make(Path(arguments[1]), int(arguments[2]))
        return 0
    rows, settings, home = int(arguments[0]), Settings.read(), Home.of_the_environment()
    pipeline, caller = Pipeline(settings, Ports(home)), Caller(settings, "bench")
    eventlet.spawn(caller.link.run)
    roles = ("recorder", "verifier", "viewer")
    token = issue(settings.token_private_key or "", subject="u-bench", roles=roles, lifetime=timedelta(hours=2))
    try:
        pipeline.start(*SERVICES, "gateway")
        console.print(f"making the activities of {rows:,} counts, and their sheet")
        clients.Counting(caller, token).prepare(rows)
        with tempfile.TemporaryDirectory() as folder:
            sheet = Path(folder, "counts.xlsx")
            subprocess.run([sys.executable, "-m", "tests.bench.imports", MAKE, str(sheet), str(rows)], check=True)
            gateway = Gateway(f"http://127.0.0.1:{pipeline.port('gateway')}", token)
            before = {name: _cpu(pid) for name, pid in _processes(pipeline, home).items()}
            found = list(measure(gateway, sheet, rows))
        found += _peaks(_processes(pipeline, home), before)
        found += _stored(settings, rows)
    finally:
        pipeline.stop(*pipeline.running)
    show(found, f"Import of {rows:,} audience counts")
    return 0 if all(row.is_met for row in found) else 1


def make(path: Path, rows: int) -> None:
    """The sheet as a clerk would fill it in."""
    columns = sheets.columns(json_schema(RecordCount()), of="outreach.record_count")
    counting = clients.Counting(None, "")  # type: ignore[arg-type] # it only says what there is to record
    with xlsxwriter.Workbook(str(path), {"constant_memory": True}) as book:
        page = book.add_worksheet()
        page.write_row(0, 0, [column.header() for column in columns])
        for number in range(1, rows + 1):
            count = counting.next()
            page.write_row(number, 0, [count.get(column.name, "") for column in columns])


def measure(gateway: Gateway, sheet: Path, rows: int) -> Iterator[Row]:
    """Each phase as it ends, and the whole of it."""
    started = perf_counter()
    imports = gateway.at("imports")
    told = imports.upload(sheet, "outreach", "record_count", key=str(uuid.uuid4()), dry_run="false")
    uploaded = perf_counter()
    yield Row("uploading", f"{uploaded - started:,.1f} s", "-", uploaded - started, WITHIN, at_most=True)
    phase, since = told["phase"], uploaded
    with eventlet.Timeout(WITHIN, RuntimeError(f"not within {WITHIN:,.0f} s")):
        while told["state"] in ("waiting", "running"):
            eventlet.sleep(0.2)
            told = imports.get(told["id"])
            if told["phase"] != phase:
                yield Row(phase, f"{perf_counter() - since:,.1f} s", "-", perf_counter() - since, WITHIN, at_most=True)
                phase, since = told["phase"], perf_counter()
        yield Row(phase, f"{perf_counter() - since:,.1f} s", "-", perf_counter() - since, WITHIN, at_most=True)
        if (told["state"], told["done"]) != ("done", rows):
            raise RuntimeError(f"the import is {told['state']}: {told['problem'] or told['first_errors'][:3]}")
        since = perf_counter()
        while gateway.at("kpis").get("K2")["reported"]["value"] != rows:  # each row counts one
            eventlet.sleep(0.1)
    seconds, rest = perf_counter() - started, perf_counter() - since
    yield Row("the rest until the KPI has changed", f"{rest:,.1f} s", "-", rest, WITHIN, at_most=True)
    yield Row("upload to changed KPI, rows a second", f"{seconds:,.1f} s", "-", rows / seconds, FAST)


def _processes(pipeline: Pipeline, home: Home) -> dict[str, int]:
    """The five, broker and database, by their process ids."""
    stores = {part.name: part.process.pid for part in stack_file.running(home).parts}
    return stores | {name: process.pid for name, process in pipeline.running.items()}


def _peaks(processes: dict[str, int], before: dict[str, float]) -> Iterator[Row]:
    """The most memory of each since it began; beside it the processor's time that it took for the import."""
    for name, pid in processes.items():
        most, took = memory(pid, "VmHWM"), _cpu(pid) - before[name]
        target = WITH_CACHE if name == "database" else FRUGAL
        yield Row(f"peak memory of {name}", f"{most:,.0f} MB", f"{took:,.1f} s", most, target, at_most=True)


def _stored(settings: Settings, rows: int) -> Iterator[Row]:
    """What a row, and the activity that it belongs to, takes on the disk, indexes and all."""
    held = client(settings.mongo_uri)
    held.admin.command("fsync")  # sizes are those of the last checkpoint
    for name in ("outreach", "gateway"):
        size = held[settings.database(name)].command("dbStats")["totalSize"]
        yield Row(f"disk of {name}, bytes a row", f"{size / 1e6:,.1f} MB", "-", size / rows, SPARING, at_most=True)


def _cpu(pid: int) -> float:
    """Seconds of processor time."""
    user, system = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
