"""Editions and their entries on a real broker and database."""

from datetime import datetime, timedelta

import pytest
from eventlet import GreenPool
from eventlet.event import Event

from services.awards.service import Awards
from services.chassis.problem import InvalidInput, NotAllowed, RefusedByRule
from services.chassis.records import Bound
from services.kernel.calendar import SHANGHAI
from tests.stack import Running, an_empty_world, leave, until

START = datetime(2011, 3, 1, 8, tzinfo=SHANGHAI)
LAST_SECOND = datetime(2011, 3, 31, 23, 59, 59, 999_000, tzinfo=SHANGHAI)
FORM = {"sha256": "f" * 64, "attachment_kind": "signed_form"}
RULES = {
    "submit_from": "2011-03-01",
    "submit_to": "2011-03-31",
    "judge_from": "2011-04-10",
    "judge_to": "2011-04-20",
    "award_cap_percent": 60,
    "tie_break": ["adjusted_mean", "committee"],
    "tie_policy": "committee",
    "normalisation": "mean",
    "publicity_days": 7,
    "publicity_unit": "calendar",
    "revocation_days": 183,
}
CRITERION = {
    "criterion_code": "innovation",
    "weight": "40",
    "max": "100",
    "step": "0.5",
    "required": True,
    "independent": False,
}
WHO = {
    "submit": ("u-li", "recorder"),
    "resubmit": ("u-li", "recorder"),
    "withdraw": ("u-li", "recorder"),
    "return": ("u-wang", "verifier"),
    "check": ("u-wang", "verifier"),
}


class Gate:
    """What holds up every reading of an edition until it opens."""

    def __init__(self, monkeypatch):
        self.waiting, self._open, read = 0, Event(), Bound.get

        def wait_and_read(records, id_):
            self.waiting += 1
            self._open.wait()
            return read(records, id_)

        monkeypatch.setattr(Bound, "get", wait_and_read)

    def open(self):
        self._open.send()


class Office:
    """Those who hold an edition and those who enter, by a clock that stands in March 2011."""

    def __init__(self, running):
        self.running = running
        self.at(START)

    def at(self, instant):
        self.running.clock.now = lambda: instant

    def do(self, method, **arguments):
        by, role = WHO.get(method.split("_")[0], ("u-chair", "chair"))
        return self.running.call("awards", method, by=arguments.pop("by", by), roles=[role], **arguments)

    def refused(self, method, **arguments):
        """The rule by which a command is refused."""
        with pytest.raises(RefusedByRule) as refusal:
            self.do(method, **arguments)
        return refusal.value.code

    def plan(self, edition_id="e-1", **changes):
        of = {"programme_kind": "youth", "level": "city", "edition_no": 10, "year": 2011, "host_org_id": "o-city"}
        return self.do(
            "create_edition", **{"edition_id": edition_id, "categories": [a_category()], **of, **RULES, **changes}
        )

    def open(self, edition_id="e-1", **changes):
        """Planned, announced and opened."""
        self.plan(edition_id, **changes)
        self.do("announce_edition", edition_id=edition_id)
        return self.do("open_edition", edition_id=edition_id)

    def submit(self, entry_id="n-1", **changes):
        return self.do("submit_entry", **an_entry(entry_id, **changes))

    def outcome(self, entry_id, **changes):
        """What became of a submission: the state of the entry, or the rule by which it was refused."""
        try:
            return self.submit(entry_id, **changes)["state"]
        except RefusedByRule as refused:
            return refused.code

    def entries(self, **wanted):
        """The entries as everybody reads them."""
        return self.running.call("awards", "list_entries", roles=("viewer",), filter=wanted)["items"]

    def stored(self, entry_id):
        return self.running.database("awards")["entry"].find_one({"_id": entry_id})["state"]


def a_category(category_code="innovation", **changes):
    usual = {"participation": "individual", "max_team": 3, "blind": True, "min_scores": 3, "rubric": [CRITERION]}
    return {"category_code": category_code, **usual, **changes}


def an_entrant(person_ref, **changes):
    usual = {"district": "511102", "stage": "primary", "minor": True, "consent_ref": "c-1"}
    return {"person_ref": person_ref, **usual, **changes}


def an_entry(entry_id, **changes):
    """By one pupil, who is called like the entry."""
    usual = {
        "entry_id": entry_id,
        "edition_id": "e-1",
        "nominating_unit_id": "o-shizhong",
        "district": "511102",
        **handed_in(entry_id),
    }
    return {**usual, **changes}


