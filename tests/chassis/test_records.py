"""Records: one atomic write per change, the same outcome for the same command, and a history that cannot be altered."""

from dataclasses import replace

import pytest
from eventlet import GreenPool
from pymongo.errors import AutoReconnect

from services.chassis import document
from services.chassis.command_ids import CommandIds, digest
from services.chassis.document import chained
from services.chassis.problem import Conflict, InvalidInput, NotAllowed, NotFound, RefusedByRule, Unavailable
from services.chassis.records import Bound, derived_id
from services.contract import KINDS
from services.kernel import Change
from tests.chassis.conftest import a_hall, held, register
from tests.chassis.toy import Hall, Halls

VENUE = KINDS["outreach.venue"]


def add_seats(world, hall_id, seats, **how):
    return world.call("outreach", "add_seats", hall_id=hall_id, seats=seats, **how)


def suspend(world, hall_id, reason="roof", **how):
    return world.call("outreach", "suspend_hall", hall_id=hall_id, reason=reason, **{"roles": ["verifier"], **how})


def all_at_once(do, times=20):
    return list(GreenPool().imap(lambda _: do(), range(times)))


@pytest.mark.rule("X-01")
def test_the_same_creation_again_answers_the_first_outcome_and_announces_nothing(shared):
    name = shared.a_new_id()
    first = register(shared, command_id=f"c-{name}", name=name)

    assert register(shared, command_id=f"c-{name}", name=name) == first
    assert first["id"] == derived_id(VENUE, f"c-{name}")
    assert held(shared, first["id"])["version"] == 1


@pytest.mark.rule("X-01")
def test_the_same_change_again_answers_the_first_outcome_even_after_the_record_moved_on(shared, hall):
    first = add_seats(shared, hall, 5, command_id="five")
    add_seats(shared, hall, 7, command_id="seven")

    assert add_seats(shared, hall, 5, command_id="five") == first
    assert first["capacity"] == 105
    assert held(shared, hall)["state"]["capacity"] == 112


@pytest.mark.rule("X-01")
def test_a_creation_again_answers_version_1_even_after_the_record_moved_on(shared):
    name = shared.a_new_id()
    first = register(shared, command_id=name, name=name)
    suspend(shared, first["id"])

    assert register(shared, command_id=name, name=name) == first


@pytest.mark.rule("X-01")
def test_a_creation_sent_20_times_at_once_makes_one_record(shared):
    name = shared.a_new_id()
    outcomes = all_at_once(lambda: register(shared, command_id=name, name=name))

    assert all(outcome == outcomes[0] for outcome in outcomes)
    assert shared.database("outreach")["venue"].count_documents({"state.name": name}) == 1


@pytest.mark.rule("X-01")
def test_a_change_sent_20_times_at_once_is_made_once(shared, hall):
    outcomes = all_at_once(lambda: add_seats(shared, hall, 1, command_id="once"))

    assert all(outcome == outcomes[0] for outcome in outcomes)
    assert held(shared, hall)["state"]["capacity"] == 101


@pytest.mark.rule("X-01")
def test_what_todays_state_forbids_but_was_done_before_answers_its_first_outcome(shared, hall):
    first = suspend(shared, hall, command_id="suspend")

    assert suspend(shared, hall, command_id="suspend") == first
    with pytest.raises(RefusedByRule) as refused:
        suspend(shared, hall, command_id="another")
    assert refused.value.code == "X-12"


@pytest.mark.rule("X-01")
def test_a_creation_that_its_own_record_would_now_forbid_answers_its_first_outcome(shared):
    stated = {"name": shared.a_new_id(), "district": "511102"}
    first = shared.call("outreach", "register_only_hall", command_id=stated["name"], **stated)

    assert shared.call("outreach", "register_only_hall", command_id=stated["name"], **stated) == first
    with pytest.raises(RefusedByRule) as refused:
        shared.call("outreach", "register_only_hall", **stated)
    assert refused.value.code == "T-02"


def test_a_refusal_is_not_kept_so_that_the_same_command_may_be_allowed_later(shared, hall):
    with pytest.raises(RefusedByRule):
        shared.call("outreach", "restore_hall", hall_id=hall, command_id="restore")
    suspend(shared, hall)

    assert shared.call("outreach", "restore_hall", hall_id=hall, command_id="restore")["state"] == "available"


