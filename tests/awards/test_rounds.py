"""Rounds of judging on a real broker and database: from the first score to the list of those who go on."""

from datetime import datetime, time

import pytest
from eventlet import GreenPool

from services.chassis.problem import RefusedByRule
from services.kernel.calendar import SHANGHAI
from tests.awards.jury import EDITION, Jury
from tests.awards.rounds import TWO_ROUNDS

ROUND = "r-1"
A_VOTE = {"category_code": "innovation", "order": ["n-2", "n-1"], "minute_no": "评委会纪要〔2011〕3号"}


@pytest.fixture
def jury(running):
    return Jury(running)


def start(jury, round_id=ROUND, round_no=1):
    jury.do("start_round", round_id=round_id, edition_id=EDITION, round_no=round_no)
    jury.running.settle()


def seat(jury, *judge_ids, round_no=1):
    """Judges who were told, in a round that was started."""
    jury.judges(*(one for one in judge_ids if not jury.held("judge", person_id=one)))
    jury.propose(*judge_ids, round_no=round_no)
    jury.do("confirm_assignment", assignment_id=f"{EDITION}.{round_no}")
    jury.running.settle()
    start(jury, f"r-{round_no}", round_no)


def score(jury, table, *, round_no=1):
    """Accepted and scored, by `{judge: {entry: points}}`."""
    for judge_id, given in table.items():
        for entry_id, points in given.items():
            ((sheet_id, _),) = jury.held("score_sheet", judge_id=judge_id, entry_id=entry_id, round_no=round_no)
            jury.as_judge(judge_id, "accept_sheet", sheet_id=sheet_id)
            scores = [{"criterion_code": "innovation", "points": points}]
            jury.as_judge(judge_id, "submit_score", sheet_id=sheet_id, scores=scores)


def close(jury, round_id=ROUND):
    jury.do("close_round", round_id=round_id)
    jury.running.settle()
    return jury.do("get_round", id=round_id)


def states(jury):
    return {id_: state["state"] for id_, state in jury.held("entry")}


def results(jury):
    return {
        one["entry_id"]: (one["rank"], one["decided_by"], one["state"])
        for one in jury.do("list_entry_results", filter={"round_no": 1})["items"]
    }


CLEAR = {"p-luo": {"n-1": "90", "n-2": "80"}, "p-tan": {"n-1": "88", "n-2": "82"}}
TIED = {"p-luo": {"n-1": "90", "n-2": "80"}, "p-tan": {"n-1": "80", "n-2": "90"}}


@pytest.mark.rule("A-33", "A-17")
def test_a_round_waits_for_decisions_and_for_judges(jury):
    assert jury.refused("start_round", edition_id=EDITION, round_no=1) == "A-17"
    jury.enter("n-3")
    assert jury.refused("start_round", edition_id=EDITION, round_no=1) == "A-33"


def test_a_started_round_brings_its_edition_and_its_entries_into_review(jury):
    seat(jury, "p-luo", "p-tan")

    assert jury.do("get_edition", id=EDITION)["state"] == "judging"
    assert states(jury) == {"n-1": "in_review", "n-2": "in_review"}
    assert jury.refused("revise_edition", edition_id=EDITION, reason="改分值", **as_stated(jury)) == "X-12"


@pytest.mark.rule("X-12")
def test_rules_and_entries_are_fixed_from_the_start_of_a_round_whether_or_not_the_edition_has_heard_of_it(jury):
    seat(jury, "p-luo", "p-tan")
    jury.running.database("awards")["edition"].update_one({"_id": EDITION}, {"$set": {"state.state": "eligibility"}})
    jury.running.database("awards")["entry"].update_many({}, {"$set": {"state.state": "eligible"}})

    assert jury.refused("revise_edition", edition_id=EDITION, reason="改分值", **as_stated(jury)) == "X-12"
    assert jury.refused("withdraw_entry", role="recorder", entry_id="n-1", reason="作者退出") == "X-12"


def test_a_closed_round_locks_its_sheets_and_says_what_everybody_can_compute_again(jury):
    seat(jury, "p-luo", "p-tan")
    score(jury, CLEAR)

    closed = close(jury)

    assert (closed["state"], closed["method"], closed["advanced_ids"]) == ("closed", "mean", ["n-1", "n-2"])
    assert {state["state"] for _, state in jury.held("score_sheet")} == {"locked"}
    assert states(jury) == {"n-1": "proposed", "n-2": "proposed"}
    assert jury.do("get_edition", id=EDITION)["state"] == "deliberation"
    assert results(jury) == {"n-1": (1, "adjusted_mean", "standing"), "n-2": (2, "adjusted_mean", "standing")}
    again = jury.do("compute_results", round_id=ROUND)
    assert (again["stands"], again["inputs_hash"]) == (True, closed["inputs_hash"])
    assert [one["adjusted"] for one in again["results"]] == ["89.0000", "81.0000"]


@pytest.mark.rule("A-14")
def test_nobody_scores_in_a_closed_round(jury):
    seat(jury, "p-luo", "p-tan", "p-wen")
    seated = [(state["judge_id"], state["entry_id"]) for _, state in jury.held("score_sheet")]
    for judge_id, entry_id in seated:
        jury.accept(judge_id, entry_id)
        jury.score(judge_id, entry_id)
    late = jury.do("assign_judge", entry_id="n-1", judge_id=absent(seated, "n-1"), round_no=1)
    jury.as_judge(late["judge_id"], "accept_sheet", sheet_id=late["id"])
    close(jury)

    assert jury.refused_score(late["judge_id"]) == "A-14"


