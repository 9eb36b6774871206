"""Thousands of messages of nonsense: no process ends, no message goes round in circles, every answer is documented."""

import os
import random
from contextlib import ExitStack
from dataclasses import replace

import pytest
from rich.console import Console

from services.contract.topology import SERVICES
from tests.chassis.processes import Process
from tests.faults.fuzz import Fuzz, Wire, commands_of
from tests.stack import Running, an_empty_world, expect_requests, leave, until

NUMBER = int(os.environ.get("FUZZ_NUMBER", "3000"))
SEED = int(os.environ.get("FUZZ_SEED", "2011"))
PRIZES = "awards.external_result"
FIVE = (*SERVICES, "gateway")
PRIZE = {
    "series": "youth_contest", "level": "province", "edition_no": 26, "category": "science_idea", "title": "作品",
    "award_kind": "graded", "grade": "second", "first_entrant": "p-1", "awarded_on": "2011-04-10",
    "document_sha256": "b" * 64,
}  # fmt: skip


@pytest.fixture
def settings(addresses, keys):
    made = replace(an_empty_world(addresses, keys), http_port=0, request_limit=100_000)
    yield made
    leave(made)


@pytest.fixture
def five(settings, tmp_path):
    expect_requests(settings)
    variables = {"REQUEST_LIMIT": str(settings.request_limit), "HTTP_PORT": "0"}
    with ExitStack() as started:
        processes = {
            name: started.enter_context(Process(settings, tmp_path / f"{name}.log", "deploy.run", name, **variables))
            for name in FIVE
        }
        for process in processes.values():
            process.ready()
        yield processes


@pytest.mark.timeout(120 + NUMBER // 20)
def test_nonsense_ends_no_process_goes_round_in_no_circle_and_gets_no_undocumented_answer(settings, five):
    with Running(settings) as outside:
        token = outside.token("u-fuzz", ["recorder", "verifier", "chair", "finance"])
        fuzz = Fuzz(random.Random(SEED), commands_of(outside), token, settings.request_limit)
        wire = Wire(settings)
        for _ in range(NUMBER):
            wire.send(fuzz.next())
        wire.drain()
        until(lambda: not any(wire.queued().values()), within=60)
        Console(width=160).print(wire.table())

        assert wire.undocumented == []
        assert {name: process.exit_code_now() for name, process in five.items()} == dict.fromkeys(FIVE)
        taken = sum(value for process in five.values() for value in handled(process))
        assert taken <= 3 * NUMBER  # each event once by each of its hearers, three tries at most where it is parked

        outside.call("awards", "report_external_result", result_id="r-sound", **PRIZE)
        until(lambda: "awards.external_result/r-sound" in (kept := views(outside)) and kept == recorded(outside))
        wire.close()


def views(outside):
    """The prizes whose views the gateway keeps."""
    return {view["_id"] for view in outside.database("gateway")["views"].find({"kind": PRIZES}, {"_id": 1})}


def recorded(outside):
    """The prizes in the gateway's history."""
    rows = outside.database("gateway")["history"].find({}, {"_id": 1})
    return {row["_id"]["record"] for row in rows if row["_id"]["record"].startswith(f"{PRIZES}/")}


def handled(process):
    _, page = process.get("/metrics")
    lines = [line for line in page.splitlines() if line.startswith("kexie_events_handled_total")]
    return [float(line.rpartition(" ")[2]) for line in lines]
