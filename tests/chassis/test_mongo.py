"""The database's instants: what comes back is aware, in Shanghai's time."""

from datetime import datetime, timedelta

import pytest

from services.chassis.mongo import database
from services.kernel.calendar import SHANGHAI

THEN = datetime(2011, 5, 14, 10, 0, 0, 123_000, tzinfo=SHANGHAI)


@pytest.fixture
def instants(settings):
    return database(settings, "toy")["instants"]


def test_an_instant_comes_back_as_it_was_written(instants):
    instants.insert_one({"_id": "i-1", "at": THEN, "among": [{"at": THEN}]})

    stored = instants.find_one({"_id": "i-1"})

    assert (stored["at"], stored["among"][0]["at"]) == (THEN, THEN)
    assert stored["at"].utcoffset() == timedelta(hours=8)


def test_an_instant_that_the_server_made_is_aware_too(instants):
    instants.update_one({"_id": "i-1"}, {"$currentDate": {"at": True}}, upsert=True)
    (summed,) = instants.aggregate([{"$project": {"now": "$$NOW"}}])

    assert instants.find_one({"_id": "i-1"})["at"].utcoffset() == timedelta(hours=8)
    assert summed["now"].utcoffset() == timedelta(hours=8)