def handed_in(entry_id, **changes):
    usual = {
        "category_code": "innovation",
        "title": f"作品{entry_id}",
        "entrants": [an_entrant(f"p-{entry_id}")],
        "attachments": [FORM],
        "originality_signed_on": "2011-02-28",
    }
    return {**usual, **changes}


@pytest.fixture
def office(running):
    running.start(Awards)
    return Office(running)


@pytest.fixture
def many_at_once(addresses, keys):
    """An office whose service handles 64 commands at once."""
    settings = an_empty_world(addresses, keys, rpc_workers=64)
    with Running(settings) as running:
        yield Office(running.start(Awards))
    leave(settings)


# --- editions ---------------------------------------------------------------------------------------------------------


@pytest.mark.rule("A-30")
def test_a_programme_has_an_edition_once_at_each_level_and_a_cancelled_one_leaves_its_number(office):
    office.plan("e-1")

    assert office.refused("create_edition", **{"edition_id": "e-2", **edition_like("e-1", office)}) == "A-30"
    office.plan("e-3", level="province")
    office.plan("e-4", programme_kind="paper")
    office.do("cancel_edition", edition_id="e-1", reason="经费未落实")
    assert office.plan("e-5")["state"] == "planned"


@pytest.mark.rule("A-31", "A-18", "X-07")
def test_a_call_that_leads_nowhere_is_planned_and_not_announced(office):
    for number, (wrong, rule) in enumerate(
        [
            ({"categories": [a_category(rubric=[])]}, "A-31"),
            ({"categories": [a_category(quotas=[{"grade": "first", "percent": 61}])]}, "A-18"),
            ({"judge_from": "2011-03-31"}, "X-07"),
        ]
    ):
        office.plan(f"e-{number}", edition_no=number + 1, **wrong)
        assert office.refused("announce_edition", edition_id=f"e-{number}") == rule


def test_rules_are_revised_as_a_whole(office):
    office.open(publicity_days=7)

    revised = office.do(
        "revise_edition",
        edition_id="e-1",
        reason="增设集体项目",
        categories=[a_category(), a_category("team", participation="team")],
        **{**RULES, "publicity_days": 5},
    )

    assert revised["publicity_days"] == 5
    assert [one["category_code"] for one in revised["categories"]] == ["innovation", "team"]


@pytest.mark.rule("X-04")
def test_a_category_that_somebody_entered_stays(office):
    office.open(categories=[a_category(), a_category("team", participation="team")])
    office.submit()

    again = {"edition_id": "e-1", "reason": "合并类别", **RULES}
    other = a_category("team", participation="team")
    assert office.refused("revise_edition", **again, categories=[other]) == "X-04"
    assert office.do("revise_edition", **again, categories=[a_category()])["version"] == 4


def test_what_is_wrong_in_a_part_of_a_part_is_named(office):
    with pytest.raises(InvalidInput) as wrong:
        office.plan(categories=[a_category(rubric=[{**CRITERION, "step": 0.5, "colour": "red"}])])

    (step, colour) = wrong.value.errors
    assert (step.field, colour.field) == ("categories", "categories")
    assert "rubric: step: A number like 12.5" in step.en
    assert step.zh == "rubric：step：须为数字文本，如 12.5。"
    assert "rubric: colour: Unknown field" in colour.en


def test_who_records_does_not_announce_and_who_is_of_a_district_holds_no_edition(office):
    with pytest.raises(NotAllowed):
        office.running.call("awards", "announce_edition", roles=["recorder"], edition_id="e-1")
    with pytest.raises(NotAllowed):
        office.running.call(
            "awards", "create_edition", at="511102", categories=[a_category()], programme_kind="youth", level="city",
            edition_no=1, year=2011, host_org_id="o-1", **RULES,
        )  # fmt: skip


# --- the window -------------------------------------------------------------------------------------------------------


@pytest.mark.rule("A-01")
def test_an_entry_is_taken_from_the_opening_to_the_last_second_of_the_window(office):
    office.plan()
    office.do("announce_edition", edition_id="e-1")
    assert office.refused("submit_entry", **an_entry("n-1")) == "A-01"

    office.do("open_edition", edition_id="e-1")
    office.submit("n-1")
    office.at(LAST_SECOND)
    office.submit("n-2")
    office.at(LAST_SECOND + timedelta(milliseconds=1))
    assert office.refused("submit_entry", **an_entry("n-3")) == "A-01"
    assert office.do("close_edition", edition_id="e-1")["state"] == "eligibility"


