"""A judge changes employer in the middle of a round (acceptance scenario 1, F6), by the rules alone."""

import pytest

from services.awards.domain import score_sheet
from services.awards.domain.assignment import Pair, propose
from services.awards.domain.conflict import Conflicts, ConflictStands, compute, declare, recompute
from services.awards.domain.judge import Affiliation, affiliate
from services.awards.domain.score_sheet import follow_conflicts
from tests.awards.judging import A_DAY, A_RUBRIC, a_judge, an_entry, scores

TRANSFERRED = {"conflict_type": "institutional", "reason": "评审期间调入", "by": "u-chair"}
SCHOOLS = ["o-first", "o-second", "o-third"]
ENTRIES = [an_entry(f"e-{number:02}", unit_ids={SCHOOLS[number % 3]}) for number in range(12)]
OF_SECOND = {entry.entry_id for entry in ENTRIES if "o-second" in entry.unit_ids}


def works_for(*org_ids):
    return tuple(Affiliation(org_id=org_id) for org_id in org_ids)


def known_conflicts(judges):
    """Computed for each judge of the edition."""
    found = {}
    for judge in judges:
        nothing = Conflicts(edition_id="d-26", judge_id=judge.person_id)
        change = recompute(nothing, compute(judge, ENTRIES, on=A_DAY))
        found[judge.person_id] = change.record if change else nothing
    return found


def proposed(judges, conflicts, held=()):
    return propose(
        {entry.entry_id: None for entry in ENTRIES},
        judges,
        conflicts=frozenset().union(*(of_judge.pairs for of_judge in conflicts.values())),
        per_entry=2,
        held=held,
        seed=26,
    )


def a_scored_sheet(pair, conflicts):
    held = conflicts[pair.judge_id]
    sheet = score_sheet.assign(
        edition_id="d-26", round_no=1, entry_id=pair.entry_id, judge_id=pair.judge_id, conflicts=held
    ).record
    sheet = score_sheet.accept(score_sheet.send(sheet, conflicts=held).record, conflicts=held).record
    how = {"values": scores(), "rubric": A_RUBRIC, "round_closed": False}
    return score_sheet.score(sheet, conflicts=held, by=pair.judge_id, **how).record


@pytest.mark.rule("A-09", "A-11", "A-15")
def test_a_judge_who_joins_an_entrants_school_is_flagged_recuses_and_is_replaced():
    judges = [a_judge(f"p-{number}", affiliations=()) for number in range(3)]
    judges.append(a_judge("p-teacher", affiliations=works_for("o-first")))
    conflicts = known_conflicts(judges)
    proposal = proposed(judges, conflicts)
    sheets = {pair: a_scored_sheet(pair, conflicts) for pair in proposal.pairs}
    moved = next(
        pair.judge_id for pair in proposal.pairs if pair.entry_id in OF_SECOND and pair.judge_id != "p-teacher"
    )

    with pytest.raises(ConflictStands, match="judge_id=p-teacher, entry_id=e-00, conflict_type=institutional"):
        a_scored_sheet(Pair("p-teacher", "e-00"), conflicts)

    judges = [
        affiliate(judge, affiliations=works_for("o-second")).record if judge.person_id == moved else judge
        for judge in judges
    ]
    conflicts = known_conflicts(judges)
    flagged = {pair for pair, sheet in sheets.items() if follow_conflicts(sheet, conflicts[pair.judge_id])}
    assert flagged == {pair for pair in proposal.pairs if pair.judge_id == moved and pair.entry_id in OF_SECOND}

    again = proposed(judges, conflicts, held=proposal.pairs)
    assert set(again.struck) == flagged
    assert {pair.entry_id for pair in again.added} == {pair.entry_id for pair in flagged}
    assert again.uncovered == ()

    for pair in flagged:
        recused = score_sheet.recuse(sheets[pair], **TRANSFERRED).record
        (substitute,) = (added.judge_id for added in again.added if added.entry_id == pair.entry_id)
        assert (
            score_sheet.hand_over(recused, to=substitute, conflicts=conflicts[substitute]).record.substitute_id
            == substitute
        )


@pytest.mark.rule("A-09")
def test_whoever_recused_for_a_reason_of_their_own_is_not_proposed_again():
    judges = [a_judge(f"p-{number}", affiliations=()) for number in range(3)]
    conflicts = known_conflicts(judges)
    pair = proposed(judges, conflicts).pairs[0]

    recused = score_sheet.recuse(
        a_scored_sheet(pair, conflicts), conflict_type="relative", reason="亲属关系", by="p-0"
    ).record
    told = declare(conflicts[pair.judge_id], entry_id=recused.entry_id, conflict_type=recused.recused_for).record

    assert pair not in proposed(judges, {**conflicts, pair.judge_id: told}).pairs
