"""Judges, conflicts and who scores what, on a real broker and database."""

import pytest
from eventlet import GreenPool

from services.awards.domain.score_sheet import LIFECYCLE, VACANT
from services.chassis.problem import NotAllowed, RefusedByRule
from tests.awards.jury import EDITION, Jury


@pytest.fixture
def jury(running):
    return Jury(running)


AT_SCHOOL = [{"org_id": "s-n-1"}]


# --- judges and conflicts ---------------------------------------------------------------------------------------------


def test_a_judge_is_invited_active_suspended_and_active_again(jury):
    jury.judges("p-luo")
    jury.do("revise_judge", judge_id="p-luo", discipline_codes=["physics"], max_load=3)
    suspended = jury.do("suspend_judge", judge_id="p-luo", reason="出国")

    assert suspended["state"] == "suspended"
    assert jury.do("activate_judge", judge_id="p-luo")["discipline_codes"] == ["physics"]
    assert jury.refused("activate_judge", judge_id="p-luo") == "X-12"


@pytest.mark.rule("A-11")
def test_whoever_works_for_an_entrants_unit_has_nothing_to_do_with_the_entry(jury):
    jury.judges("p-luo", affiliations=AT_SCHOOL)
    jury.judges("p-n-2")

    assert jury.do("compute_conflicts", edition_id=EDITION, judge_id="p-luo")["barred_count"] == 1
    of_author = jury.do("compute_conflicts", edition_id=EDITION, judge_id="p-n-2")
    assert (of_author["state"], of_author["barred_count"]) == ("standing", 1)
    (listed,) = jury.do("conflicts_of", edition_id=EDITION, judge_id="p-luo")["conflicts"]
    assert (listed["entry_id"], listed["conflict_type"], listed["source"]) == ("n-1", "institutional", "auto")


@pytest.mark.rule("A-11")
def test_a_judge_whose_employer_changes_is_looked_at_again_in_every_edition_that_is_not_over(jury):
    jury.judges("p-luo")
    jury.do("affiliate_judge", judge_id="p-luo", affiliations=AT_SCHOOL)
    jury.running.settle()
    assert [state["barred_count"] for _, state in jury.held("conflicts")] == [1]

    jury.do("affiliate_judge", judge_id="p-luo", affiliations=[])
    jury.running.settle()
    assert [state["barred_count"] for _, state in jury.held("conflicts")] == [0]


@pytest.mark.rule("A-10")
def test_a_judge_withdraws_what_was_declared_and_not_what_was_computed_or_pinned(jury):
    jury.judges("p-luo", affiliations=AT_SCHOOL)
    jury.do("compute_conflicts", edition_id=EDITION, judge_id="p-luo")
    relative = {"entry_id": "n-2", "conflict_type": "relative"}
    jury.as_judge("p-luo", "declare_conflict", **relative, note="侄子")

    computed = {"entry_id": "n-1", "conflict_type": "institutional"}
    assert jury.refused("withdraw_conflict", by="p-luo", role="judge", **computed) == "A-10"
    jury.do("pin_conflict", judge_id="p-luo", **relative, reason="本人确认")
    assert jury.refused("withdraw_conflict", by="p-luo", role="judge", **relative) == "A-10"
    jury.do("release_conflict", judge_id="p-luo", **relative, reason="核实无误")
    jury.as_judge("p-luo", "withdraw_conflict", **relative)

    (left,) = jury.as_judge("p-luo", "my_conflicts", edition_id=EDITION)["conflicts"]
    assert left["entry_id"] == "n-1"


@pytest.mark.rule("X-08")
def test_what_a_conflict_is_about_is_told_to_nobody_but_the_chair_and_the_judge(jury):
    jury.judges("p-luo")
    jury.as_judge("p-luo", "declare_conflict", entry_id="n-2", conflict_type="relative", note="侄子")

    told = jury.running.call("awards", "list_conflicts")["items"]
    assert "侄子" not in str(told)
    assert "n-2" not in str(told)
    with pytest.raises(NotAllowed):
        jury.do("conflicts_of", role="recorder", edition_id=EDITION, judge_id="p-luo")
    with pytest.raises(NotAllowed):
        jury.do("conflicts_of", edition_id=EDITION, judge_id="p-luo", at="511102")


# --- assignment -------------------------------------------------------------------------------------------------------


