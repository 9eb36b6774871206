"""Outreach on a real broker and database."""

from datetime import timedelta

import pytest
from eventlet import GreenPool

from services.chassis.problem import Conflict, InvalidInput, NotAllowed, NotFound, RefusedByRule
from services.outreach.service import Outreach
from tests.outreach.acting import Acting, refused
from tests.outreach.examples import SATURDAY, SUNDAY

PHOTO, PRESS, LIST = "a" * 64, "b" * 64, "c" * 64

K2 = {
    "of": "outreach.audience_count",
    "where": {"state": "verified", "mode": "offline", "counts_for_k2": True},
    "measure": {"sum": "person_times"},
    "on": "day",
    "by": ["district", "format"],
}
ALL_YEAR = {"first": "2011-01-01", "last": "2011-12-31"}


@pytest.fixture
def people(running):
    return Acting(running.start(Outreach))


def k2(people):
    return people.running.call("outreach", "tally", rule=K2, first="2011-01-01", last="2011-12-31")["value"]


def test_a_tally_tells_its_records_and_what_was_known_before_a_count_was_corrected(people):
    people.hold("a-1")
    people.count("n-1", person_times=700)
    (verified,) = people.running.call("outreach", "history_of_audience_count", id="n-1")["versions"][1:]
    people.attach_evidence(evidence_id=LIST, evidence_kind="sign_sheet")
    people.correct_count(count_id="n-1", person_times=600, evidence_ids=[LIST])

    asked = {"rule": K2, "first": "2011-01-01", "last": "2011-12-31"}
    before = {**asked, "as_of": verified["at"]}

    assert (k2(people), people.running.call("outreach", "tally", **before)["value"]) == (600, 700)
    told = people.running.call("outreach", "tally_records", **before)
    assert told == {
        "records": [{"id": "n-1", "version": 2, "day": SATURDAY.isoformat(), "amount": 700}], "through": None,
    }  # fmt: skip
    told = people.running.call("outreach", "tally_records", **asked, ids=["n-1", "n-2"], district="511111")
    assert told["records"] == [{"id": "n-1", "version": 3, "day": None, "amount": None}]


@pytest.mark.parametrize(
    ("method", "asked", "fields"),
    [
        ("tally", {}, ["first", "last"]),
        ("tally", {"as_of": "2011-05-14", "district": "1"}, ["first", "last", "as_of", "district"]),
        ("tally", {**ALL_YEAR, "as_of": "2011-05-14T10:00:00"}, ["as_of"]),
        ("tally", {**ALL_YEAR, "limit": 5}, ["limit"]),
        ("tally_records", {**ALL_YEAR, "after": 5, "limit": 10_001, "ids": []}, ["after", "limit", "ids"]),
        ("tally_records", {**ALL_YEAR, "after": "n-1", "ids": ["n-2"]}, ["ids"]),
        ("tally_records", {**ALL_YEAR, "colour": 1}, ["colour"]),
    ],
)
def test_what_is_wrong_with_the_question_of_a_tally_is_named(people, method, asked, fields):
    with pytest.raises(InvalidInput) as invalid:
        people.running.call("outreach", method, rule=K2, **asked)

    assert sorted(error.field for error in invalid.value.errors) == sorted(fields)


@pytest.mark.rule("O-04", "O-05", "O-06", "X-05")
def test_a_count_of_3000_is_verified_corrected_to_2800_and_both_rows_stay_visible(people):
    people.hold("a-1")
    people.hold("a-2")
    people.record_count(count_id="n-1", person_times=3_000, method="headcount")

    with refused("O-05"):
        people.verify_count(count_id="n-1", by="u-li")
    with refused("O-06"):
        people.verify_count(count_id="n-1")
    people.attach_evidence(evidence_id=PRESS, evidence_kind="press")
    people.verify_count(count_id="n-1")
    assert k2(people) == 3_000

    people.attach_evidence(evidence_id=LIST, evidence_kind="sign_sheet")
    people.correct_count(count_id="n-1", person_times=2_800, evidence_ids=[LIST])
    assert k2(people) == 2_800
    history = people.running.call("outreach", "history_of_audience_count", id="n-1")["versions"]
    assert [(one["happened"], one["view"]["person_times"], one["reason"]) for one in history] == [
        ("recorded", 3_000, None),
        ("verified", 3_000, None),
        ("corrected", 2_800, "重新清点签到表"),
    ]

    people.attach_evidence(evidence_id=PHOTO)
    with refused("O-04"):
        people.attach_evidence(evidence_id=PHOTO, activity_id="a-2")