def is_refused(do):
    """The problem by which a command is refused because its id speaks for another act."""
    with pytest.raises(Conflict) as reused:
        do()
    assert (reused.value.status, reused.value.code) == (409, "command_id_reused")
    return reused.value


@pytest.mark.rule("X-01")
def test_an_id_speaks_for_one_content_and_another_one_is_refused_and_not_lost_in_silence(shared, hall):
    add_seats(shared, hall, 120, command_id=f"c-{hall}")

    reused = is_refused(lambda: add_seats(shared, hall, 125, command_id=f"c-{hall}"))

    (written,) = [one for one in held(shared, hall)["history"] if one["because"] == f"c-{hall}"]
    assert reused.involved == {"command_id": f"c-{hall}", "used_for": "add_seats", "used_at": written["at"]}
    assert reused.zh != reused.en
    assert held(shared, hall)["state"]["capacity"] == 220


@pytest.mark.rule("X-01")
def test_an_id_speaks_for_one_command_and_one_record(shared, hall):
    suspend(shared, hall, command_id=f"c-{hall}", by="u-wang")

    for method, hall_id in (("restore_hall", hall), ("leave_hall", hall), ("restore_hall", "no-such")):
        is_refused(lambda: shared.call("outreach", method, hall_id=hall_id, command_id=f"c-{hall}", by="u-wang"))  # noqa: B023
    is_refused(lambda: suspend(shared, a_hall(shared), command_id=f"c-{hall}", by="u-wang"))

    assert held(shared, hall)["state"]["state"] == "suspended"
    assert held(shared, hall)["version"] == 2


@pytest.mark.rule("X-01")
def test_callers_know_nothing_of_each_others_ids_and_each_has_its_own_record(shared):
    id_, callers = shared.a_new_id(), ("u-li", "u-wang", "u-chen")

    made = [register(shared, id_, by=caller, name=f"{id_} of {caller}", capacity=5) for caller in callers]
    again = [register(shared, id_, by=caller, name=f"{id_} of {caller}", capacity=5) for caller in callers]

    assert again == made
    assert len({one["id"] for one in made}) == len(callers)
    assert made[0]["id"] == derived_id(VENUE, id_)
    for one, caller in zip(made, callers, strict=True):
        (entry,) = held(shared, one["id"])["history"]
        assert (entry["by"], held(shared, one["id"])["state"]["name"]) == (caller, f"{id_} of {caller}")


@pytest.mark.rule("X-01")
def test_of_callers_who_use_one_id_at_once_each_has_its_own_record(shared):
    id_, callers = shared.a_new_id(), [f"u-{number}" for number in range(8)] * 3

    made = list(GreenPool().imap(lambda caller: register(shared, id_, by=caller, name=f"{id_} {caller}"), callers))

    ids = dict(zip(callers, (one["id"] for one in made), strict=True))
    assert len(set(ids.values())) == 8
    assert all(one["id"] == ids[caller] for one, caller in zip(made, callers, strict=True))
    for caller, record in ids.items():
        assert held(shared, record)["state"]["name"] == f"{id_} {caller}"


@pytest.mark.rule("X-01")
def test_two_callers_change_one_record_under_the_same_id(shared, hall):
    for by, seats in (("u-li", 5), ("u-wang", 7), ("u-li", 5)):
        add_seats(shared, hall, seats, by=by, command_id="1")

    assert held(shared, hall)["state"]["capacity"] == 112


@pytest.mark.rule("X-01")
def test_a_refused_command_has_used_its_id_and_input_that_is_not_understood_has_not(shared, hall):
    with pytest.raises(InvalidInput):
        add_seats(shared, hall, -1, command_id=hall)
    with pytest.raises(NotAllowed):
        add_seats(shared, hall, 1, command_id=hall, roles=["viewer"])
    with pytest.raises(NotFound):
        add_seats(shared, "no-such", 1, command_id=hall)

    is_refused(lambda: add_seats(shared, hall, 1, command_id=hall))
    assert held(shared, hall)["version"] == 1


@pytest.mark.rule("X-01")
def test_what_is_missing_and_what_is_null_are_the_same_content(shared):
    name = shared.a_new_id()
    first = register(shared, name, name=name, capacity=None)

    assert shared.call("outreach", "register_hall", command_id=name, name=name, district="511102") == first
    assert digest({"a": 1, "b": None, "c": [{"d": None}]}) == digest({"c": ({},), "a": 1})
    assert len({digest(one) for one in ({}, {"a": 0}, {"a": False}, {"a": ""}, {"a": []}, {"a": {}})}) == 6