@pytest.mark.rule("A-01")
def test_50_submissions_that_arrive_in_the_last_second_are_in_time_whenever_their_turn_comes(many_at_once, monkeypatch):
    office = many_at_once
    office.open()
    office.at(LAST_SECOND)
    gate, pool = Gate(monkeypatch), GreenPool(60)

    in_time = [pool.spawn(office.outcome, f"n-{number}") for number in range(50)]
    until(lambda: gate.waiting == 50)
    office.at(LAST_SECOND + timedelta(milliseconds=1))
    late = [pool.spawn(office.outcome, f"late-{number}") for number in range(10)]
    until(lambda: gate.waiting == 60)
    gate.open()

    assert [one.wait() for one in in_time] == ["submitted"] * 50
    assert [one.wait() for one in late] == ["A-01"] * 10
    assert {one["id"] for one in office.entries()} == {f"n-{number}" for number in range(50)}
    assert len({office.stored(one["id"])["blind_code"] for one in office.entries()}) == 50


@pytest.mark.rule("X-01")
def test_a_submission_sent_again_after_the_window_answers_its_first_outcome(office):
    office.open()
    first = office.submit("n-1", command_id="c-1")
    without_id = office.submit(None, title="另一作品", entrants=[an_entrant("p-2")], command_id="c-2")

    office.at(LAST_SECOND + timedelta(days=1))
    assert office.submit("n-1", command_id="c-1") == first
    assert office.submit(None, title="另一作品", entrants=[an_entrant("p-2")], command_id="c-2") == without_id
    assert len(office.entries()) == 2


@pytest.mark.rule("X-01")
def test_of_a_submission_sent_20_times_at_once_there_is_one_entry(office):
    office.open()

    answers = list(GreenPool(20).imap(lambda _: office.submit("n-1", command_id="c-1"), range(20)))

    assert answers == [answers[0]] * 20
    assert office.entries() == [answers[0]]


# --- what an edition has once -----------------------------------------------------------------------------------------


@pytest.mark.rule("A-02")
def test_of_many_entries_of_one_student_at_once_one_gets_through(office):
    office.open(categories=[a_category(), a_category("team", participation="team")])

    def try_it(number):
        team = {"category_code": "team", "entrants": [an_entrant("p-ming"), an_entrant(f"p-{number}")]}
        return office.outcome(f"n-{number}", **team)

    assert sorted(GreenPool().imap(try_it, range(8))) == ["A-02"] * 7 + ["submitted"]


@pytest.mark.rule("A-02")
def test_a_student_enters_again_after_a_withdrawal_and_in_another_edition_but_not_after_a_disqualification(office):
    office.open()
    office.open("e-2", edition_no=11)
    ming = {"entrants": [an_entrant("p-ming")]}
    office.submit("n-1", **ming)
    assert office.refused("submit_entry", **an_entry("n-2", **ming)) == "A-02"
    office.submit("n-3", edition_id="e-2", **ming)

    office.do("withdraw_entry", entry_id="n-1", reason="作者要求")
    office.submit("n-4", **ming)
    office.do("disqualify_entry", entry_id="n-4", reason="抄袭")
    assert office.refused("submit_entry", **an_entry("n-5", **ming)) == "A-02"


def test_an_author_enters_several_papers(office):
    office.open(programme_kind="paper")
    office.submit("n-1", entrants=[an_entrant("p-luo", minor=False)])

    assert office.submit("n-2", entrants=[an_entrant("p-luo", minor=False)])["state"] == "submitted"


@pytest.mark.rule("A-07")
def test_a_work_is_entered_in_an_edition_once_by_its_title_or_its_file(office):
    work = {"sha256": "e" * 64, "attachment_kind": "work"}
    office.open(one_entry_each=False)
    office.submit("n-1", title="茶叶采摘器", attachments=[FORM, work], entrants=[an_entrant("p-ming")])

    assert office.refused("submit_entry", **an_entry("n-2", attachments=[FORM, work])) == "A-07"
    same = {"title": "《茶叶 采摘器》", "entrants": [an_entrant("p-ming")]}
    assert office.refused("submit_entry", **an_entry("n-3", **same)) == "A-07"
    office.submit("n-4", title="茶叶采摘器", entrants=[an_entrant("p-hong")])


@pytest.mark.rule("A-08")
def test_of_many_entries_that_a_unit_nominates_at_once_its_quota_gets_through(office):
    office.open(nomination_quotas=[{"nominating_unit_id": "o-shizhong", "places": 5}])

    outcomes = GreenPool().imap(office.outcome, [f"n-{number}" for number in range(8)])

    assert sorted(outcomes) == ["A-08"] * 3 + ["submitted"] * 5
    office.submit("n-other", nominating_unit_id="o-shawan")
    office.do("withdraw_entry", entry_id=office.entries()[0]["id"], reason="作者要求")
    assert office.submit("n-next")["state"] == "submitted"


