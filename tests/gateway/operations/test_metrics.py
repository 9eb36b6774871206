"""Metrics of the numbers: whether they are complete, how far they are behind, and since when."""

from time import time

from gateway.read_model.store import Store
from services.contract.topology import SERVICES

COMPARED = "kexie_ledger_compared_timestamp_seconds"


def metric(gateway, name):
    """The values of this metric, by its labels as they are written."""
    lines = gateway.get("/metrics", token="").content.decode().splitlines()
    return {
        line.rpartition(" ")[0].removeprefix(name): float(line.rpartition(" ")[2])
        for line in lines
        if line.startswith(name)
    }


def test_prometheus_is_told_which_service_s_records_differ_and_when_that_was_seen(gateway):
    store, before = Store(gateway.running.database("gateway")), time()
    assert metric(gateway, "kexie_numbers_complete") == {"": 1}

    store.note_compared({"outreach": 3})
    assert metric(gateway, "kexie_numbers_complete") == {"": 0}
    differing = {f'{{source="{service}"}}': 0 for service in SERVICES} | {'{source="outreach"}': 3}
    assert metric(gateway, "kexie_ledger_differing_records") == differing
    assert all(abs(at - before) < 60 for at in metric(gateway, COMPARED).values())
    assert len(metric(gateway, COMPARED)) == len(SERVICES)


def test_a_ledger_that_was_made_anew_was_compared_with_nobody(gateway):
    database = gateway.running.database("gateway")
    database["counts"].update_one({"_id": "ledger"}, {"$set": {"compared": {}, "compared_at": {}}})

    assert metric(gateway, "kexie_numbers_complete") == {"": 0}
    assert metric(gateway, "kexie_ledger_differing_records") == metric(gateway, COMPARED) == {}


def test_prometheus_is_told_how_long_the_answers_of_an_address_took(gateway):
    gateway.get("/api/v1/plans")

    took = metric(gateway, "kexie_http_seconds_count")
    assert took['{route="/api/v1/plans"}'] >= 1