def test_a_proposal_is_its_own_dry_run_and_another_one_takes_its_place(jury):
    jury.judges("p-1", "p-2", "p-3")

    first = jury.propose("p-1", "p-2", per_entry=1)
    second = jury.propose("p-1", "p-2", "p-3")
    jury.running.settle()

    assert (first["seat_count"], second["seat_count"], second["version"]) == (2, 4, 2)
    assert sorted(load["entries"] for load in second["loads"]) == [1, 1, 2]
    assert jury.held("score_sheet") == []


@pytest.mark.rule("A-17")
def test_a_plan_with_fewer_judges_than_scores_are_needed_says_why_and_is_not_confirmed(jury):
    jury.judges("p-1")
    jury.judges("p-2", affiliations=AT_SCHOOL)

    plan = jury.propose("p-1", "p-2")

    assert plan["uncovered_count"] == 1
    assert plan["uncovered"] == [
        {"entry_id": "n-1", "missing": 1, "inactive": 0, "conflict": 1, "colleague": 0, "full": 0}
    ]
    assert jury.refused("confirm_assignment", assignment_id=plan["id"]) == "A-17"


@pytest.mark.rule("A-09")
def test_a_plan_is_not_confirmed_against_a_conflict_that_arose_since(jury):
    jury.judges("p-1", "p-2", "p-3")
    plan = jury.propose("p-1", "p-2")
    jury.as_judge("p-1", "declare_conflict", entry_id="n-1", conflict_type="relative")

    assert jury.refused("confirm_assignment", assignment_id=plan["id"]) == "A-09"
    jury.propose("p-1", "p-2", "p-3")
    jury.confirm()
    assert not jury.held("score_sheet", judge_id="p-1", entry_id="n-1")
    assert len(jury.held("score_sheet", state="sent")) == 4


def test_another_plan_takes_back_what_was_not_begun_and_leaves_what_was(jury):
    jury.judges("p-1", "p-2", "p-3", "p-4")
    jury.propose("p-1", "p-2")
    jury.confirm()
    jury.accept("p-1", "n-1")

    again = jury.propose("p-3", "p-4")
    jury.confirm()

    assert again["held_count"] == 1
    assert jury.state("p-1", "n-1")["state"] == "accepted"
    assert jury.state("p-2", "n-1")["state"] == "cancelled"
    assert len(jury.held("score_sheet", entry_id="n-1", state="sent")) == 1
    assert {state["judge_id"] for _, state in jury.held("score_sheet", entry_id="n-2", state="sent")} == {"p-3", "p-4"}


def test_the_chair_gives_an_entry_to_one_more_judge_whom_no_plan_takes_away(jury):
    jury.judges("p-1", "p-2", "p-3", "p-4")
    jury.propose("p-1", "p-2")
    jury.confirm()
    added = jury.do("assign_judge", entry_id="n-1", judge_id="p-3", round_no=1)
    jury.propose("p-1", "p-2", "p-4", seed=8)
    jury.confirm()

    assert added["state"] == "sent"
    assert jury.state("p-3")["state"] == "sent"


@pytest.mark.rule("A-09")
def test_no_judge_is_named_against_a_conflict_or_when_suspended(jury):
    jury.judges("p-luo", affiliations=AT_SCHOOL)
    jury.judges("p-wu")
    jury.do("suspend_judge", judge_id="p-wu", reason="出国")

    assert jury.refused("assign_judge", entry_id="n-1", judge_id="p-luo", round_no=1) == "A-09"
    assert jury.refused("assign_judge", entry_id="n-1", judge_id="p-wu", round_no=1) == "X-12"


# --- sheets -----------------------------------------------------------------------------------------------------------


@pytest.mark.rule("A-14", "A-15")
def test_scores_are_held_to_the_rubric_and_an_empty_sheet_is_no_abstention(jury):
    jury.seat("p-1", "p-2")
    jury.accept("p-1")
    sheet = {"sheet_id": jury.sheet("p-1")}
    code = "innovation"

    def refused(*given):
        listed = [{"criterion_code": code, "points": points} for code, points in given]
        return jury.refused("submit_score", by="p-1", role="judge", **sheet, scores=listed)

    assert refused() == "A-15"
    assert refused((code, "100.5")) == "A-14"
    assert refused((code, "80.25")) == "A-14"
    assert refused((code, "80"), (code, "90")) == "A-14"
    assert refused((code, "80"), ("beauty", "90")) == "A-14"
    assert jury.score("p-1", points="80.5")["state"] == "scored"
    assert jury.state("p-1")["versions"][0]["values"] == {"innovation": "80.5"}


