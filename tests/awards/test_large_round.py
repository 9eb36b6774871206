"""A round of a large contest: 1,620 entries, 60 judges, three for each entry, through the real service."""

from collections import Counter
from time import perf_counter

import pytest

from services import contract
from services.awards.domain.conflict import Conflict, Conflicts
from services.awards.domain.judge import Affiliation, Judge
from tests.awards.jury import EDITION, Jury, an_eligible_entry

ENTRIES, JUDGES, EACH = 1_620, 60, 3
WITHIN = 300.0  # seconds, on a machine that does much else besides


def a_judge(number):
    """Of a unit that two judges share, and that is the school of some entries."""
    return Judge(
        person_id=f"p-{number}",
        discipline_codes=(),
        max_load=100,
        affiliations=(Affiliation(org_id=f"s-{number // 2}"),),
        state="active",
    )


def declared(number):
    """With every entry that leaves the rest 7 when it is divided by the judges."""
    entries = range(number * 7 % JUDGES, ENTRIES, JUDGES)
    told = [Conflict(entry_id=f"n-{entry}", conflict_type="relative", source="declared") for entry in entries]
    return Conflicts(edition_id=EDITION, judge_id=f"p-{number}", conflicts=tuple(told))


@pytest.mark.rule("A-09")
@pytest.mark.timeout(WITHIN)
def test_1620_entries_are_given_to_60_judges_without_conflict_and_evenly(running):
    jury = Jury(running, entries=(), min_scores=EACH)
    entries = {f"n-{number}": an_eligible_entry(f"n-{number}", unit_id=f"s-{number % 90}") for number in range(ENTRIES)}
    judges, told = range(JUDGES), {f"{EDITION}.p-{number}": declared(number) for number in range(JUDGES)}
    jury.keep(contract.awards.Entry.kind, entries, "decided")
    jury.keep(contract.awards.Judge.kind, {f"p-{number}": a_judge(number) for number in judges}, "activated")
    jury.keep(contract.awards.Conflicts.kind, told, "declared")

    begun = perf_counter()
    plan = jury.propose(*(f"p-{number}" for number in judges), per_entry=EACH)
    proposed = perf_counter()
    jury.do("confirm_assignment", assignment_id=plan["id"])
    jury.running.settle(WITHIN)
    print(f"proposed in {proposed - begun:.1f} s, told in {perf_counter() - proposed:.1f} s")  # noqa: T201 - what was measured

    sheets = [state for _, state in jury.held("score_sheet")]
    loads = Counter(sheet["judge_id"] for sheet in sheets)
    seats = Counter(sheet["entry_id"] for sheet in sheets)
    assert (len(sheets), {sheet["state"] for sheet in sheets}) == (ENTRIES * EACH, {"sent"})
    assert seats == dict.fromkeys(entries, EACH)
    assert max(loads.values()) - min(loads.values()) <= 1
    assert (plan["uncovered_count"], plan["seat_count"]) == (0, ENTRIES * EACH)
    assert not [one for one in sheets if is_in_conflict(one)]
    assert not [entry for entry in entries if colleagues(sheet for sheet in sheets if sheet["entry_id"] == entry)]


def is_in_conflict(sheet):
    judge, entry = (int(sheet[name].partition("-")[2]) for name in ("judge_id", "entry_id"))
    return entry % 90 == judge // 2 or entry % JUDGES == judge * 7 % JUDGES


def colleagues(panel):
    units = [int(sheet["judge_id"].partition("-")[2]) // 2 for sheet in panel]
    return len(set(units)) < len(units)
