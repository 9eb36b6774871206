from contextlib import suppress
from datetime import timedelta

import eventlet
import pytest

from services.chassis.document import event
from services.chassis.problem import InvalidInput, NotAllowed, NotFound, RefusedByRule
from services.contract import KINDS
from services.members.service import Members

KIND = KINDS["members.organisation"]
YEAR = {"first": "2011-01-01", "last": "2011-12-31"}
K6 = {
    "of": "members.organisation",
    "where": {"organisation_kind": "university", "state": ["established", "active", "dormant"]},
    "measure": "count",
    "on": "established_on",
}
MEETING = {
    "held_on": "2011-05-20",
    "called": 50,
    "attended": 45,
    "minutes_doc": "纪要-2011-5",
    "charter_doc": "章程-2011",
    "chair_person_id": "p-zhao",
}
WHO = {
    **dict.fromkeys(("create", "apply", "hold"), ("u-li", "recorder")),
    **dict.fromkeys(("activate", "sleep", "wake", "set"), ("u-wang", "verifier")),
    **dict.fromkeys(("approve", "establish", "dissolve"), ("u-chair", "chair")),
}


class Staff:
    """The people who work with members, each in their role."""

    def __init__(self, running):
        self.running = running

    def do(self, method, **arguments):
        by, role = WHO[method.split("_")[0]]
        by = arguments.pop("by", by)
        return self.running.call("members", method, by=by, roles=[role], **arguments)

    def refused(self, method, **arguments):
        """The rule by which a command is refused."""
        with pytest.raises(RefusedByRule) as refusal:
            self.do(method, **arguments)
        return refusal.value.code

    def counted(self):
        self.running.settle()
        return self.running.call("members", "tally", rule=K6, **YEAR)["value"]

    def an_organisation(self, organisation_id, **changes):
        return self.do("create_organisation", **stated(organisation_id, **changes))

    def approved(self, organisation_id, **changes):
        self.an_organisation(organisation_id, **changes)
        self.do("apply_organisation", organisation_id=organisation_id)
        return self.do("approve_organisation", organisation_id=organisation_id, approval_doc_no="乐科协〔2011〕12号")

    def founded(self, organisation_id, **changes):
        self.approved(organisation_id)
        return self.do("hold_founding_meeting", organisation_id=organisation_id, **{**MEETING, **changes})


def stated(organisation_id, **changes):
    usual = {
        "organisation_id": organisation_id,
        "name": "乐山师范学院科学技术协会",
        "organisation_kind": "university",
        "institution_id": f"univ-{organisation_id}",
        "district": "511102",
        "workers_count": 640,
    }
    return {**usual, **changes}


@pytest.fixture
def staff(running):
    running.start(Members)
    return Staff(running)


@pytest.mark.rule("M-07")
def test_a_university_association_counts_once_its_founding_meeting_established_it(staff):
    staff.approved("o-1", institution_id="univ-lsnu")
    day = {"organisation_id": "o-1", "established_on": "2011-06-01"}

    assert staff.refused("establish_organisation", **day) == "M-07"
    assert staff.counted() == 0
    staff.do("hold_founding_meeting", organisation_id="o-1", **MEETING)
    assert staff.refused("establish_organisation", **{**day, "established_on": "2011-05-19"}) == "M-07"
    assert staff.do("establish_organisation", **day)["founding_meeting_on"] == "2011-05-20"
    assert staff.counted() == 1
    assert staff.refused("create_organisation", **stated("o-2", institution_id="univ-lsnu")) == "M-07"


def test_a_dormant_organisation_still_counts_and_a_dissolved_one_does_not(staff):
    staff.founded("o-1")
    staff.do("establish_organisation", organisation_id="o-1", established_on="2011-06-01")
    staff.do("activate_organisation", organisation_id="o-1")

    assert staff.do("sleep_organisation", organisation_id="o-1", reason="换届")["state"] == "dormant"
    assert staff.counted() == 1
    assert staff.do("wake_organisation", organisation_id="o-1")["state"] == "active"
    staff.do("dissolve_organisation", organisation_id="o-1", reason="院校合并")
    assert staff.counted() == 0


@pytest.mark.rule("M-07")
def test_an_institution_has_one_organisation_of_a_kind_until_that_is_dissolved(staff):
    staff.an_organisation("o-1", institution_id="univ-lsnu")
    other_kind = {"institution_id": "univ-lsnu", "organisation_kind": "society"}

    assert staff.an_organisation("o-2", **other_kind)["state"] == "preparing"
    assert staff.refused("create_organisation", **stated("o-3", institution_id="univ-lsnu")) == "M-07"
    staff.do("dissolve_organisation", organisation_id="o-1", reason="放弃筹备")
    assert staff.an_organisation("o-3", institution_id="univ-lsnu")["state"] == "preparing"


@pytest.mark.rule("M-07")
def test_a_meeting_of_too_few_founds_nothing(staff):
    staff.approved("o-1")

    assert staff.refused("hold_founding_meeting", organisation_id="o-1", **{**MEETING, "attended": 33}) == "M-07"
    assert (
        staff.do("hold_founding_meeting", organisation_id="o-1", **{**MEETING, "attended": 34})["state"] == "approved"
    )


@pytest.mark.rule("X-07")
def test_nothing_is_founded_or_established_before_its_day_by_the_clock_of_shanghai(staff):
    tomorrow = (staff.running.clock.today() + timedelta(days=1)).isoformat()
    staff.founded("o-1")
    meeting = {**MEETING, "organisation_id": "o-1", "held_on": tomorrow}
    day = {"organisation_id": "o-1", "established_on": tomorrow}

    assert staff.refused("hold_founding_meeting", **meeting) == "X-07"
    assert staff.refused("establish_organisation", **day) == "X-07"
    staff.running.clock.ahead = timedelta(days=1)
    assert staff.do("hold_founding_meeting", **meeting)["founding_meeting_on"] == tomorrow
    assert staff.do("establish_organisation", **day)["established_on"] == tomorrow


