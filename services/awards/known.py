"""What is known at this moment of judges and entries, read from several kinds of records; nothing is written here."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from services.awards.domain import conflict, seat_plan
from services.awards.domain.conflict import Conflicts
from services.awards.domain.entry import Entry

Named = Iterable[tuple[str, Entry]]
"""Entries with their ids."""


def told_conflicts(awards: Any, *, edition_id: str, judge_id: str) -> Conflicts:
    """The conflicts that are kept of a judge; none where nothing was ever said."""
    kept = awards.conflicts.find(judge_id=judge_id, edition_id=edition_id)
    return kept[0][1] if kept else Conflicts(edition_id=edition_id, judge_id=judge_id)


def computed_conflicts(awards: Any, *, edition_id: str, judge_id: str, entries: Named) -> tuple[conflict.Conflict, ...]:
    """Those that follow from what is known of a judge and of these entries, on the last day of judging (A-11)."""
    return conflict.compute(
        awards.judges.get(judge_id),
        (conflict.involved(entry_id, entry) for entry_id, entry in entries),
        on=awards.editions.get(edition_id).judge_to,
    )


def conflicts_with(awards: Any, *, edition_id: str, judge_id: str, entries: Named) -> Conflicts:
    """Everything that stands between a judge and these entries, kept or not."""
    of = {"edition_id": edition_id, "judge_id": judge_id}
    return conflict.with_computed(told_conflicts(awards, **of), computed_conflicts(awards, **of, entries=entries))


def conflicts_with_one(awards: Any, *, judge_id: str, entry_id: str) -> Conflicts:
    """The same for one entry."""
    entry = awards.entries.get(entry_id)
    return conflicts_with(awards, edition_id=entry.edition_id, judge_id=judge_id, entries=[(entry_id, entry)])


def entries_to_score(awards: Any, *, edition_id: str, round_no: int) -> dict[str, Entry]:
    """The entries of a round by their ids."""
    return dict(awards.entries.find(edition_id=edition_id, state=seat_plan.states_taken_up(round_no)))


def takes_scores(awards: Any, *, edition_id: str, round_no: int) -> bool:
    """Is the round open? One that was never started is not."""
    return bool(awards.rounds.exists(edition_id=edition_id, round_no=round_no, state="open"))
