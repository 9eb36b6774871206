"""Flow F3 on a real broker: a complete service point is a venue, and when it lapses what waits there is flagged."""

import random
from contextlib import suppress

import msgspec
import pytest
from eventlet import GreenPool

from services import contract
from services.chassis.problem import RefusedByRule
from services.contract.event import Event
from services.outreach.service import Outreach
from tests.outreach.acting import Acting, refused
from tests.outreach.examples import A_POINT
from tests.stack import until

STATION = "station.p-1"


@pytest.fixture
def people(running):
    return Acting(running.start(Outreach))


def said(version, happened, *, point_id="p-1", **changes):
    """What rural says about a point."""
    point = contract.rural.ServicePoint(**{**A_POINT, **changes})
    return Event(
        kind=contract.rural.ServicePoint.kind,
        record=point_id,
        version=version,
        happened=happened,
        time="2011-04-01T09:00:00.000+08:00",
        actor="u-zhao",
        cause=f"c-{version}",
        hash="0" * 64,
        data=msgspec.to_builtins(point),
    )


def completed(version, **changes):
    return said(version, "completed", state="complete", **changes)


def lapsed(version):
    return said(version, "lapsed", state="lapsed", column="lapsed", parts_accepted=2)


def hear(people, *events):
    """Put the events on the exchange and wait until they were heard: the point that is completed last is a venue."""
    last = f"p-{people.running.a_new_id()}"
    for event in (*events, completed(1, point_id=last)):
        people.running.publish(event)
    until(lambda: people.running.database("outreach")["venue"].find_one({"_id": f"station.{last}"}))


def flag_of(people, activity_id):
    return people.get("activity", activity_id)["venue_suspended"]


def test_a_completed_point_becomes_a_venue_where_something_can_happen(people):
    hear(people, completed(9))

    station = people.get("venue", STATION)
    assert (station["venue_kind"], station["service_point_id"], station["capacity"]) == ("station", "p-1", 80)
    assert people.schedule("a-1", venue_id=STATION)["state"] == "scheduled"


@pytest.mark.rule("O-12")
def test_when_the_point_lapses_what_waits_there_is_flagged_until_it_moves(people):
    people.register_venue(venue_id="v-1")
    hear(people, completed(9))
    people.schedule("a-1", venue_id=STATION)
    people.schedule("a-2", venue_id="v-1", slots=["morning"])

    hear(people, lapsed(10))

    assert people.get("venue", STATION)["state"] == "suspended"
    until(lambda: flag_of(people, "a-1"))
    assert not flag_of(people, "a-2")
    with refused("O-12"):
        people.start_activity(activity_id="a-1")
    with refused("O-12"):
        people.move_activity(activity_id="a-2", venue_id=STATION)
    with refused("O-12"):
        people.schedule("a-3", venue_id=STATION)
    assert people.move_activity(activity_id="a-1", venue_id="v-1", slots=["evening"])["venue_suspended"] is False


def test_when_the_point_is_complete_again_the_flag_is_taken_back(people):
    hear(people, completed(9))
    people.schedule("a-1", venue_id=STATION)
    hear(people, lapsed(10))
    until(lambda: flag_of(people, "a-1"))
    hear(people, completed(11))
    until(lambda: not flag_of(people, "a-1"))

    happened = [one["happened"] for one in people.running.call("outreach", "history_of_activity", id="a-1")["versions"]]
    assert happened == ["created", "scheduled", "flagged", "unflagged"]


@pytest.mark.rule("X-01")
@pytest.mark.parametrize("seed", range(3))
def test_repeated_late_and_shuffled_events_leave_the_station_as_the_newest_says(people, seed):
    chance = random.Random(seed)
    events = [completed(9), lapsed(10), completed(11), lapsed(12)] * chance.randint(1, 3)
    chance.shuffle(events)

    hear(people, *events)

    assert people.get("venue", STATION)["state"] == "suspended"
    version = people.get("venue", STATION)["version"]
    hear(people, *events)
    assert people.get("venue", STATION)["version"] == version


@pytest.mark.rule("X-01")
def test_a_lapse_that_comes_before_the_completion_wins_for_good(people):
    hear(people, lapsed(10))
    hear(people, completed(9))

    assert people.get("venue", STATION)["state"] == "suspended"


def test_no_flag_is_lost_when_activities_are_scheduled_while_the_point_lapses_and_recovers(people):
    hear(people, completed(9))
    names = [f"a-{number}" for number in range(12)]
    for number, name in enumerate(names):
        people.create_activity(activity_id=name, days=[f"2011-06-{number + 1:02}"])

    def schedule(name):
        with suppress(RefusedByRule):  # where the station was suspended already
            people.schedule_activity(activity_id=name, venue_id=STATION)

    pool = GreenPool()
    for name in names:
        pool.spawn(schedule, name)
    pool.spawn(hear, people, lapsed(10), completed(11), lapsed(12))
    pool.waitall()

    assert people.get("venue", STATION)["state"] == "suspended"
    waiting = [name for name in names if people.get("activity", name)["state"] == "scheduled"]
    until(lambda: all(flag_of(people, name) for name in waiting))
