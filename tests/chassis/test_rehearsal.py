"""Rehearsals: commands that say when they came, where that is allowed."""

from dataclasses import replace
from datetime import datetime

import pytest

from services.chassis.problem import InvalidInput, NotAllowed
from services.kernel.calendar import SHANGHAI
from tests.chassis.outsider import Outsider
from tests.chassis.points import an_event, is_drained, publish
from tests.chassis.toy import Toy
from tests.stack import until

THEN = datetime(2011, 5, 14, 10, tzinfo=SHANGHAI)


@pytest.fixture
def settings(settings):
    return replace(settings, rehearsal=True)


def register(running, *, at):
    hall = {"name": f"hall of {at}", "district": "511102", "capacity": 100}
    return running.caller.call("outreach", "register_hall", hall, token=running.token(), at=at)["id"]


def when(running, id_):
    """When the first version of a record was made."""
    return running.database("outreach")["venue"].find_one({"_id": id_})["history"][0]["at"]


def test_a_command_of_a_rehearsal_came_when_it_says(running):
    running.start(Toy)

    assert when(running, register(running, at=THEN.isoformat())) == "2011-05-14T10:00:00.000+08:00"
    assert when(running, register(running, at="2011-05-14T02:00:00+00:00")) == "2011-05-14T10:00:00.000+08:00"
    assert when(running, register(running, at=None)) > "2012"
    with pytest.raises(InvalidInput, match="Not an instant"):
        register(running, at="yesterday")


def test_what_follows_in_a_rehearsal_follows_at_once(running):
    running.start(Toy)
    event = replace(an_event("p-1"), time=THEN.isoformat())

    with Outsider(running.settings) as outsider:
        publish(outsider, event)
        until(lambda: is_drained(running, outsider) and running.database("outreach")["venue"].find_one())

    assert when(running, "hall.p-1") == "2011-05-14T10:00:00.000+08:00"


def test_elsewhere_a_command_that_says_when_it_came_is_refused(running):
    running.settings = replace(running.settings, rehearsal=False)
    running.start(Toy)

    with pytest.raises(NotAllowed, match="No rehearsal"):
        register(running, at=THEN.isoformat())
    assert when(running, register(running, at=None)) > "2012"