@pytest.mark.rule("A-17")
def test_a_round_goes_on_while_an_entry_has_too_few_scores(jury):
    seat(jury, "p-luo", "p-tan")
    score(jury, {"p-luo": CLEAR["p-luo"]})

    assert jury.refused("close_round", round_id=ROUND) == "A-17"
    assert jury.do("get_round", id=ROUND)["state"] == "open"


@pytest.mark.rule("A-19")
def test_the_committee_resolves_a_tie_and_the_result_names_it(jury):
    seat(jury, "p-luo", "p-tan")
    score(jury, TIED)
    close(jury)
    assert results(jury)["n-1"] == (1, None, "standing")

    jury.do("resolve_tie", round_id=ROUND, **A_VOTE)
    jury.running.settle()

    assert results(jury) == {"n-2": (1, "committee", "standing"), "n-1": (2, "committee", "standing")}
    assert jury.refused("resolve_tie", round_id=ROUND, **A_VOTE) == "A-19"


@pytest.mark.rule("A-12")
def test_a_judge_who_is_of_the_staff_too_computes_nothing_before_the_own_sheets_are_locked(jury):
    seat(jury, "p-luo", "p-tan")
    score(jury, CLEAR)

    assert jury.refused("compute_results", by="p-luo", round_id=ROUND) == "A-12"
    assert jury.do("compute_results", round_id=ROUND)["results"]
    close(jury)
    assert jury.do("compute_results", by="p-luo", round_id=ROUND)["stands"]


def test_a_reopened_round_is_judged_on_and_computed_anew(jury):
    seat(jury, "p-luo", "p-tan")
    score(jury, CLEAR)
    before = close(jury)

    jury.do("reopen_round", round_id=ROUND, reason="评委回避")
    jury.running.settle()
    assert states(jury) == {"n-1": "in_review", "n-2": "in_review"}
    assert jury.do("get_edition", id=EDITION)["state"] == "judging"
    assert {state for _, _, state in results(jury).values()} == {"void"}
    jury.judges("p-wen")
    jury.do("assign_judge", entry_id="n-2", judge_id="p-wen", round_no=1)
    jury.running.settle()
    score(jury, {"p-wen": {"n-2": "100"}})
    after = close(jury)

    assert after["inputs_hash"] != before["inputs_hash"]
    assert {state for _, _, state in results(jury).values()} == {"standing"}


@pytest.mark.rule("A-33")
def test_an_entry_that_was_found_eligible_late_is_taken_up_by_the_first_round(jury):
    seat(jury, "p-luo", "p-tan")
    jury.enter("n-3")
    assert jury.refused("close_round", round_id=ROUND) == "A-33"

    jury.do("check_eligibility", by="u-wang", role="verifier", entry_id="n-3", eligible=True)
    jury.running.settle()

    assert states(jury)["n-3"] == "in_review"
    score(jury, CLEAR)
    assert jury.refused("close_round", round_id=ROUND) == "A-17"


def test_half_go_on_to_a_second_round_which_weighs_more(running):
    jury = Jury(running, entries=("n-1", "n-2", "n-3", "n-4"), rounds=TWO_ROUNDS)
    seat(jury, "p-luo", "p-tan")
    first = {"n-1": "90", "n-2": "80", "n-3": "70", "n-4": "60"}
    score(jury, {"p-luo": first, "p-tan": first})
    assert close(jury)["advanced_ids"] == ["n-1", "n-2"]
    assert states(jury) == {"n-1": "shortlisted", "n-2": "shortlisted", "n-3": "eliminated", "n-4": "eliminated"}

    jury.running.clock.now = lambda: on(TWO_ROUNDS[1].judge_from)
    seat(jury, "p-luo", "p-tan", round_no=2)
    assert states(jury) == {"n-1": "in_review", "n-2": "in_review", "n-3": "eliminated", "n-4": "eliminated"}
    second = {"n-1": "50", "n-2": "70"}
    score(jury, {"p-luo": second, "p-tan": second}, round_no=2)
    closed = close(jury, "r-2")

    assert (closed["is_last"], closed["advanced_ids"], closed["eliminated_count"]) == (True, ["n-1", "n-2"], 0)
    again = jury.do("compute_results", round_id="r-2")["results"]
    assert [(one["entry_id"], one["adjusted"]) for one in again] == [("n-2", "72.5000"), ("n-1", "60.0000")]
    assert jury.refused("reopen_round", round_id=ROUND, reason="重审") == "X-04"


def test_two_chairs_who_close_a_round_at_the_same_moment_close_it_once(jury):
    seat(jury, "p-luo", "p-tan")
    score(jury, CLEAR)

    outcomes = at_once(jury, 10, "close_round", round_id=ROUND)
    jury.running.settle()

    assert sorted(outcomes) == ["X-12"] * 9 + ["closing"]
    assert jury.do("get_round", id=ROUND)["version"] == 3  # started, closing, closed


def as_stated(jury):
    """The rules of the edition as `revise_edition` takes them."""
    held = jury.do("get_edition", id=EDITION)
    names = (
        "submit_from", "submit_to", "judge_from", "judge_to", "categories", "award_cap_percent", "tie_break",
        "tie_policy", "normalisation", "publicity_days", "publicity_unit", "revocation_days",
    )  # fmt: skip
    return {name: held[name] for name in names}


def absent(seated, entry_id):
    """The judge who does not score an entry."""
    return next(one for one in ("p-luo", "p-tan", "p-wen") if (one, entry_id) not in seated)


def on(day):
    return datetime.combine(day, time(9), tzinfo=SHANGHAI)


def at_once(jury, times, method, **arguments):
    """What became of a command that several give at once: the state that it led to, or the rule that refused it."""

    def outcome(number):
        try:
            return jury.do(method, by=f"u-chair-{number}", **arguments)["state"]
        except RefusedByRule as refused:
            return refused.code

    return list(GreenPool(times).imap(outcome, range(times)))
