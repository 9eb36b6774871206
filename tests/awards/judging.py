"""Named examples of judging; what a test does not say stands here."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

from services.awards.domain import score_sheet
from services.awards.domain.conflict import Conflict, Conflicts, Involved
from services.awards.domain.judge import Affiliation, Judge
from services.awards.domain.rubric import draw_up
from tests.awards.score_examples import a_criterion

A_DAY = date(2011, 5, 14)  # the last one of judging
NOW = datetime(2011, 5, 14, 8, tzinfo=UTC)


def a_judge(person_id="p-luo", **changes):
    """An agronomist who works for a college, can be assigned, and takes up to ten entries."""
    usual = {
        "person_id": person_id,
        "discipline_codes": ("agriculture",),
        "max_load": 10,
        "affiliations": (Affiliation(org_id="o-college"),),
        "state": "active",
    }
    return Judge(**{**usual, **changes})


def an_entry(entry_id="e-1", **changes):
    """A pupil of a school with a tutor."""
    usual = {"entrant_ids": {"p-ming"}, "tutor_ids": {"p-he"}, "unit_ids": {"o-school"}}
    given = {name: frozenset(ids) for name, ids in {**usual, **changes}.items()}
    return Involved(entry_id=entry_id, **given)


def a_conflict(source="auto", **changes):
    """With e-1, by the unit."""
    return Conflict(**{"entry_id": "e-1", "conflict_type": "institutional", "source": source, **changes})


def conflicts(*held):
    """Of p-luo in the edition."""
    return Conflicts(edition_id="d-26", judge_id="p-luo", conflicts=held)


NO_CONFLICTS = conflicts()
WITH_A_CONFLICT = conflicts(a_conflict())


A_RUBRIC = draw_up([a_criterion("idea", step="0.5"), a_criterion("work", step="0.5")])


def scores(idea="8", work="7.5"):
    return {"idea": Decimal(idea), "work": Decimal(work)}


def a_sheet(*, state="proposed", **changes):
    """Of p-luo for e-1 in the first round, scored once by u-luo where its state says so."""
    assigned = score_sheet.assign(
        edition_id="d-26", round_no=1, entry_id="e-1", judge_id="p-luo", due_on=A_DAY, conflicts=NO_CONFLICTS
    ).record
    usual = {"state": state}
    if state in ("scored", "reopened", "locked"):
        usual |= {"versions": (score_sheet.Scores(values=scores(), by="u-luo"),)}
    return replace(assigned, **{**usual, **changes})