@pytest.mark.rule("O-03")
def test_an_audience_is_counted_once_by_each_method_until_a_count_is_rejected(people):
    people.hold()
    people.record_count(count_id="n-1")

    with refused("O-03"):
        people.record_count(count_id="n-2")
    people.record_count(count_id="n-3", method="scan")
    people.reject_count(count_id="n-1")
    assert people.record_count(count_id="n-4")["state"] == "recorded"


@pytest.mark.rule("O-03")
def test_k2_never_has_two_counts_of_the_same_audience(people):
    people.hold()
    people.count("n-1", method="estimate", person_times=500)
    people.record_count(count_id="n-2", method="scan", person_times=430)

    with refused("O-03"):
        people.verify_count(count_id="n-2")
    assert k2(people) == 500
    superseded = people.supersede_count(count_id="n-1", by_count_id="n-2")
    assert (superseded["state"], superseded["superseded_by"], k2(people)) == ("superseded", "n-2", 0)
    people.verify_count(count_id="n-2")
    assert k2(people) == 430


@pytest.mark.rule("O-03")
def test_of_many_counts_of_one_audience_verified_at_once_one_gets_through(people):
    people.hold()
    methods = ("scan", "sign_in", "turnstile", "report")
    for method in methods:
        people.record_count(count_id=f"n-{method}", method=method, person_times=300)

    def try_it(method):
        try:
            return people.verify_count(count_id=f"n-{method}")["state"]
        except RefusedByRule as refusal:
            return refusal.code

    assert sorted(GreenPool().imap(try_it, methods)) == ["O-03", "O-03", "O-03", "verified"]
    assert k2(people) == 300


@pytest.mark.rule("O-04")
def test_the_same_file_for_the_same_activity_again_is_the_same_evidence(people):
    people.hold()
    attached = people.attach_evidence(evidence_id=PHOTO)

    assert people.attach_evidence(evidence_id=PHOTO, by="u-chen") == attached
    assert attached["version"] == 1


def test_whoever_is_bound_to_a_district_attaches_nothing_to_an_activity_of_another_one(people):
    people.hold(district="511102")

    with pytest.raises(NotAllowed):
        people.attach_evidence(evidence_id=PHOTO, at="511181")
    assert people.attach_evidence(evidence_id=PHOTO, at="511102")["district"] == "511102"
    with pytest.raises(NotAllowed):
        people.attach_evidence(evidence_id=PHOTO, at="511181")


@pytest.mark.rule("O-04", "O-06")
def test_a_correction_names_evidence_that_is_there_and_its_activity_s_own(people):
    people.hold("a-1")
    people.hold("a-2")
    people.count("n-1")
    people.attach_evidence(evidence_id=LIST, activity_id="a-2", evidence_kind="sign_sheet")

    with refused("O-06"):
        people.correct_count(count_id="n-1", person_times=280)
    with refused("O-04"):
        people.correct_count(count_id="n-1", person_times=280, evidence_ids=[LIST])
    with pytest.raises(NotFound):
        people.correct_count(count_id="n-1", person_times=280, evidence_ids=[PHOTO])