@pytest.mark.rule("X-01")
def test_what_was_done_before_ids_were_bound_is_matched_as_it_was(shared, hall):
    first = add_seats(shared, hall, 5, command_id=f"old-{hall}")
    made = register(shared, f"new-{hall}", name=hall)
    shared.database("outreach")["command_ids"].delete_many({"_id": {"$regex": f"{hall}$"}})

    assert add_seats(shared, hall, 5, command_id=f"old-{hall}") == first
    assert register(shared, f"new-{hall}", name=hall) == made
    is_refused(lambda: add_seats(shared, hall, 6, command_id=f"old-{hall}"))


@pytest.mark.rule("X-01")
def test_a_command_whose_id_cannot_be_bound_is_not_done(shared, hall, monkeypatch):
    def unreachable(*_, **__):
        raise AutoReconnect

    monkeypatch.setattr(CommandIds, "bind", unreachable)
    with pytest.raises(Unavailable):
        add_seats(shared, hall, 5, command_id=hall)
    monkeypatch.undo()

    assert held(shared, hall)["version"] == 1
    assert add_seats(shared, hall, 5, command_id=hall)["version"] == 2


def test_a_command_without_an_id_binds_none(shared, hall):
    ids = shared.database("outreach")["command_ids"]
    before = ids.count_documents({})

    add_seats(shared, hall, 5)
    add_seats(shared, hall, 5)

    assert ids.count_documents({}) == before
    assert held(shared, hall)["state"]["capacity"] == 110


def furnish(world, hall_id, seats, **how):
    return world.call("outreach", "furnish_hall", hall_id=hall_id, seats=seats, **how)


def test_a_record_is_put_for_the_first_time_and_again_and_where_nothing_follows_it_stays_away(shared):
    hall_id = shared.a_new_id()
    assert furnish(shared, hall_id, 0) is None

    first = furnish(shared, hall_id, 611, command_id=f"first-{hall_id}")
    second = furnish(shared, hall_id, 612)

    assert [one["version"] for one in (first, second, furnish(shared, hall_id, 612))] == [1, 2, 2]
    assert furnish(shared, hall_id, 611, command_id=f"first-{hall_id}") == first


@pytest.mark.rule("X-01", "X-03")
def test_of_many_who_put_a_record_at_once_each_has_a_version_and_one_that_expects_none_is_a_conflict(shared):
    hall_id = shared.a_new_id()

    put = list(GreenPool().imap(lambda seats: furnish(shared, hall_id, seats), range(701, 709)))

    assert sorted(one["version"] for one in put) == list(range(1, 9))
    with pytest.raises(Conflict):
        furnish(shared, shared.a_new_id(), 5, expected_version=1)


@pytest.mark.rule("A-13")
def test_whoever_may_change_a_record_and_not_read_it_is_told_that_it_was_changed(shared):
    hall_id = shared.a_new_id()

    told = furnish(shared, hall_id, 613, roles=["judge"], command_id=f"put-{hall_id}")

    assert told == {"id": hall_id, "version": 1, "state": "available"}
    assert furnish(shared, hall_id, 613, roles=["judge"], command_id=f"put-{hall_id}") == told
    assert furnish(shared, hall_id, 614, roles=["judge", "recorder"])["capacity"] == 614
    with pytest.raises(NotAllowed):
        shared.call("outreach", "get_venue", id=hall_id, roles=["judge"])


def test_an_id_that_another_command_took_is_a_conflict(shared, hall):
    with pytest.raises(Conflict):
        register(shared, hall_id=hall)

    assert held(shared, hall)["version"] == 1


def test_a_unique_index_refuses_by_its_rule_and_names_nothing_that_is_not_public(shared):
    register(shared, name=f"人民会堂 {shared.a_new_id()}")
    name = f"人民会堂 {shared.a_new_id()}"
    register(shared, name=name)

    with pytest.raises(RefusedByRule) as refused:
        register(shared, name=name)
    assert refused.value.code == "T-01"
    assert refused.value.involved == {}


def test_of_20_that_want_one_name_at_once_one_gets_it(shared):
    name = shared.a_new_id()

    def try_it():
        try:
            return register(shared, name=name)["state"]
        except RefusedByRule as refused:
            return refused.code

    assert sorted(all_at_once(try_it)) == ["T-01"] * 19 + ["available"]


