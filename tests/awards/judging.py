"""Named examples of judging; what a test does not say stands here."""

from datetime import date

from services.awards.domain.conflict import Conflict, Conflicts, Involved
from services.awards.domain.judge import Affiliation, Judge

A_DAY = date(2011, 5, 14)  # the last one of judging


def a_judge(person_id="p-luo", **changes):
    """An agronomist who works for a college, can be assigned, and takes up to ten entries."""
    usual = {
        "person_id": person_id,
        "disciplines": ("agriculture",),
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