@pytest.mark.rule("X-05")
def test_whoever_entered_an_organisation_does_not_approve_it(staff):
    staff.an_organisation("o-1")
    staff.do("apply_organisation", organisation_id="o-1")

    approval = {"organisation_id": "o-1", "approval_doc_no": "乐科协〔2011〕12号"}
    assert staff.refused("approve_organisation", **approval, by="u-li") == "X-05"
    with pytest.raises(NotAllowed):
        staff.running.call("members", "approve_organisation", **approval)


@pytest.mark.rule("M-08")
def test_a_university_outside_the_municipality_is_refused_and_a_wrong_code_is_wrong_input(staff):
    assert staff.refused("create_organisation", **stated("o-1", district="510104")) == "M-08"
    with pytest.raises(InvalidInput) as refusal:
        staff.an_organisation("o-1", district="5101")
    assert [error.field for error in refusal.value.errors] == ["district"]


@pytest.mark.rule("M-08")
def test_nobody_is_put_under_one_below_it(staff):
    staff.an_organisation("o-1")
    staff.an_organisation("o-2", parent_id="o-1")
    staff.an_organisation("o-3", parent_id="o-2")

    assert staff.refused("set_parent", organisation_id="o-1", parent_id="o-3") == "M-08"
    assert staff.refused("set_parent", organisation_id="o-1", parent_id="o-1") == "M-08"
    with pytest.raises(NotFound):
        staff.do("set_parent", organisation_id="o-1", parent_id="o-9")
    assert staff.do("set_parent", organisation_id="o-3", parent_id="o-1")["parent_id"] == "o-1"
    assert staff.do("set_parent", organisation_id="o-3")["parent_id"] is None


@pytest.mark.rule("M-08")
def test_an_organisation_is_dissolved_after_those_under_it(staff):
    staff.an_organisation("o-1")
    staff.an_organisation("o-2", parent_id="o-1")

    assert staff.refused("dissolve_organisation", organisation_id="o-1", reason="院校合并") == "M-08"
    staff.do("dissolve_organisation", organisation_id="o-2", reason="院校合并")
    assert staff.do("dissolve_organisation", organisation_id="o-1", reason="院校合并")["state"] == "dissolved"


@pytest.mark.rule("M-08")
def test_two_put_under_each_other_at_the_same_moment_are_parted_again(staff):
    pairs = [(f"o-{number}", f"q-{number}") for number in range(10)]
    for one, other in pairs:
        staff.an_organisation(one)
        staff.an_organisation(other)

    moves = [(one, other) for pair in pairs for one, other in (pair, pair[::-1])]
    together = eventlet.GreenPool(len(moves))
    for _ in together.starmap(lambda one, other: moved(staff, one, other), moves):
        pass
    staff.running.settle()

    for one, other in pairs:
        assert {parent_of(staff, one), parent_of(staff, other)} in ({None, one}, {None, other})


@pytest.mark.rule("M-08")
def test_a_circle_is_opened_where_its_last_id_hangs_and_only_there(staff):
    for name in ("o-1", "o-2", "o-3"):
        staff.an_organisation(name)
    staff.do("set_parent", organisation_id="o-1", parent_id="o-2")
    staff.do("set_parent", organisation_id="o-2", parent_id="o-3")
    staff.running.settle()

    database = staff.running.database("members").organisation
    database.update_one({"_id": "o-3"}, {"$set": {"state.parent_id": "o-1"}})  # a command that had not seen the others
    held = database.find_one({"_id": "o-1"})
    staff.running.publish(event(KIND, "o-1", held["history"][-1]))
    staff.running.settle()

    assert [parent_of(staff, name) for name in ("o-1", "o-2", "o-3")] == ["o-2", "o-3", None]
    history = staff.running.call("members", "history_of_organisation", id="o-3")
    assert history["versions"][-1]["happened"] == "detached"


@pytest.mark.rule("X-01")
def test_a_repeated_command_answers_what_it_answered_first(staff):
    first = staff.an_organisation("o-1", command_id="c-1")
    staff.do("apply_organisation", organisation_id="o-1", command_id="c-2")
    staff.do("dissolve_organisation", organisation_id="o-1", reason="放弃", command_id="c-3")

    assert staff.an_organisation("o-1", command_id="c-1") == first
    assert staff.do("apply_organisation", organisation_id="o-1", command_id="c-2")["state"] == "applied"
    history = staff.running.call("members", "history_of_organisation", id="o-1")
    assert [one["happened"] for one in history["versions"]] == ["created", "applied", "dissolved"]


@pytest.mark.rule("X-08")
def test_no_event_of_members_names_a_person_or_says_why(staff):
    staff.founded("o-1")
    staff.do("dissolve_organisation", organisation_id="o-1", reason="赵某调离")

    held = staff.running.database("members").organisation.find_one({"_id": "o-1"})
    said = str([event(KIND, "o-1", entry).write().decode() for entry in held["history"]])

    assert "乐山师范学院" in said
    assert "p-zhao" not in said
    assert "赵某" not in said


def moved(staff, one, other):
    """Try to put one under the other; a refusal is fine."""
    with suppress(RefusedByRule):
        staff.do("set_parent", organisation_id=one, parent_id=other)


def parent_of(staff, organisation_id):
    return staff.running.call("members", "get_organisation", id=organisation_id)["parent_id"]