@pytest.mark.rule("X-03")
def test_a_version_that_is_no_longer_the_last_is_a_conflict_and_changes_nothing(shared, hall):
    add_seats(shared, hall, 1, expected_version=1)

    with pytest.raises(Conflict) as conflict:
        add_seats(shared, hall, 1, expected_version=1)
    assert conflict.value.involved == {"id": hall, "expected_version": 1, "version": 2}
    assert held(shared, hall)["version"] == 2
    assert add_seats(shared, hall, 1, expected_version=2)["version"] == 3


@pytest.mark.rule("X-03", "X-01")
def test_a_repeated_command_answers_its_first_outcome_whatever_version_it_expected(shared, hall):
    first = add_seats(shared, hall, 1, expected_version=1, command_id=hall)

    assert add_seats(shared, hall, 1, expected_version=1, command_id=hall) == first
    assert add_seats(shared, hall, 1, expected_version=9, command_id=hall) == first


@pytest.mark.rule("X-03", "X-01")
def test_a_creation_that_expects_a_version_is_a_conflict_unless_it_was_done_before(shared):
    hall_id, name = shared.a_new_id(), shared.a_new_id()
    with pytest.raises(Conflict, match="There is no version yet") as conflict:
        register(shared, hall_id, hall_id=hall_id, name=name, expected_version=1)
    assert conflict.value.involved == {"id": hall_id, "expected_version": 1}
    assert held(shared, hall_id) is None

    first = register(shared, hall_id, hall_id=hall_id, name=name)
    assert register(shared, hall_id, hall_id=hall_id, name=name, expected_version=1) == first


@pytest.mark.rule("X-03")
def test_of_20_writers_that_expect_the_same_version_one_gets_through(shared, hall):
    def try_it():
        try:
            return add_seats(shared, hall, 1, expected_version=1)["version"]
        except Conflict:
            return "conflict"

    outcomes = all_at_once(try_it)
    assert outcomes.count(2) == 1
    assert outcomes.count("conflict") == 19


@pytest.mark.parametrize(
    ("field", "wrong"),
    [("expected_version", 0), ("expected_version", True), ("expected_version", "1"), ("command_id", ""),
     ("command_id", 7), ("command_id", "x" * 201), ("command_id", "two\nlines"), ("command_id", "王小明"),
     ("command_id", "."), ("command_id", "a b"), ("command_id", "a/b")],
)  # fmt: skip
def test_a_command_id_or_version_that_cannot_be_one_is_named(shared, hall, field, wrong):
    with pytest.raises(InvalidInput) as invalid:
        add_seats(shared, hall, 1, **{field: wrong})

    assert [error.field for error in invalid.value.errors] == [field]


@pytest.mark.rule("X-08")
def test_the_number_of_a_person_is_no_id_of_a_command_and_of_nothing_else(shared, hall):
    for wrong in ({"command_id": "13812345678"}, {"hall_id": "11010519491231002X"}):
        with pytest.raises(InvalidInput) as invalid:
            shared.call("outreach", "add_seats", **{"hall_id": hall, "seats": 1, **wrong})

        assert [(error.field, error.rule) for error in invalid.value.errors] == [(*wrong, "X-08")]


def test_writers_at_once_all_land_and_none_is_overwritten(shared, hall):
    versions = sorted(outcome["version"] for outcome in all_at_once(lambda: add_seats(shared, hall, 1), times=25))

    assert versions == list(range(2, 27))
    assert held(shared, hall)["state"]["capacity"] == 125


@pytest.mark.rule("X-04")
def test_the_history_keeps_every_view_with_reason_actor_and_cause(shared, hall):
    add_seats(shared, hall, 20, by="u-li", command_id="c-add")
    suspend(shared, hall, reason="屋顶漏水", by="u-wang", command_id="c-suspend")

    versions = shared.call("outreach", "history_of_venue", id=hall)["versions"]
    assert [entry["happened"] for entry in versions] == ["registered", "restored", "suspended"]
    assert [entry["view"]["capacity"] for entry in versions] == [100, 120, 120]
    assert [entry["by"] for entry in versions] == ["u-li", "u-li", "u-wang"]
    assert [entry["because"] for entry in versions[1:]] == ["c-add", "c-suspend"]
    assert [entry["reason"] for entry in versions] == [None, None, "屋顶漏水"]
    assert all(entry["at"].endswith("+08:00") for entry in versions)