@pytest.mark.rule("O-19")
def test_a_venue_holds_one_activity_in_a_slot_until_it_is_free_again(people):
    people.register_venue(venue_id="v-1")
    people.register_venue(venue_id="v-2")
    people.schedule("a-1", days=[SATURDAY, SUNDAY], slots=["morning"])
    people.create_activity(activity_id="a-2", days=[SUNDAY])

    with refused("O-19"):
        people.schedule_activity(activity_id="a-2", venue_id="v-1")
    people.schedule_activity(activity_id="a-2", venue_id="v-1", slots=["evening"])
    with refused("O-19"):
        people.move_activity(activity_id="a-2", venue_id="v-1", slots=["morning"])

    people.move_activity(activity_id="a-1", venue_id="v-2")
    assert people.move_activity(activity_id="a-2", venue_id="v-1", slots=["morning"])["version"] == 3
    people.cancel_activity(activity_id="a-2")
    assert people.move_activity(activity_id="a-1", venue_id="v-1")["venue_id"] == "v-1"


@pytest.mark.rule("O-19")
def test_of_many_who_want_the_same_slot_at_once_one_gets_it(people):
    people.register_venue(venue_id="v-1")
    names = [f"a-{number}" for number in range(6)]
    for name in names:
        people.create_activity(activity_id=name)

    def try_it(name):
        try:
            return people.schedule_activity(activity_id=name, venue_id="v-1")["state"]
        except RefusedByRule as refusal:
            return refusal.code

    assert sorted(GreenPool().imap(try_it, names)) == ["O-19"] * 5 + ["scheduled"]


def test_online_activities_hold_no_venue_and_so_do_not_disturb_each_other(people):
    for name in ("a-1", "a-2"):
        assert people.schedule(name, delivery="online", venue_id=None)["state"] == "scheduled"


@pytest.mark.rule("O-16")
def test_members_day_visits_are_recorded_and_verified_and_are_not_in_k2(people):
    with refused("O-16"):
        people.open_campaign(campaign_kind="members_day", counts_for_k2=True)

    people.open_campaign(campaign_id="c-1", campaign_kind="members_day")
    people.hold("a-1", campaign_id="c-1")
    people.hold("a-2")
    assert people.count("n-1", activity_id="a-1", person_times=70)["counts_for_k2"] is False
    people.count("n-2", activity_id="a-2", person_times=30)
    assert k2(people) == 30


@pytest.mark.rule("X-12")
def test_no_activity_joins_a_campaign_that_was_closed(people):
    people.open_campaign(campaign_id="c-1")
    people.create_activity(activity_id="a-1", campaign_id="c-1")
    assert people.close_campaign(campaign_id="c-1")["state"] == "closed"

    with refused("X-12"):
        people.create_activity(activity_id="a-2", campaign_id="c-1")


def test_what_may_be_left_out_may_be_null(people):
    people.register_venue(venue_id="v-1", capacity=None)
    people.create_activity(activity_id="a-1", campaign_id=None, co_org_ids=None, key_groups=None)
    assert people.schedule_activity(activity_id="a-1", venue_id="v-1", slots=None)["co_org_ids"] == []


def test_an_online_audience_is_verified_and_is_not_in_k2(people):
    people.hold(delivery="both")
    people.count("n-1", mode="online", method="report", person_times=9_000)
    people.count("n-2", person_times=120)

    assert k2(people) == 120


@pytest.mark.rule("O-17", "X-12")
def test_what_was_held_is_not_cancelled_for_its_verified_counts_and_not_without_them(people):
    people.hold("a-1")
    people.hold("a-2")
    people.count("n-1", activity_id="a-1")

    with refused("O-17"):
        people.cancel_activity(activity_id="a-1")
    with refused("X-12"):
        people.cancel_activity(activity_id="a-2")


@pytest.mark.rule("O-01")
def test_a_number_that_is_none_is_invalid_input_by_rule_o_01(people):
    people.hold()

    for number in (-1, 0.5, "300", 10_000_001):
        with pytest.raises(InvalidInput) as wrong:
            people.record_count(person_times=number)
        assert [(error.field, error.rule) for error in wrong.value.errors] == [("person_times", "O-01")]


