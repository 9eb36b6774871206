"""Measures the import of a sheet of audience counts, from its upload to the changed KPI, while everything runs.

The sheet is made in a process of its own, so that only the stack's memory is looked at.
"""

import deploy.image.greenthreads  # noqa: F401, I001 - before anything else

import sys
import tempfile
import uuid
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any

import eventlet
import xlsxwriter
from eventlet.green import subprocess
from rich.console import Console

from deploy.cli.client import Gateway
from deploy.local import stack_file
from deploy.local.home import Home
from gateway.imports import sheets
from services.chassis.client import Caller
from services.chassis.fields import json_schema
from services.chassis.mongo import client
from services.chassis.settings import Settings
from services.contract.topology import SERVICES
from services.outreach.schemas.activities import RecordCount
from tests.bench import clients
from tests.bench.pipeline import Pipeline, memory, processor_time
from tests.bench.result_table import Row, at_most, exit_code, show
from tests.waiting import wait_until

FAST, FRUGAL = 1_000, 400  # rows a second, MB
WITH_CACHE = 1_000  # MB: the database may keep 500 of its data in memory, and does
SPARING = 10_000  # bytes
WITHIN = 1_800.0  # seconds
LOOK = 0.2  # seconds between two looks at the import
MAKE = "--make"  # the program makes a sheet instead: path, number of rows

console = Console(stderr=True)


def main(rows: int) -> int:
    """Import so many rows and print the table; 1 where a target was missed."""
    pipeline = Pipeline.of_the_environment()
    try:
        pipeline.start(*SERVICES, "gateway")
        figures = list(measure(pipeline, rows))
    finally:
        pipeline.stop_all()
    show(figures, f"Import of {rows:,} audience counts")
    return exit_code(figures)


def measure(pipeline: Pipeline, rows: int) -> Iterator[Row]:
    """Make activities and sheet, import it, and look at what time, memory and disk that took."""
    home, caller = Home.of_the_environment(), Caller(pipeline.settings, "bench")
    eventlet.spawn(caller.link.run)
    console.print(f"making the activities of {rows:,} counts, and their sheet")
    clients.Counting(caller, pipeline.token()).prepare(rows)
    with tempfile.TemporaryDirectory() as folder:
        sheet = Path(folder, "counts.xlsx")
        subprocess.run([sys.executable, "-m", "tests.bench.imports", MAKE, str(sheet), str(rows)], check=True)
        before = {name: processor_time(pid) for name, pid in _processes(pipeline, home).items()}
        gateway = Gateway(f"http://127.0.0.1:{pipeline.port('gateway')}", pipeline.token())
        yield from phases(gateway, sheet, rows)
    yield from _peaks(_processes(pipeline, home), before)
    yield from _stored(pipeline.settings, rows)


def make(path: Path, rows: int) -> None:
    """Write the sheet as a clerk would fill it in."""
    columns = sheets.columns(json_schema(RecordCount()), of="outreach.record_count")
    counting = clients.Counting(None, "")  # type: ignore[arg-type] # it only names the counts and calls nobody
    with xlsxwriter.Workbook(str(path), {"constant_memory": True}) as workbook:
        page = workbook.add_worksheet()
        page.write_row(0, 0, [column.header() for column in columns])
        for number in range(1, rows + 1):
            count = counting.next()
            page.write_row(number, 0, [count.get(column.name, "") for column in columns])


def phases(gateway: Gateway, sheet: Path, rows: int) -> Iterator[Row]:
    """Upload the sheet; each phase of the import as it ends, and the whole of it."""
    started = perf_counter()
    imports = gateway.at("imports")
    job = imports.upload(sheet, "outreach", "record_count", key=str(uuid.uuid4()), dry_run="false")
    yield _lasted("uploading", started)
    while is_running(job):
        began, phase = perf_counter(), job["phase"]
        job = wait_until(partial(_moved_on, imports, job), f"the end of {phase}", within=WITHIN, every=LOOK)
        yield _lasted(phase, began)
    if (job["state"], job["done"]) != ("done", rows):
        raise RuntimeError(f"the import is {job['state']}: {job['problem'] or job['first_errors'][:3]}")

    began = perf_counter()
    wait_until(lambda: _reported(gateway) == rows, "the KPI", within=WITHIN)  # each row counts one
    yield _lasted("the rest until the KPI has changed", began)
    seconds = perf_counter() - started
    yield Row("upload to changed KPI, rows a second", f"{seconds:,.1f} s", "-", rows / seconds, FAST)


def is_running(job: dict[str, Any]) -> bool:
    """Whether the import has not come to an end, good or bad."""
    return job["state"] in ("waiting", "running")


def _moved_on(imports: Gateway, before: dict[str, Any]) -> dict[str, Any] | None:
    """The import in another phase or at its end; None before."""
    job: dict[str, Any] = imports.get(before["id"])
    return job if job["phase"] != before["phase"] or not is_running(job) else None


def _reported(gateway: Gateway) -> Any:
    return gateway.at("kpis").get("K2")["reported"]["value"]


def _lasted(phase: str, began: float) -> Row:
    seconds = perf_counter() - began
    return at_most(phase, f"{seconds:,.1f} s", seconds, WITHIN)


def _processes(pipeline: Pipeline, home: Home) -> dict[str, int]:
    """The ids of the five processes, the broker's and the database's."""
    stores = {part.name: part.process.pid for part in stack_file.running(home).parts}
    return stores | {name: process.pid for name, process in pipeline.running.items()}


def _peaks(processes: dict[str, int], before: dict[str, float]) -> Iterator[Row]:
    """The most memory of each process since it began; beside it the processor time that it took for the import."""
    for name, pid in processes.items():
        peak, seconds = memory(pid, "VmHWM"), processor_time(pid) - before[name]
        target = WITH_CACHE if name == "database" else FRUGAL
        yield at_most(f"peak memory of {name}", f"{peak:,.0f} MB", peak, target, beside=f"{seconds:,.1f} s")


def _stored(settings: Settings, rows: int) -> Iterator[Row]:
    """The disk space of a row and of its share of an activity, with their indexes."""
    mongo = client(settings.mongo_uri)
    mongo.admin.command("fsync")  # sizes are those of the last checkpoint
    for name in ("outreach", "gateway"):
        size = mongo[settings.database(name)].command("dbStats")["totalSize"]
        yield at_most(f"disk of {name}, bytes a row", f"{size / 1e6:,.1f} MB", size / rows, SPARING)


if __name__ == "__main__":
    if sys.argv[1] == MAKE:
        make(Path(sys.argv[2]), int(sys.argv[3]))
    else:
        sys.exit(main(int(sys.argv[1])))
