"""The rules of score sheets: from the proposal to the locked scores."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.awards.domain import score_sheet
from services.awards.domain.conflict import Conflicts, ConflictStands
from services.awards.domain.score_sheet import (
    LIFECYCLE,
    STARTED,
    VACANT,
    Locked,
    OthersSheet,
    RecusedWithoutReason,
    ReopenedByJudge,
    ReplacedByRecused,
    RoundClosed,
    ScoreSheet,
    drop,
    follow_conflicts,
    require_own,
    seat_if_vacant,
    sheet_id,
)
from services.awards.domain.sheet import OffScale
from services.kernel import ForbiddenMove, Refusal
from tests.awards.judging import A_RUBRIC, NO_CONFLICTS, NOW, WITH_A_CONFLICT, a_conflict, a_sheet, conflicts, scores


def score(sheet, **changes):
    usual = {
        "values": scores(),
        "rubric": A_RUBRIC,
        "conflicts": NO_CONFLICTS,
        "round_closed": False,
        "by": "u-luo",
    }
    return score_sheet.score(sheet, **{**usual, **changes})


def reopen(sheet, **changes):
    return score_sheet.reopen(sheet, **{"reason": "漏评一项", "round_closed": False, "by": "u-chair", **changes})


def recuse(sheet, reason="曾共同署名"):
    return score_sheet.recuse(sheet, conflict_type="collaborator", reason=reason, by="p-luo")


def hand_over(sheet, *, to="p-wu", **changes):
    theirs = Conflicts(edition_id="d-26", judge_id=to)
    return score_sheet.hand_over(sheet, to=to, **{"conflicts": theirs, **changes})


COMMANDS = {
    "proposed": lambda sheet: score_sheet.assign_again(sheet, conflicts=NO_CONFLICTS),
    "sent": lambda sheet: score_sheet.send(sheet, conflicts=NO_CONFLICTS),
    "accepted": lambda sheet: score_sheet.accept(sheet, conflicts=NO_CONFLICTS),
    "cancelled": lambda sheet: score_sheet.cancel(sheet, reason="换人"),
    "scored": score,
    "reopened": reopen,
    "locked": lambda sheet: score_sheet.lock(sheet, now=NOW),
    "recused": recuse,
    "replaced": hand_over,
}

states = st.sampled_from(LIFECYCLE.states)


@pytest.mark.rule("X-12", "A-25")
@pytest.mark.parametrize("state", LIFECYCLE.states)
@pytest.mark.parametrize("to", COMMANDS)
def test_a_state_allows_its_own_moves_and_refuses_all_others(state, to):
    sheet = a_sheet(state=state)

    if to in LIFECYCLE.moves.get(state, ()):
        change = COMMANDS[to](sheet)
        assert (change.record.state, change.happened) == (to, to)
    else:
        with pytest.raises(Locked if state == "locked" else ForbiddenMove):
            COMMANDS[to](sheet)


def test_every_move_has_a_command_and_what_is_locked_or_replaced_is_over():
    assert {to for targets in LIFECYCLE.moves.values() for to in targets} == set(COMMANDS)
    assert set(LIFECYCLE.terminal) == {"locked", "replaced"}


def test_a_judge_has_one_sheet_for_each_entry_and_round():
    first = sheet_id(edition_id="d-26", round_no=1, entry_id="e-1", judge_id="p-luo")

    assert first == sheet_id(edition_id="d-26", round_no=1, entry_id="e-1", judge_id="p-luo")
    assert first != sheet_id(edition_id="d-26", round_no=2, entry_id="e-1", judge_id="p-luo")


@pytest.mark.rule("A-09")
def test_no_way_to_a_score_leads_past_a_conflict():
    ways = {
        "assign": lambda held: score_sheet.assign(
            edition_id="d-26", round_no=1, entry_id="e-1", judge_id="p-luo", conflicts=held
        ),
        "assign_again": lambda held: score_sheet.assign_again(a_sheet(state="cancelled"), conflicts=held),
        "send": lambda held: score_sheet.send(a_sheet(state="proposed"), conflicts=held),
        "accept": lambda held: score_sheet.accept(a_sheet(state="sent"), conflicts=held),
        "score": lambda held: score(a_sheet(state="accepted"), conflicts=held),
        "score again": lambda held: score(a_sheet(state="reopened"), conflicts=held),
    }
    elsewhere = conflicts(a_conflict(entry_id="e-2"))

    for way in ways.values():
        with pytest.raises(ConflictStands, match="judge_id=p-luo, entry_id=e-1"):
            way(WITH_A_CONFLICT)
        assert way(elsewhere).record.entry_id == "e-1"


@pytest.mark.rule("A-14")
def test_after_the_round_was_closed_nothing_is_scored_or_reopened():
    for command, state in ((score, "accepted"), (score, "reopened"), (reopen, "scored")):
        with pytest.raises(RoundClosed, match="round_no=1"):
            command(a_sheet(state=state), round_closed=True)

        assert command(a_sheet(state=state), round_closed=False).record.state in ("scored", "reopened")


def test_a_reopened_sheet_keeps_what_it_said_and_says_the_newest():
    first = score(a_sheet(state="accepted"), values=scores(idea="8")).record
    second = score(reopen(first).record, values=scores(idea="9"), comment="重读后上调").record

    assert [version.values["idea"] for version in second.versions] == [8, 9]
    assert second.scores == scores(idea="9")
    assert second.versions[0] == first.versions[0]


def test_scores_that_change_elsewhere_later_do_not_change_in_the_sheet():
    told = scores(idea="8")
    scored = score(a_sheet(state="accepted"), values=told).record

    told["idea"] += 1

    assert scored.scores == scores(idea="8")


def test_a_sheet_that_was_not_scored_says_nothing_rather_than_0():
    assert a_sheet().scores == {}


@pytest.mark.rule("A-25")
def test_a_sheet_is_reopened_by_anybody_but_whoever_scored_it():
    scored = score(a_sheet(state="accepted"), by="u-luo").record

    with pytest.raises(ReopenedByJudge, match="by=u-luo"):
        reopen(scored, by="u-luo")
    assert reopen(scored, by="u-chair").reason == "漏评一项"


@pytest.mark.rule("A-25")
@given(steps=st.lists(st.sampled_from(list(COMMANDS))), held=st.sampled_from([NO_CONFLICTS, WITH_A_CONFLICT]))
def test_nothing_changes_the_scores_of_a_locked_sheet(steps, held):
    locked = score_sheet.lock(a_sheet(state="scored"), now=NOW).record

    for step in steps:
        with pytest.raises(Locked, match="entry_id=e-1"):
            COMMANDS[step](locked)
    followed = follow_conflicts(locked, held)
    now = followed.record if followed else locked

    assert (now.versions, now.state, now.locked_at) == (locked.versions, "locked", NOW)


@pytest.mark.rule("A-15")
@pytest.mark.parametrize("blank", ["", " ", "\u3000\n"])
def test_a_recusal_states_its_reason_which_stays_out_of_the_record(blank):
    with pytest.raises(RecusedWithoutReason):
        recuse(a_sheet(state="sent"), reason=blank)

    recused = recuse(a_sheet(state="sent"), reason="曾共同署名")
    assert (recused.record.recused_for, recused.reason) == ("collaborator", "曾共同署名")
    assert "署名" not in str(recused.record)


@pytest.mark.rule("A-15")
def test_a_recusal_counts_as_no_score_whatever_the_sheet_said():
    recused = recuse(a_sheet(state="scored")).record

    assert recused.versions
    assert not recused.counts


@pytest.mark.rule("A-09")
def test_whoever_recused_is_substitute_id_somebody_else():
    with pytest.raises(ReplacedByRecused):
        hand_over(a_sheet(state="recused"), to="p-luo")

    assert hand_over(a_sheet(state="recused"), to="p-wu").record.substitute_id == "p-wu"


@pytest.mark.rule("A-09")
@pytest.mark.parametrize("state", LIFECYCLE.states)
def test_a_new_conflict_cancels_what_was_not_begun_and_flags_what_was(state):
    change = follow_conflicts(a_sheet(state=state), WITH_A_CONFLICT)

    if state in ("proposed", "sent"):
        assert (change.happened, change.record.state) == ("cancelled", "cancelled")
    elif state in STARTED:
        assert (change.happened, change.record.state, change.record.flagged) == ("flagged", state, "institutional")
    else:
        assert change is None


@given(state=states, heard=st.lists(st.sampled_from([NO_CONFLICTS, WITH_A_CONFLICT]), min_size=1))
def test_a_begun_sheet_is_flagged_by_what_was_heard_last_and_hearing_it_twice_changes_nothing(state, heard):
    sheet = a_sheet(state=state)
    for held in heard:
        change = follow_conflicts(sheet, held)
        sheet = change.record if change else sheet
        assert follow_conflicts(sheet, held) is None

    if state in STARTED:
        assert sheet.flagged == heard[-1].type_with("e-1")


def test_a_locked_sheet_counts_unless_it_should_never_have_been_scored():
    counting = [state for state in LIFECYCLE.states if a_sheet(state=state).counts]
    flagged = follow_conflicts(a_sheet(state="locked"), WITH_A_CONFLICT).record

    assert counting == ["locked"]
    assert not flagged.counts
    assert follow_conflicts(flagged, NO_CONFLICTS).record.counts


@given(steps=st.lists(st.sampled_from(list(COMMANDS)), max_size=12))
def test_whatever_is_commanded_no_version_is_ever_lost(steps):
    sheet, said = a_sheet(), []
    for step in steps:
        try:
            sheet = COMMANDS[step](sheet).record
        except Refusal:
            continue
        assert list(sheet.versions[: len(said)]) == said
        said = list(sheet.versions)


@pytest.mark.parametrize("state", LIFECYCLE.states)
def test_a_sheet_is_read_as_it_was_written(state):
    sheet = a_sheet(state=state, locked_at=NOW)

    assert msgspec.convert(msgspec.to_builtins(sheet), type=ScoreSheet) == sheet


@pytest.mark.rule("A-25")
def test_a_sheet_is_its_own_judge_s():
    with pytest.raises(OthersSheet, match="by=p-wu"):
        require_own(a_sheet(), by="p-wu")

    require_own(a_sheet(), by="p-luo")


@pytest.mark.rule("A-14")
def test_scores_are_held_to_the_rubric():
    with pytest.raises(OffScale):
        score(a_sheet(state="accepted"), values=scores(idea="10.5"))

    assert score(a_sheet(state="accepted"), values=scores(idea="10")).record.times_scored == 1


@pytest.mark.parametrize("state", LIFECYCLE.states)
def test_a_plan_sends_what_is_vacant_and_drops_what_was_told_and_not_begun(state):
    of = {"edition_id": "d-26", "round_no": 1, "entry_id": "e-1", "judge_id": "p-luo", "conflicts": NO_CONFLICTS}
    held = a_sheet(state=state)

    sent, dropped = seat_if_vacant(held, **of), drop(held)

    assert (sent and sent.record.state) == ("sent" if state in VACANT else None)
    assert (dropped and dropped.record.state) == ("cancelled" if state in ("proposed", "sent") else None)
    assert drop(a_sheet(state="sent", by_chair=True)) is None
    assert seat_if_vacant(None, **of).happened == "sent"


@pytest.mark.rule("A-09")
def test_nobody_is_named_in_the_place_of_a_judge_against_a_conflict():
    theirs = Conflicts(edition_id="d-26", judge_id="p-wu", conflicts=(a_conflict(),))

    with pytest.raises(ConflictStands, match="judge_id=p-wu"):
        hand_over(a_sheet(state="recused"), conflicts=theirs)
