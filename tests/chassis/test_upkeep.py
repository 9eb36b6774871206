"""Upkeep: an operator sees how far the records are, whether each history is whole, and has events come again."""

import inspect
from itertools import count

import bson
import pytest
from bson import Regex
from bson.errors import InvalidBSON

from services.awards.service import Awards
from services.chassis.document import Flaw, flaw
from services.chassis.entrypoints import Query
from services.chassis.problem import InvalidInput, NotAllowed, NotFound
from services.chassis.tokens import ROLES
from services.chassis.upkeep import BUCKET, HISTORIES, REARMED
from services.members.service import Members
from services.outreach.service import Outreach
from services.rural.service import Rural
from tests.chassis.conftest import a_hall, held, register

METHODS = ("bucket", "versions", "histories", "rearm", "condition")
VERSIONS = 4
LATER = count()


def ask(world, method, roles=("operator",), **asked):
    return world.call("outreach", method, roles=roles, **asked)


def of_venues(world, method, **asked):
    return ask(world, method, kind="venue", **asked)


def a_hall_of_versions(world, versions=VERSIONS, **stated):
    hall_id = register(world, **stated)["id"]
    for seats in range(1, versions):
        world.call("outreach", "add_seats", hall_id=hall_id, seats=seats)
    return hall_id


def some_halls(world, *versions):
    """Halls with so many versions whose ids come after all others, and what comes before the first of them."""
    before = f"z{next(LATER):04}"
    ids = [f"{before}-{n}" for n in range(len(versions))]
    for hall_id, version in zip(ids, versions, strict=True):
        a_hall_of_versions(world, version, hall_id=hall_id)
    return before, ids


def change_by_hand(world, hall_id, *updates):
    for update in updates:
        world.database("outreach")["venue"].update_one({"_id": hall_id}, update)


def history_of(world, hall_id):
    before = hall_id[:-1] + chr(ord(hall_id[-1]) - 1) + "~"
    (record,) = of_venues(world, "histories", after=before, limit=1)["records"]
    return record


# --- sums and versions -----------------------------------------------------------------------------------------------


def test_buckets_tell_the_sums_of_each_range_up_to_the_last_record(shared):
    before, ids = some_halls(shared, 1, 3, 2)

    first = of_venues(shared, "bucket", after=before, limit=2)
    last = of_venues(shared, "bucket", after=first["through"], limit=2)

    assert first == {"through": ids[1], "records": 2, "versions": 4, "entries": 4}
    assert last == {"through": None, "records": 1, "versions": 2, "entries": 2}
    assert of_venues(shared, "bucket", after=ids[-1]) == {"through": None, "records": 0, "versions": 0, "entries": 0}
    assert of_venues(shared, "bucket")["records"] >= 3


def test_the_versions_of_a_range_begin_after_its_first_id_and_end_with_its_last(shared):
    _, ids = some_halls(shared, 1, 3, 2)

    _, second, third = ids
    assert of_venues(shared, "versions", after=ids[0], through=second)["records"] == {second: [3, 3]}
    assert of_venues(shared, "versions", after=ids[0], through=None)["records"] == {second: [3, 3], third: [2, 2]}


def test_an_entry_that_is_missing_shows_in_the_sums(shared):
    before, (hall,) = some_halls(shared, 3)
    change_by_hand(shared, hall, {"$pop": {"history": 1}})

    assert of_venues(shared, "bucket", after=before, limit=1)["entries"] == 2
    assert of_venues(shared, "versions", after=before, through=hall)["records"] == {hall: [3, 2]}


def test_a_record_without_any_history_does_not_end_a_comparison(shared):
    before, (hall,) = some_halls(shared, 3)
    change_by_hand(shared, hall, {"$set": {"history": "gone"}})

    assert of_venues(shared, "bucket", after=before, limit=1)["entries"] == 0
    assert of_venues(shared, "versions", after=before, through=hall)["records"] == {hall: [3, 0]}
    assert history_of(shared, hall)["broken"] == {"version": 1, "what": "dropped"}


# --- histories -------------------------------------------------------------------------------------------------------