@pytest.mark.rule("A-14")
def test_nobody_scores_before_the_round_is_open_nor_after_it_was_closed(jury):
    jury.judges("p-1", "p-2")
    jury.propose("p-1", "p-2")
    jury.confirm()
    jury.accept("p-1")
    assert jury.refused_score("p-1") == "A-14"

    jury.open_round()
    jury.score("p-1")
    jury.accept("p-2")
    jury.close_round()
    assert jury.refused_score("p-2") == "A-14"
    assert jury.refused("reopen_score", sheet_id=jury.sheet("p-1"), reason="漏评") == "A-14"


@pytest.mark.rule("A-25")
def test_a_judge_has_nothing_to_do_with_the_sheets_of_others(jury):
    jury.seat("p-1", "p-2")
    jury.accept("p-1")
    other = {"sheet_id": jury.sheet("p-1")}

    for method, more in (
        ("accept_sheet", {}),
        ("submit_score", {"scores": []}),
        ("lock_sheet", {}),
        ("recuse", {"conflict_type": "other", "reason": "无"}),
        ("scores_of_others", {}),
    ):
        assert jury.refused(method, by="p-2", role="judge", **other, **more) == "A-25"


@pytest.mark.rule("A-25")
def test_a_scored_sheet_is_reopened_by_the_chair_and_a_locked_one_by_nobody(jury):
    jury.seat("p-1", "p-2")
    jury.accept("p-1")
    jury.score("p-1", points="80")
    jury.do("reopen_score", sheet_id=jury.sheet("p-1"), reason="漏评一项")
    jury.score("p-1", points="85")
    jury.lock("p-1")

    assert [one["values"]["innovation"] for one in jury.state("p-1")["versions"]] == ["80", "85"]
    assert jury.refused("reopen_score", sheet_id=jury.sheet("p-1"), reason="再看") == "A-25"
    assert jury.refused_score("p-1", points="100") == "A-25"


