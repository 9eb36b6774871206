"""What operators mend: lost events, a lost database, a changed record, a message that nobody understands."""

import json
import os
import re
import signal
import time
from contextlib import contextmanager
from urllib.error import URLError

import eventlet
import pytest
from kombu import Connection
from pymongo import MongoClient

from services.chassis.client import Caller
from services.contract.topology import LEDGER_QUEUE, SERVICES
from tests.bench.clients import documents
from tests.journeys.prizes import a_prize, reported, reported_so_far
from tests.journeys.whole import FIVE, eventually

LOST = 1_000
STORED = 3_000
KPIS = ("K1", "K2", "K3", "K4", "K5", "K6")
PARKED_AT = "outreach.from.rural"


@contextmanager
def caller_of(whole):
    caller = Caller(whole.settings, "journey.operators")
    reading = eventlet.spawn(caller.link.run)
    try:
        yield caller
    finally:
        caller.link.stop()
        reading.wait()


@contextmanager
def database_of(whole, service):
    with MongoClient(whole.settings.mongo_uri) as client:
        yield client[f"{whole.settings.database_prefix}_{service}"]


def report(whole, number):
    """That many prizes, and wait until all of them are told."""
    with caller_of(whole) as caller:
        pool, clerk = eventlet.GreenPool(32), whole.token()
        for _ in pool.imap(
            lambda _: caller.call("awards", "report_external_result", a_prize(), token=clerk, timeout=20), range(number)
        ):
            pass
        operator = whole.token(roles=["operator"])
        eventually(lambda: caller.call("awards", "condition", {}, token=operator)["pending"] == 0)


def is_complete(whole):
    return whole.kpi("K1")["complete"]


@pytest.mark.timeout(120)
def test_a_thousand_events_lost_with_their_queue_are_found_and_told_again(whole):
    eventually(lambda: is_complete(whole))
    before = reported_so_far(whole)
    os.kill(whole.stack.part("gateway").process.pid, signal.SIGSTOP)
    report(whole, LOST)
    with Connection(whole.settings.amqp_uri) as connection:
        connection.default_channel.queue_delete(LEDGER_QUEUE.name)
    provisioned = whole.kexie("provision")
    assert provisioned.returncode == 0, provisioned
    whole.kill("gateway")

    assert reported(whole) == (before, before + LOST)
    audit = whole.kexie("audit")
    assert audit.returncode == 1, audit
    assert "1,000 found" in audit.stdout
    assert not is_complete(whole)

    rearm = whole.kexie("rearm", "--why", "the ledger's queue was deleted")
    assert rearm.returncode == 0, rearm
    eventually(lambda: reported(whole) == (before + LOST, before + LOST))
    again = whole.kexie("audit")
    assert again.returncode == 0, again
    assert is_complete(whole)


@pytest.mark.timeout(120)
def test_a_dropped_database_is_made_anew_and_answers_as_before(whole):
    with database_of(whole, "outreach") as outreach:
        outreach["audience_count"].insert_many(documents(STORED, state="verified"))
    eventually(lambda: whole.kpi("K2")["value"] == STORED)
    before = numbers(whole)
    with database_of(whole, "gateway") as gateway:
        gateway.client.drop_database(gateway.name)
    eventually(lambda: not is_complete(whole))

    rebuild = whole.kexie("rebuild", "--why", "somebody dropped it")

    assert rebuild.returncode == 0, rebuild
    assert re.search(r"\(([\d,]+) records/s\), nothing found", rebuild.stdout)
    assert numbers(whole) == before


def numbers(whole):
    """All that the six KPIs say, but for when it was asked and how often anything has changed."""
    said = [whole.kpi(code, **question) for code in KPIS for question in ({}, {"by": "district"}, {"period": "2011Q1"})]
    return json.dumps([{k: v for k, v in one.items() if k not in ("as_of", "revision")} for one in said])


def test_one_changed_letter_of_a_history_is_named_with_record_and_version(whole):
    with database_of(whole, "awards") as awards:
        report(whole, 1)
        record = awards["external_result"].find_one({})
        write = {"_id": record["_id"]}
        awards["external_result"].update_one(write, {"$set": {"history.0.by": "u-lj"}})
        found = whole.kexie("verify")
        awards["external_result"].update_one(write, {"$set": {"history.0.by": "u-li"}})

    assert found.returncode == 1, found
    assert ["awards", "external_result", record["_id"], "1", "service", "altered"] in [
        line.split() for line in found.stdout.splitlines()
    ]
    assert whole.kexie("verify").returncode == 0


def test_a_message_nobody_understands_is_seen_and_discarded_with_who_and_why(whole):
    with Connection(whole.settings.amqp_uri) as connection, connection.Producer() as producer:
        producer.publish(b"\xff no event", routing_key=PARKED_AT, content_type="text/plain")
    listed = eventually(lambda: PARKED_AT in (done := whole.kexie("parked", "list").stdout) and done)
    id_ = next(line.split()[0] for line in listed.splitlines() if PARKED_AT in line)
    eventually(lambda: not whole.kpi("K2")["complete"])

    shown = whole.kexie("parked", "show", id_[:-1])
    without = whole.kexie("parked", "discard", id_[:-1])
    discarded = whole.kexie("parked", "discard", id_[:-1], "--why", "a drill")

    assert "\\xff no event" in shown.stdout, shown
    assert (without.returncode, discarded.returncode) == (2, 0)
    assert "No message is waiting." in whole.kexie("parked", "list").stdout
    (line,) = whole.kexie("parked", "list", "--settled").stdout.splitlines()[1:]
    assert line.split()[0] == id_
    assert line.split()[-3:] == ["operator", "a", "drill"]
    eventually(lambda: whole.kpi("K2")["complete"])


@pytest.mark.timeout(120)
def test_sigterm_ends_every_process_in_time_under_load_while_the_broker_is_away(whole):
    token = whole.token()
    assert whole.kexie("status").returncode == 0
    whole.broker("stop_app")
    try:
        status = whole.kexie("status")
        load = eventlet.GreenPool(20)
        for _ in range(20):
            load.spawn_n(send_quietly, whole, token)
        eventlet.sleep(0)
        processes = [whole.stack.part(name).process for name in FIVE]
        began = time.monotonic()
        for process in processes:
            os.kill(process.pid, signal.SIGTERM)
        eventually(lambda: not any(process.is_alive for process in processes), within=20)
        seconds = time.monotonic() - began
    finally:
        whole.broker("start_app")

    assert seconds < 15
    assert status.returncode == 1
    assert status.stdout.count("AWAY") == len(SERVICES)


def send_quietly(whole, token):
    """What becomes of it does not matter here."""
    try:
        whole.post("/api/v1/awards/report_external_result", a_prize(), token)
    except (URLError, OSError):
        return