def test_a_history_is_told_whole_but_for_the_reasons(shared):
    hall = a_hall_of_versions(shared, 2)
    shared.call("outreach", "suspend_hall", hall_id=hall, reason="a leaking roof", by="u-wang", roles=["verifier"])

    record = history_of(shared, hall)
    stored = held(shared, hall)["history"]
    assert (record["id"], record["version"], record["broken"]) == (hall, 3, None)
    assert stored[2]["reason"] == "a leaking roof"
    assert record["entries"] == [{name: entry[name] for name in entry if name != "reason"} for entry in stored]


def test_texts_with_what_nobody_can_see_are_named_and_left_as_they_are(shared):
    hall = a_hall_of_versions(shared, 1)
    shown = history_of(shared, hall)["hidden"]
    state = {"state.name": "馆\u200b\0", "state.more": {"lines": ["一\n二", "三\u202e"]}}
    change_by_hand(shared, hall, {"$set": state})

    assert shown == []
    assert history_of(shared, hall)["hidden"] == ["name U+200B U+0000", "more.lines U+202E"]
    assert held(shared, hall)["state"]["name"] == "馆\u200b\0"


def test_histories_come_page_by_page(shared):
    before, ids = some_halls(shared, 1, 1, 1)

    first = of_venues(shared, "histories", after=before, limit=2)
    last = of_venues(shared, "histories", after=first["through"], limit=2)

    assert [record["id"] for record in first["records"]] == ids[:2]
    assert [record["id"] for record in last["records"]] == ids[2:]
    assert last["through"] is None


def test_a_page_of_long_histories_ends_early(shared):
    before, ids = some_halls(shared, 1, 1, 1)
    for hall in ids:
        change_by_hand(shared, hall, {"$set": {"history.0.by": "x" * 2_500_000}})

    page = of_venues(shared, "histories", after=before)
    assert [record["id"] for record in page["records"]] == ids[:2]
    assert page["through"] == ids[1]


@pytest.mark.rule("X-04")
@pytest.mark.parametrize(
    ("updates", "version", "what"),
    [
        ([{"$set": {"history.1.because": "c-0"}}], 2, "altered"),
        ([{"$set": {"history.3.hash": "0" * 64}}], 4, "altered"),
        ([{"$set": {"history.2": "gone"}}], 3, "altered"),
        ([{"$set": {"history.2.view.capacity": Regex("x")}}], 3, "altered"),
        ([{"$unset": {"history.0.reason": ""}}], 1, "altered"),
        ([{"$pull": {"history": {"version": 1}}}], 1, "dropped"),
        ([{"$pull": {"history": {"version": 3}}}], 3, "dropped"),
        ([{"$pop": {"history": 1}}], 4, "dropped"),
        ([{"$set": {"history": []}}], 1, "dropped"),
        ([{"$push": {"history": {"$each": [], "$sort": {"version": -1}}}}], 1, "reordered"),
        ([{"$set": {"hash": "0" * 64}}], 4, "hash"),
        ([{"$set": {"version": 5}}], 4, "version"),
        ([{"$set": {"version": "4"}}], 4, "version"),
        ([{"$set": {"state.capacity": 107}}], 4, "state"),
        ([{"$set": {"state.capacity": 106.0}}], 4, "state"),
        ([{"$unset": {"state.state": ""}}], 4, "state"),
        ([{"$set": {"state": Regex("x")}}], 4, "state"),
    ],
)
def test_what_was_changed_by_hand_is_named_with_record_and_version(shared, updates, version, what):
    hall = a_hall_of_versions(shared)
    change_by_hand(shared, hall, *updates)

    record = history_of(shared, hall)
    assert record["id"] == hall
    assert record["broken"] == {"version": version, "what": what}


@pytest.mark.rule("X-04")
def test_two_versions_that_changed_places_are_named(shared):
    hall = a_hall_of_versions(shared)
    first, second, third, fourth = held(shared, hall)["history"]
    change_by_hand(shared, hall, {"$set": {"history": [first, third, second, fourth]}})

    assert history_of(shared, hall)["broken"] == {"version": 2, "what": "reordered"}