@pytest.mark.rule("O-01")
def test_more_than_the_venue_can_hold_is_recorded_and_verified_after_a_third_person_approved(people):
    people.hold(capacity=100)
    people.record_count(count_id="n-1", person_times=501)

    with refused("O-01"):
        people.verify_count(count_id="n-1")
    with refused("X-05"):
        people.approve_count(count_id="n-1", by="u-li")
    people.approve_count(count_id="n-1")
    assert people.verify_count(count_id="n-1")["state"] == "verified"


@pytest.mark.rule("O-11", "O-20")
def test_views_are_no_visitors_and_another_day_is_not_counted(people):
    people.register_venue(venue_id="v-1")
    people.schedule("a-1", delivery="online", venue_id=None)
    people.start_activity(activity_id="a-1")

    with refused("O-11"):
        people.record_count(mode="offline", method="report")
    with refused("O-11"):
        people.record_count(mode="online", method="scan")
    with refused("O-20"):
        people.record_count(mode="online", method="report", day=SUNDAY)


def test_an_activity_goes_all_the_way_and_is_final_when_it_is_closed(people):
    people.hold(days=[SATURDAY, SUNDAY])
    people.record_count(count_id="n-1")
    with refused("X-12"):
        people.report_activity(activity_id="a-1")
    people.record_count(count_id="n-2", day=SUNDAY)

    people.mark_not_reported(activity_id="a-1")
    people.report_activity(activity_id="a-1", by="u-chen")
    with refused("X-12"):
        people.verify_activity(activity_id="a-1")
    people.verify_count(count_id="n-1")
    people.verify_count(count_id="n-2")
    for by in ("u-li", "u-chen"):
        with refused("O-05"):
            people.verify_activity(activity_id="a-1", by=by)
    people.verify_activity(activity_id="a-1")
    closed = people.close_activity(activity_id="a-1")

    assert (closed["state"], closed["held_on"]) == ("closed", "2011-05-15")
    with refused("X-12"):
        people.correct_count(count_id="n-1", person_times=1)


@pytest.mark.rule("X-07")
def test_an_activity_waits_for_its_day_by_the_clock_of_shanghai(people):
    tomorrow = people.running.clock.today() + timedelta(days=1)
    people.register_venue(venue_id="v-1")
    people.schedule("a-1", days=[tomorrow])

    with refused("X-07"):
        people.start_activity(activity_id="a-1")
    people.running.clock.ahead = timedelta(days=1)
    assert people.start_activity(activity_id="a-1")["state"] == "ongoing"


@pytest.mark.rule("X-01", "X-03")
def test_a_command_sent_again_answers_its_first_outcome_whatever_happened_since(people):
    people.hold()
    recorded = people.record_count(count_id="n-1", command_id="c-1")
    verified = people.verify_count(count_id="n-1", command_id="c-2")
    attached = people.attach_evidence(evidence_id=PHOTO, command_id="c-3")
    people.report_activity(activity_id="a-1")
    people.verify_activity(activity_id="a-1")
    people.close_activity(activity_id="a-1")

    assert people.record_count(count_id="n-1", command_id="c-1") == recorded
    assert people.verify_count(count_id="n-1", command_id="c-2") == verified
    assert people.attach_evidence(evidence_id=PHOTO, command_id="c-3") == attached
    with pytest.raises(Conflict):
        people.reject_count(count_id="n-1", expected_version=1)


def test_each_command_is_for_its_roles(people):
    for command, arguments in {"verify_count": {"count_id": "n-1"}, "close_activity": {"activity_id": "a-1"}}.items():
        with pytest.raises(NotAllowed):
            people.running.call("outreach", command, roles=["recorder"], **arguments)


def test_what_is_not_there_is_not_found(people):
    with pytest.raises(NotFound):
        people.create_activity(campaign_id="c-none")
    with pytest.raises(NotFound):
        people.record_count(activity_id="a-none")
    people.create_activity(activity_id="a-1")
    with pytest.raises(NotFound):
        people.schedule_activity(activity_id="a-1", venue_id="v-none")
