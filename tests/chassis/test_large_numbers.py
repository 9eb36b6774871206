"""Whole numbers beyond 2^31, which the database keeps another way: they are written, announced, read and summed."""

import pytest

from services.chassis.tally import Question, count
from services.contract import KINDS
from services.contract.rule import read
from tests.chassis.conftest import a_hall, held
from tests.chassis.toy import Toy

LARGE = 3_000_000_000  # fen, thirty million yuan
RECEIPT = KINDS["rural.fund_receipt"]


@pytest.mark.rule("X-06")
def test_a_large_number_is_published_changed_listed_and_told(running, witness):
    running.start(Toy)
    hall = a_hall(running, capacity=LARGE)
    running.call("outreach", "add_seats", hall_id=hall, seats=LARGE)

    running.settle()
    assert [event.data["capacity"] for event in witness.heard] == [LARGE, 2 * LARGE]
    assert running.call("outreach", "get_venue", id=hall)["capacity"] == 2 * LARGE
    listed = running.call("outreach", "list_venues", filter={"capacity": 2 * LARGE}, order="-capacity", limit=1)
    assert [item["id"] for item in listed["items"]] == [hall]
    history = running.call("outreach", "history_of_venue", id=hall, roles=["operator"])
    assert [version["view"]["capacity"] for version in history["versions"]] == [LARGE, 2 * LARGE]
    assert type(held(running, hall)["state"]["capacity"]) is int


def test_large_numbers_are_summed(running):
    collection = running.database("tally")["receipts"]
    collection.insert_many(
        {"_id": f"r-{number}", "state": {"received_on": "2011-05-14", "net_fen": LARGE}} for number in range(2)
    )
    rule = read({"of": RECEIPT.key, "measure": {"sum": "net_fen"}, "on": "received_on"})

    counted = count(collection, Question(rule=rule, first="2011-01-01", last="2011-12-31"))
    assert counted == {"records": 2, "value": 2 * LARGE, "by": {}}
    assert type(counted["value"]) is int