@pytest.mark.rule("X-04")
def test_the_hashes_of_a_history_chain_and_one_byte_that_is_changed_breaks_them(shared, hall):
    for seats in (1, 2, 3):
        add_seats(shared, hall, seats)
    document_held = held(shared, hall)
    history = document_held["history"]

    assert first_broken(history) is None
    assert document_held["hash"] == history[-1]["hash"]

    for name, value in (("by", "u-lj"), ("reason", ""), ("at", history[1]["at"][:-1] + "1"), ("version", 9)):
        altered = [*history[:1], {**history[1], name: value}, *history[2:]]
        assert first_broken(altered) == 2
    assert first_broken([*history[:1], *history[2:]]) == 2


@pytest.mark.rule("X-08")
def test_a_reason_and_a_name_stay_in_the_owners_history(shared):
    name, reason = f"王小明 {shared.a_new_id()}", "王小明家长反对"
    answer = register(shared, name=name)
    suspended = suspend(shared, answer["id"], reason=reason)
    kept = held(shared, answer["id"])

    event = document.event(VENUE, answer["id"], kept["history"][-1])
    assert kept["history"][-1]["reason"] == reason
    assert kept["state"]["name"] == name
    assert "王小明" not in event.write().decode() + str(answer) + str(suspended)


def test_an_actor_of_one_district_works_in_that_district_only(shared):
    here = a_hall(shared, district="511111")

    assert add_seats(shared, here, 1, at="511111")["version"] == 2
    with pytest.raises(NotAllowed) as denied:
        add_seats(shared, here, 1, at="511102")
    assert denied.value.involved == {"district": "511111", "yours": "511102"}
    with pytest.raises(NotAllowed):
        register(shared, district="511111", at="511102")
    assert held(shared, here)["version"] == 2


def test_a_history_with_its_reasons_is_read_by_staff_of_its_district_or_of_none(shared):
    here = a_hall(shared, district="511111")
    suspend(shared, here, reason="屋顶漏水")

    for place in ("511111", None):
        assert shared.call("outreach", "history_of_venue", id=here, at=place)["versions"][1]["reason"] == "屋顶漏水"
    with pytest.raises(NotAllowed) as denied:
        shared.call("outreach", "history_of_venue", id=here, at="511102")
    assert denied.value.involved == {"district": "511111", "yours": "511102"}
    assert shared.call("outreach", "get_venue", id=here, at="511102")["district"] == "511111"  # the view is anybody's


def test_a_record_with_too_many_versions_is_refused_by_name_and_left_as_it_is(shared, hall):
    limit = shared.settings.versions_limit
    for _ in range(limit - 1):
        add_seats(shared, hall, 1)

    with pytest.raises(Conflict) as full:
        add_seats(shared, hall, 1)
    assert full.value.code == "record_full"
    assert full.value.status == 409
    assert held(shared, hall)["version"] == limit


def test_a_record_that_is_not_there_is_not_found(shared):
    with pytest.raises(NotFound) as missing:
        add_seats(shared, "h-nowhere", 1)

    assert missing.value.involved == {"kind": "venue", "id": "h-nowhere"}


def test_a_command_that_finds_nothing_to_do_answers_the_record_as_it_is_and_announces_nothing(shared, hall):
    before = held(shared, hall)

    answer = shared.call("outreach", "leave_hall", hall_id=hall)
    assert (answer["version"], answer["capacity"]) == (1, 100)
    assert held(shared, hall)["history"] == before["history"]


def test_the_versions_of_records_tell_whether_any_of_them_has_changed(shared, hall):
    (records,) = [one for one in shared.containers[0].extensions if isinstance(one, Halls)]
    halls, like_it = Bound(records, None), {"name": held(shared, hall)["state"]["name"]}
    before = halls.versions(**like_it)

    add_seats(shared, hall, 1)

    assert (before, halls.versions(**like_it)) == ({hall: 1}, {hall: 2})
    assert halls.versions(name="nobody's") == {}


def test_a_happening_that_the_contract_does_not_name_cannot_be_written():
    hall = Hall(name="n", district="511102")

    with pytest.raises(ValueError, match="does not announce 'painted'"):
        document.entry(VENUE, Change(hall, "painted"), None, version=1, after="")
    assert document.state_of(VENUE, replace(hall, capacity=3))["capacity"] == 3


def first_broken(history):
    """The place at which the chain of hashes breaks, counted from 1."""
    after = ""
    for place, entry in enumerate(history, start=1):
        if chained(after, entry) != entry["hash"]:
            return place
        after = entry["hash"]
    return None