# --- the eligibility check --------------------------------------------------------------------------------------------


@pytest.mark.rule("A-29", "A-32", "A-04")
def test_an_entry_is_returned_mended_and_found_eligible(office):
    office.open()
    without = {**an_entrant("p-n-1"), "consent_ref": None}
    office.submit("n-1", entrants=[without])
    assert office.refused("check_eligibility", entry_id="n-1", eligible=True) == "A-29"

    returned = office.do(
        "return_entry", entry_id="n-1", shortcomings=["consent_missing"], correct_by="2011-04-05", note="补同意书"
    )
    assert (returned["state"], returned["shortcomings"]) == ("returned", ["consent_missing"])

    office.at(LAST_SECOND + timedelta(days=5))
    office.do("close_edition", edition_id="e-1")
    more = handed_in("n-1", entrants=[an_entrant("p-n-1"), an_entrant("p-2")])
    assert office.refused("resubmit_entry", entry_id="n-1", **more) == "A-04"
    office.do("resubmit_entry", entry_id="n-1", **handed_in("n-1"))
    assert office.refused("check_eligibility", entry_id="n-1", eligible=False) == "A-32"
    decided = office.do("check_eligibility", entry_id="n-1", eligible=True)
    assert (decided["state"], decided["shortcomings"], decided["similarity"]) == ("eligible", [], None)


@pytest.mark.rule("A-07")
def test_a_work_that_won_in_an_earlier_edition_is_found_and_cannot_be_eligible(office):
    office.open("e-0", edition_no=9)
    office.open()
    again = {"title": "茶叶采摘器", "entrants": [an_entrant("p-ming")]}
    office.submit("n-0", edition_id="e-0", **again)
    office.submit("n-1", **again)
    entries = office.running.database("awards")["entry"]
    entries.update_one({"_id": "n-0"}, {"$set": {"state.state": "awarded"}})

    assert office.refused("check_eligibility", entry_id="n-1", eligible=True) == "A-07"
    decided = office.do("check_eligibility", entry_id="n-1", eligible=False, shortcomings=["awarded_before"])
    assert (decided["state"], decided["prior_entry_ids"]) == ("ineligible", ["n-0"])
    assert (decided["similar_entry_id"], decided["similarity"]) == ("n-0", 100)


@pytest.mark.rule("X-05")
def test_who_submitted_an_entry_does_not_decide_on_it(office):
    office.open()
    office.submit("n-1", by="u-wang")

    assert office.refused("check_eligibility", entry_id="n-1", eligible=True, by="u-wang") == "X-05"


@pytest.mark.rule("X-12")
def test_what_was_found_eligible_is_not_edited_and_what_was_not_is_not_taken_up_again(office):
    office.open()
    office.submit("n-1")
    office.submit("n-2")
    office.do("check_eligibility", entry_id="n-1", eligible=True)
    office.do("check_eligibility", entry_id="n-2", eligible=False, shortcomings=["copied"])

    assert office.refused("resubmit_entry", entry_id="n-1", **handed_in("n-1")) == "X-12"
    assert office.refused("check_eligibility", entry_id="n-2", eligible=True) == "X-12"
    assert office.refused("disqualify_entry", entry_id="n-2", reason="抄袭") == "X-12"


def test_a_recorder_of_one_district_enters_for_it_alone(office):
    office.open()

    with pytest.raises(NotAllowed):
        office.do("submit_entry", at="511181", **an_entry("n-1"))
    assert office.do("submit_entry", at="511102", **an_entry("n-1"))["district"] == "511102"


@pytest.mark.rule("X-08", "A-13", "A-29")
def test_no_answer_and_no_event_tells_who_entered_what_and_under_which_code(office):
    office.open()
    answered = office.submit("n-1", title="茶叶采摘器", entrants=[an_entrant("p-ming", consent_ref="c-guardian")])
    office.do("check_eligibility", entry_id="n-1", eligible=False, shortcomings=["copied"], note="与小红的论文雷同")

    history = office.running.database("awards")["entry"].find_one({"_id": "n-1"})["history"]
    said = str([answered, office.entries(), [entry["view"] for entry in history]])
    assert "'entrant_count': 1" in said
    for private in ("p-ming", "c-guardian", "茶叶", "小红", "f" * 64, office.stored("n-1")["blind_code"]):
        assert private not in said


def edition_like(edition_id, office):
    held = office.running.call("awards", "get_edition", id=edition_id)
    same = ("programme_kind", "level", "edition_no", "year", "host_org_id")
    return {**{name: held[name] for name in same}, **RULES, "categories": [a_category()]}
