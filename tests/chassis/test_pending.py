"""Pending: what waits to be published, and what an operator re-arms so that it comes again, whatever else goes on."""

from datetime import timedelta

import eventlet
import pytest
from bson import Regex

from services.chassis import relay
from services.chassis.health import VERSION
from tests.chassis.conftest import a_hall, held
from tests.chassis.toy import Toy
from tests.stack import Running


@pytest.fixture
def toy(running):
    return running.start(Toy)


def ask(world, method, **asked):
    return world.call("outreach", method, roles=["operator"], **asked)


def rearm(world, **asked):
    return ask(world, "rearm", kind="venue", **asked)["rearmed"]


def a_hall_of_versions(world, versions=4):
    hall_id = a_hall(world)
    for _ in range(1, versions):
        world.call("outreach", "add_seats", hall_id=hall_id, seats=1)
    return hall_id


def venues(world):
    return world.database("outreach")["venue"]


def change_by_hand(world, hall_id, **values):
    venues(world).update_one({"_id": hall_id}, {"$set": values})


CANNOT_GO_OUT = {"history.0.view.capacity": Regex("x"), "published": 0, "pending": True}


# --- the condition ----------------------------------------------------------------------------------------------------


def test_the_condition_tells_what_waits_and_since_when(toy):
    hall = a_hall_of_versions(toy)
    toy.settle()
    nothing = {"service": "outreach", "version": VERSION, "pending": 0, "oldest_pending": None}
    assert ask(toy, "condition").items() >= {**nothing, "parked": 0, "parked_events": 0, "alarms": 0}.items()

    change_by_hand(toy, hall, **CANNOT_GO_OUT)
    toy.clock.ahead = timedelta(minutes=30)
    told = ask(toy, "condition")
    assert told["pending"] == 1
    assert 1_800 <= told["oldest_pending"] < 1_860


@pytest.mark.parametrize("broken", [{"published": None}, {"history": "gone"}, {"history.0.at": "some day"}])
def test_a_broken_record_that_waits_does_not_hide_the_condition(toy, broken):
    hall = a_hall(toy)
    toy.settle()
    change_by_hand(toy, hall, **CANNOT_GO_OUT)
    change_by_hand(toy, hall, **broken)

    told = ask(toy, "condition")
    assert (told["pending"], told["oldest_pending"]) == (1, None)


# --- re-arming --------------------------------------------------------------------------------------------------------


@pytest.mark.rule("X-02")
def test_rearmed_events_come_again_from_the_version_that_the_copy_has(toy, witness):
    behind, missing, other = (a_hall_of_versions(toy) for _ in range(3))
    toy.settle()

    assert rearm(toy, records={behind: 2, missing: 0}) == 2
    toy.settle()
    assert witness.versions_of(behind) == [1, 2, 3, 4, 3, 4]
    assert witness.versions_of(missing) == [1, 2, 3, 4, 1, 2, 3, 4]
    assert witness.versions_of(other) == [1, 2, 3, 4]


def test_everything_of_a_kind_is_rearmed_at_once(toy, witness):
    halls = [a_hall_of_versions(toy, versions) for versions in (1, 2, 3)]
    toy.settle()

    assert rearm(toy, everything=True) == 3
    toy.settle()
    assert [witness.versions_of(hall) for hall in halls] == [[1, 1], [1, 2, 1, 2], [1, 2, 3, 1, 2, 3]]


def test_a_record_whose_copy_has_everything_is_not_rearmed(toy):
    hall = a_hall_of_versions(toy)
    toy.settle()

    assert rearm(toy, records={hall: 4, "h-unknown": 0}) == 0
    assert rearm(toy, records={hall: 7}) == 0
    assert "pending" not in held(toy, hall)


def test_rearming_takes_nothing_back_that_is_still_to_be_published(toy):
    hall = a_hall_of_versions(toy)
    toy.settle()
    change_by_hand(toy, hall, **{**CANNOT_GO_OUT, "history.1.view.capacity": Regex("x"), "published": 1})

    rearm(toy, records={hall: 3})
    assert held(toy, hall)["published"] == 1
    rearm(toy, records={hall: 0})
    assert held(toy, hall)["published"] == 0