@pytest.mark.rule("X-01", "A-14")
def test_of_a_score_sent_ten_times_there_is_one_sheet_with_one_outcome(jury):
    jury.seat("p-1", "p-2")
    jury.accept("p-1")

    def send(number):
        try:
            return jury.score("p-1", points=str(80 + number // 10), command_id=f"c-{number // 10}")["version"]
        except RefusedByRule as refused:
            return refused.code

    outcomes = list(GreenPool().imap(send, range(20)))  # two commands, ten times each

    assert sorted(map(str, outcomes)) == ["3"] * 10 + ["X-12"] * 10
    assert len(jury.state("p-1")["versions"]) == 1
    assert len(jury.held("score_sheet", judge_id="p-1", entry_id="n-1")) == 1


def test_a_round_goes_from_the_proposal_to_the_list_of_those_who_go_on(jury):
    jury.seat("p-1", "p-2")
    for judge_id, entry_id, points in (("p-1", "n-1", "70"), ("p-1", "n-2", "80"), ("p-2", "n-1", "90")):
        jury.finish(judge_id, entry_id, points)
    jury.accept("p-2", "n-2")
    assert jury.refused("close_round", round_id=f"{EDITION}.r1") == "A-17"

    jury.score("p-2", "n-2", "85")
    jury.do("close_round", round_id=f"{EDITION}.r1")
    jury.running.settle()

    assert {state["state"] for _, state in jury.held("score_sheet")} == {"locked"}
    results = {state["entry_id"]: (state["rank"], state["raw_mean"]) for _, state in jury.held("entry_result")}
    assert results == {"n-1": (2, "80.0000"), "n-2": (1, "82.5000")}
    assert jury.refused("reopen_score", sheet_id=jury.sheet("p-2", "n-2"), reason="再看") == "A-25"


@pytest.mark.rule("A-15")
def test_a_recusal_and_a_score_at_the_same_moment_have_one_outcome(jury):
    jury.seat("p-1", "p-2")
    jury.accept("p-1")
    recusal = {"sheet_id": jury.sheet("p-1"), "conflict_type": "relative", "reason": "亲属"}

    def try_it(do):
        try:
            return do()["state"]
        except RefusedByRule as refused:
            return refused.code

    outcomes = list(
        GreenPool().imap(try_it, [lambda: jury.score("p-1"), lambda: jury.as_judge("p-1", "recuse", **recusal)])
    )
    jury.running.settle()

    assert outcomes[1] == "recused"
    assert outcomes[0] in ("scored", "X-12", "A-09")  # before it, or too late
    assert jury.state("p-1")["state"] == "recused"
    assert [one["state"]["barred_count"] for one in jury.running.database("awards")["conflicts"].find()] == [1]


@pytest.mark.rule("A-09")
def test_whoever_recused_is_replaced_by_another_judge_and_not_asked_again(jury):
    jury.seat("p-1", "p-2")
    jury.judges("p-3")
    jury.judges("p-4", affiliations=AT_SCHOOL)
    sheet = {"sheet_id": jury.sheet("p-1")}
    jury.as_judge("p-1", "recuse", **sheet, conflict_type="relative", reason="亲属")
    jury.running.settle()

    assert jury.refused("replace_judge", **sheet, judge_id="p-1") == "A-09"
    assert jury.refused("replace_judge", **sheet, judge_id="p-4") == "A-09"
    replaced = jury.do("replace_judge", **sheet, judge_id="p-3")
    jury.running.settle()
    assert (replaced["state"], replaced["substitute_id"]) == ("replaced", "p-3")
    assert jury.state("p-3")["state"] == "sent"
    plan = jury.propose("p-1", "p-2", "p-3")
    assert (plan["uncovered_count"], plan["state"]) == (0, "proposed")
    jury.confirm()
    assert jury.state("p-1")["state"] == "replaced"


@pytest.mark.rule("A-09", "A-11")
def test_of_a_judge_who_changes_employer_in_mid_round_a_begun_sheet_is_flagged_and_another_one_cancelled(running):
    jury = Jury(running, entries=("n-1", "n-2", "n-3"))
    jury.seat("p-1", "p-2")
    jury.finish("p-1", "n-1")
    jury.accept("p-1", "n-2")
    schools = [{"org_id": f"s-{entry}", "starts_on": "2011-04-12"} for entry in ("n-1", "n-2", "n-3")]

    jury.do("affiliate_judge", judge_id="p-1", affiliations=schools)
    jury.running.settle()

    now = {entry: jury.state("p-1", entry) for entry in ("n-1", "n-2", "n-3")}
    assert {entry: (one["state"], one["in_conflict"]) for entry, one in now.items()} == {
        "n-1": ("locked", True),
        "n-2": ("accepted", True),
        "n-3": ("cancelled", False),
    }
    assert jury.refused_score("p-1", "n-2") == "A-09"
    recused = jury.do("recuse_judge", sheet_id=jury.sheet("p-1", "n-2"), conflict_type="institutional", reason="调入")
    assert recused["state"] == "recused"


@pytest.mark.rule("A-10")
def test_what_a_judge_recused_for_is_the_judge_s_to_withdraw_unless_the_chair_saw_to_it(jury):
    jury.seat("p-1", "p-2")
    told = {"conflict_type": "collaborator", "reason": "曾共同署名"}
    jury.as_judge("p-1", "recuse", sheet_id=jury.sheet("p-1"), **told)
    jury.do("recuse_judge", sheet_id=jury.sheet("p-2"), **told)
    jury.running.settle()
    withdrawal = {"entry_id": "n-1", "conflict_type": "collaborator", "role": "judge"}

    assert jury.do("withdraw_conflict", by="p-1", **withdrawal)["state"] == "clear"
    assert jury.refused("withdraw_conflict", by="p-2", **withdrawal) == "A-10"


def put_into(jury, state):
    """The first judge's sheet of a confirmed plan in this state; the versions of all sheets."""
    jury.judges("p-1", "p-2")
    jury.propose("p-1", "p-2")
    jury.confirm()
    sheets = jury.running.database("awards")["score_sheet"]
    sheets.update_one({"_id": jury.sheet("p-1")}, {"$set": {"state.state": state}})
    return versions(jury)


def versions(jury):
    return {one["_id"]: one["version"] for one in jury.running.database("awards")["score_sheet"].find()}


@pytest.mark.parametrize("state", LIFECYCLE.states)
def test_a_plan_that_is_heard_of_twice_changes_nothing(jury, state):
    before = put_into(jury, state)

    jury.hear_again("assignment", f"{EDITION}.1")

    assert versions(jury) == before
    assert len(before) == 4


@pytest.mark.parametrize("state", [state for state in LIFECYCLE.states if state not in ("recused", "replaced")])
def test_the_same_plan_confirmed_again_sends_what_is_vacant_and_leaves_everything_else(jury, state):
    before = put_into(jury, state)

    jury.propose("p-1", "p-2")
    jury.confirm()

    assert {id_ for id_, version in versions(jury).items() if version != before[id_]} == (
        {jury.sheet("p-1")} if state in VACANT else set()
    )
    assert jury.state("p-1")["state"] == ("sent" if state in VACANT else state)
