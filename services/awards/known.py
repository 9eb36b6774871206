"""Present knowledge of judges and entries, read from several kinds of records; nothing is written here."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from services.awards.domain import conflict, judging_round
from services.awards.domain.conflict import Conflicts
from services.awards.domain.entry import Entry
from services.awards.domain.judging_round import Round

Named = Iterable[tuple[str, Entry]]
"""Entries with their ids."""


def told_conflicts(awards: Any, *, edition_id: str, judge_id: str) -> Conflicts:
    """The stored conflicts of a judge; none where there were never any."""
    kept = awards.conflicts.find(judge_id=judge_id, edition_id=edition_id)
    return kept[0][1] if kept else Conflicts(edition_id=edition_id, judge_id=judge_id)


def computed_conflicts(awards: Any, *, edition_id: str, judge_id: str, entries: Named) -> tuple[conflict.Conflict, ...]:
    """The conflicts between a judge and these entries, computed for the last day of judging (A-11)."""
    return conflict.compute(
        awards.judges.get(judge_id),
        (conflict.involved(entry_id, entry) for entry_id, entry in entries),
        on=awards.editions.get(edition_id).judge_to,
    )


def conflicts_with(awards: Any, *, edition_id: str, judge_id: str, entries: Named) -> Conflicts:
    """All conflicts between a judge and these entries, stored or not."""
    of = {"edition_id": edition_id, "judge_id": judge_id}
    return conflict.with_computed(told_conflicts(awards, **of), computed_conflicts(awards, **of, entries=entries))


def conflicts_with_one(awards: Any, *, judge_id: str, entry_id: str) -> Conflicts:
    """All conflicts between a judge and one entry."""
    entry = awards.entries.get(entry_id)
    return conflicts_with(awards, edition_id=entry.edition_id, judge_id=judge_id, entries=[(entry_id, entry)])


def rounds_of(awards: Any, edition_id: str) -> list[Round]:
    """The rounds of an edition, the first one first."""
    return judging_round.in_order(round_ for _, round_ in awards.rounds.find(edition_id=edition_id))


def entries_to_score(awards: Any, *, edition_id: str, round_no: int) -> dict[str, Entry]:
    """The entries of a round by their ids; none of a later one before it is certain which go on."""
    entries = dict(awards.entries.find(edition_id=edition_id))
    return judging_round.candidates(rounds_of(awards, edition_id), entries, round_no=round_no)


def takes_scores(awards: Any, *, edition_id: str, round_no: int) -> bool:
    """True where the round is open; a round that was never started is not."""
    return bool(awards.rounds.exists(edition_id=edition_id, round_no=round_no, state="open"))