@pytest.mark.rule("X-04")
def test_a_version_that_is_altered_in_any_byte_is_found(shared):
    stored = held(shared, a_hall_of_versions(shared, 3))
    assert flaw(stored) is None

    tried = 0
    for place, entry in enumerate(stored["history"]):
        for altered in altered_in_a_byte(entry):
            history = [*stored["history"][:place], altered, *stored["history"][place + 1 :]]
            assert flaw({**stored, "history": history}) == Flaw(place + 1, "altered"), altered
            tried += 1
    assert tried > 500


def altered_in_a_byte(entry):
    """The entry with each of its stored bytes changed, where that can be read and says something else."""
    stored = bson.encode(entry)
    for place in range(len(stored)):
        for mask in (0x01, 0x80):
            changed = bytearray(stored)
            changed[place] ^= mask
            try:
                read = bson.decode(changed)
            except (InvalidBSON, ValueError, OverflowError):
                continue
            if read != entry:
                yield read


def test_a_value_that_no_answer_can_carry_is_left_out_of_it(shared):
    hall = a_hall(shared)
    change_by_hand(shared, hall, {"$set": {"history.0.view.capacity": Regex("x"), "history.0.by": Regex("x")}})

    (entry,) = history_of(shared, hall)["entries"]
    assert (entry["version"], entry["by"], entry["view"]) == (1, None, None)


# --- who may ask, and what -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", METHODS)
def test_only_operators_may_ask(shared, method):
    with pytest.raises(NotAllowed):
        ask(shared, method, roles=[role for role in ROLES if role != "operator"])


@pytest.mark.parametrize("method", [*METHODS, "list_parked", "show_parked", "replay_parked", "discard_parked"])
def test_an_operator_of_one_district_may_not_ask_since_the_answer_is_of_all_districts(shared, method):
    with pytest.raises(NotAllowed) as denied:
        ask(shared, method, at="511102")

    assert denied.value.involved == {"yours": "511102"}


@pytest.mark.parametrize("service", [Awards, Outreach, Rural, Members])
def test_no_method_for_operators_alone_ignores_their_district(service):
    queries = [one for _, method in inspect.getmembers(service) for one in getattr(method, "nameko_entrypoints", ())]

    alone = [one for one in queries if isinstance(one, Query) and one.roles == {"operator"}]
    assert len(alone) >= 9
    assert all(one.everywhere for one in alone)


@pytest.mark.parametrize("method", [method for method in METHODS if method != "condition"])
def test_an_unknown_kind_is_named_with_those_that_are_known(shared, method):
    needed = {"versions": {"after": ""}, "rearm": {"everything": True}}.get(method, {})

    with pytest.raises(NotFound, match="known: venue"):
        ask(shared, method, kind="hall", **needed)


@pytest.mark.parametrize(
    ("method", "asked", "wrong"),
    [
        ("bucket", {"size": 7}, ["size"]),
        ("bucket", {"limit": 0}, ["limit"]),
        ("bucket", {"limit": BUCKET + 1}, ["limit"]),
        ("bucket", {"after": 7}, ["after"]),
        ("versions", {}, ["after"]),
        ("versions", {"after": "", "through": []}, ["through"]),
        ("histories", {"limit": HISTORIES + 1}, ["limit"]),
        ("histories", {"after": {"$gt": ""}}, ["after"]),
        ("rearm", {}, ["records"]),
        ("rearm", {"everything": False}, ["records"]),
        ("rearm", {"everything": True, "records": {}}, ["records"]),
        ("rearm", {"everything": "yes"}, ["everything"]),
        ("rearm", {"records": ["h-1"]}, ["records"]),
        ("rearm", {"records": {"h-1": -1}}, ["records"]),
        ("rearm", {"records": {"h-1": True}}, ["records"]),
        ("rearm", {"records": {str(n): 0 for n in range(REARMED // 4)} | {"h-1": "1"}}, ["records"]),
    ],
)
def test_what_is_wrong_with_a_question_is_named(shared, method, asked, wrong):
    with pytest.raises(InvalidInput) as error:
        of_venues(shared, method, **asked)

    assert [one.field for one in error.value.errors] == wrong


def test_the_condition_takes_no_arguments(shared):
    with pytest.raises(InvalidInput) as error:
        ask(shared, "condition", kind="venue")

    assert [one.field for one in error.value.errors] == ["kind"]