@pytest.mark.rule("X-02")
def test_a_record_that_is_published_up_to_nowhere_is_mended_by_rearming_it(toy, witness):
    hall = a_hall_of_versions(toy)
    toy.settle()
    change_by_hand(toy, hall, published=None, pending=True)

    rearm(toy, records={hall: 2})
    toy.settle()
    assert held(toy, hall)["published"] == 4
    assert witness.versions_of(hall) == [1, 2, 3, 4, 3, 4]


# --- re-arming while the relay is at it -------------------------------------------------------------------------------


class Interrupted:
    """A relay's publisher after whose next publication something else happens, before it is marked."""

    def __init__(self, relay, do):
        self._relay, self._publisher, self._do = relay, relay._publisher, do
        relay._publisher = self

    def publish(self, publications, seconds):
        self._publisher.publish(publications, seconds)
        self._relay._publisher = self._publisher
        self._do()

    def keep(self):
        self._publisher.keep_alive()


@pytest.mark.rule("X-02")
@pytest.mark.parametrize(
    ("copy", "again"),
    [(0, [1, 2, 3, 4, 5]), (2, [3, 4, 5]), (4, [5])],
    ids=["with nothing", "behind what was published", "as far as was published"],
)
def test_what_is_rearmed_between_publication_and_mark_is_published_again(toy, witness, copy, again):
    hall = a_hall_of_versions(toy)
    toy.settle()

    Interrupted(relay_of(toy), lambda: relay.rearm(venues(toy), {hall: copy}))
    toy.call("outreach", "add_seats", hall_id=hall, seats=1)
    toy.settle()
    assert witness.versions_of(hall) == [1, 2, 3, 4, 5, *again]
    assert held(toy, hall)["published"] == 5


@pytest.mark.rule("X-02")
def test_a_record_that_moves_on_and_is_rearmed_before_its_mark_is_published_again(toy, witness):
    hall = a_hall_of_versions(toy)
    toy.settle()

    def move_on_and_rearm():
        toy.call("outreach", "add_seats", hall_id=hall, seats=1)
        relay.rearm(venues(toy), {hall: 3})

    Interrupted(relay_of(toy), move_on_and_rearm)
    toy.call("outreach", "add_seats", hall_id=hall, seats=1)
    toy.settle()
    assert witness.versions_of(hall) == [1, 2, 3, 4, 5, 4, 5, 6]


def test_a_record_that_moves_on_before_its_mark_is_not_published_twice(toy, witness):
    hall = a_hall_of_versions(toy)
    toy.settle()

    Interrupted(relay_of(toy), lambda: toy.call("outreach", "add_seats", hall_id=hall, seats=1))
    toy.call("outreach", "add_seats", hall_id=hall, seats=1)
    toy.settle()
    assert witness.versions_of(hall) == [1, 2, 3, 4, 5, 6]


@pytest.mark.rule("X-02")
def test_a_record_that_many_write_and_somebody_rearms_loses_nothing(settings, toy, witness):
    hall = a_hall(toy)
    with Running(settings) as other:
        other.start(Toy)
        writers = [eventlet.spawn(write_often, world, hall) for world in (toy, other, toy, other)]
        armed = 0
        while not all(writer.dead for writer in writers):
            armed += rearm(toy, records={hall: max(0, held(toy, hall)["version"] - 2)})
        for writer in writers:
            writer.wait()
        other.settle()

    versions = witness.versions_of(hall)
    assert armed
    assert list(dict.fromkeys(versions)) == list(range(1, 42))
    assert held(toy, hall)["published"] == 41


def write_often(world, hall):
    for _ in range(10):
        world.call("outreach", "add_seats", hall_id=hall, seats=1, timeout=20)


def relay_of(world):
    (container,) = world.containers
    (found,) = [one for one in container.extensions if isinstance(one, relay.Relay)]
    return found
