"""Score sheets (评分表): an entry assigned to a judge for a round, from the proposal to the locked scores.

Assignment and sheet are one record, so that a recusal and a score cannot pass each other. A judge has one sheet for an
entry and a round, because its id is made of them.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from services.awards.domain.conflict import Conflicts, require_none
from services.awards.domain.rubric import Rubric
from services.awards.domain.sheet import examine
from services.contract.awards import ConflictType
from services.kernel import Change, Lifecycle, Refusal

LIFECYCLE = Lifecycle(
    proposed=("sent", "cancelled"),
    sent=("accepted", "recused", "cancelled"),
    accepted=("scored", "recused"),
    scored=("locked", "reopened", "recused"),
    reopened=("scored", "recused"),
    recused=("replaced",),
    cancelled=("proposed",),
)
STARTED = ("accepted", "scored", "reopened", "locked")
OPEN = ("proposed", "sent", "accepted", "scored", "reopened")
TOLD = ("sent", "accepted", "scored", "reopened", "locked")
"""States in which a sheet is in its judge's hands."""

VACANT = ("proposed", "cancelled")
"""States in which no judge has the sheet: a plan that wants it has it sent."""

SHEETS = uuid.UUID("6b657869-6500-4000-8000-000000000002")


class RoundClosed(Refusal, rule="A-14", zh="本轮评审已结束"):
    """After a round was closed nobody scores in it and no sheet of it is reopened."""


class RecusedWithoutReason(Refusal, rule="A-15", zh="回避须说明理由"):
    """A recusal is an act of its own and states its reason."""


class ReplacedByRecused(Refusal, rule="A-09", zh="回避的评委不得由本人替补"):
    """Whoever recused is replaced by somebody else."""


class OthersSheet(Refusal, rule="A-25", zh="不得办理他人的评分表"):
    """A sheet is accepted, scored, locked and given up by its own judge."""


class Locked(Refusal, rule="A-25", zh="评分表已锁定，不得更改"):
    """A locked sheet is never scored, reopened or taken back."""


class ReopenedByJudge(Refusal, rule="A-25", zh="评委不得退回自己的评分表"):
    """A sheet is reopened by somebody else than whoever scored it."""


@dataclass(frozen=True, kw_only=True)
class Scores:
    """The scores of a sheet at one time, criterion by criterion, and the person who entered them."""

    values: Mapping[str, Decimal]
    by: str
    comment: str | None = None


@dataclass(frozen=True, kw_only=True)
class ScoreSheet:
    """One judge, one entry, one round; `flagged` is the conflict that turned up after the judge had started (F6)."""

    edition_id: str
    round_no: int
    entry_id: str
    judge_id: str
    due_on: date | None = None
    by_chair: bool = False  # assigned by name: no plan takes it away
    versions: tuple[Scores, ...] = ()
    flagged: ConflictType | None = None
    recused_for: ConflictType | None = None
    recused_by: str | None = None  # the judge, or the chair
    substitute_id: str | None = None
    locked_at: datetime | None = None
    state: str = "proposed"

    @property
    def scores(self) -> Mapping[str, Decimal]:
        """The newest scores; none before the first."""
        return self.versions[-1].values if self.versions else {}

    @property
    def times_scored(self) -> int:
        """How often it was scored."""
        return len(self.versions)

    @property
    def in_conflict(self) -> bool:
        """True where a conflict was flagged."""
        return self.flagged is not None

    @property
    def is_held(self) -> bool:
        """True where its judge keeps the seat in any proposal."""
        return self.is_started or (self.by_chair and self.state == "sent")

    @property
    def is_given_up(self) -> bool:
        """True where its judge recused."""
        return self.state in ("recused", "replaced")

    @property
    def is_started(self) -> bool:
        """True where the judge began: no assignment takes it away."""
        return self.state in STARTED

    @property
    def stands(self) -> bool:
        """True where it would count if the round was closed now."""
        return self.state in ("scored", "locked") and self.flagged is None

    @property
    def counts(self) -> bool:
        """True for a locked sheet, unless it should never have been scored (A-09)."""
        return self.state == "locked" and self.flagged is None


def sheet_id(*, edition_id: str, round_no: int, entry_id: str, judge_id: str) -> str:
    """The id of the one sheet for each judge, entry and round; it reveals none of them."""
    return str(uuid.uuid5(SHEETS, f"{edition_id}/{round_no}/{entry_id}/{judge_id}"))


def require_own(sheet: ScoreSheet, *, by: str) -> None:
    """Refuse anybody but the judge of this sheet."""
    if by != sheet.judge_id:
        raise OthersSheet(by=by)


def seat(
    sheet: ScoreSheet | None,
    *,
    edition_id: str,
    round_no: int,
    entry_id: str,
    judge_id: str,
    due_on: date | None = None,
    by_chair: bool = False,
    conflicts: Conflicts,
) -> Change[ScoreSheet]:
    """Give an entry to a judge and tell, for the first time or again after it was cancelled."""
    if sheet is None:
        given = assign(
            edition_id=edition_id, round_no=round_no, entry_id=entry_id, judge_id=judge_id, conflicts=conflicts
        ).record
    else:
        given = sheet if sheet.state == "proposed" else assign_again(sheet, conflicts=conflicts).record

    return send(replace(given, due_on=due_on, by_chair=by_chair), conflicts=conflicts)


def seat_if_vacant(sheet: ScoreSheet | None, **how: Any) -> Change[ScoreSheet] | None:
    """Seat a judge by a plan; None where the judge has the entry already, or gave it up."""
    return None if sheet and sheet.state not in VACANT else seat(sheet, **how)


def drop(sheet: ScoreSheet) -> Change[ScoreSheet] | None:
    """Cancel a seat that left the plan; None where the judge keeps it, or there is nothing to cancel."""
    if sheet.is_held or "cancelled" not in LIFECYCLE.moves.get(sheet.state, ()):
        return None
    return cancel(sheet, reason="not in the plan")


def assign(
    *, edition_id: str, round_no: int, entry_id: str, judge_id: str, due_on: date | None = None, conflicts: Conflicts
) -> Change[ScoreSheet]:
    """Propose an entry to a judge; nobody is told yet."""
    require_none(conflicts, entry_id=entry_id)

    sheet = ScoreSheet(edition_id=edition_id, round_no=round_no, entry_id=entry_id, judge_id=judge_id, due_on=due_on)
    return Change(sheet, "proposed")


def assign_again(sheet: ScoreSheet, *, conflicts: Conflicts) -> Change[ScoreSheet]:
    """Propose a cancelled seat again, once the reason against it is gone."""
    return _clear(sheet, "proposed", conflicts=conflicts)


def send(sheet: ScoreSheet, *, conflicts: Conflicts) -> Change[ScoreSheet]:
    """Tell the judge."""
    return _clear(sheet, "sent", conflicts=conflicts)


def accept(sheet: ScoreSheet, *, conflicts: Conflicts) -> Change[ScoreSheet]:
    """Note that the judge accepts it and begins."""
    return _clear(sheet, "accepted", conflicts=conflicts)


def cancel(sheet: ScoreSheet, *, reason: str) -> Change[ScoreSheet]:
    """Cancel an assignment that the judge has not begun."""
    return Change(replace(sheet, state=_moved(sheet, "cancelled")), "cancelled", reason)


def score(
    sheet: ScoreSheet,
    *,
    values: Mapping[str, Decimal],
    comment: str | None = None,
    rubric: Rubric,
    conflicts: Conflicts,
    round_closed: bool,
    by: str,
) -> Change[ScoreSheet]:
    """Enter the scores, at first or after the sheet was reopened; earlier scores are kept."""
    scored = _clear(sheet, "scored", conflicts=conflicts).record
    _require_open(sheet, round_closed=round_closed)
    examine(values, rubric=rubric)

    scores = Scores(values=dict(values), by=by, comment=comment)
    return Change(replace(scored, versions=(*sheet.versions, scores)), "scored")


def reopen(sheet: ScoreSheet, *, reason: str, round_closed: bool, by: str) -> Change[ScoreSheet]:
    """Return a sheet to its judge before the round is closed; its scores are kept."""
    state = _moved(sheet, "reopened")
    _require_open(sheet, round_closed=round_closed)
    if by == sheet.versions[-1].by:
        raise ReopenedByJudge(by=by)

    return Change(replace(sheet, state=state), "reopened", reason)


def lock(sheet: ScoreSheet, *, now: datetime) -> Change[ScoreSheet]:
    """Make the scores final: by the judge, who sees those of the others from then on, or with the end of the round."""
    return Change(replace(sheet, state=_moved(sheet, "locked"), locked_at=now), "locked")


def recuse(sheet: ScoreSheet, *, conflict_type: ConflictType, reason: str, by: str) -> Change[ScoreSheet]:
    """Step back from an entry, or be told to; the sheet counts as no score, whatever its scores."""
    state = _moved(sheet, "recused")
    if not reason.strip():
        raise RecusedWithoutReason(conflict_type=conflict_type)

    return Change(replace(sheet, state=state, recused_for=conflict_type, recused_by=by), "recused", reason)


def hand_over(sheet: ScoreSheet, *, to: str, conflicts: Conflicts) -> Change[ScoreSheet]:
    """Note which judge scores the entry in place of the one who recused; `conflicts` are that judge's."""
    state = _moved(sheet, "replaced")
    if to == sheet.judge_id:
        raise ReplacedByRecused(judge_id=to)
    require_none(conflicts, entry_id=sheet.entry_id)

    return Change(replace(sheet, state=state, substitute_id=to), "replaced")


def follow_conflicts(sheet: ScoreSheet, conflicts: Conflicts) -> Change[ScoreSheet] | None:
    """Heed changed conflicts: a sheet not begun is cancelled, one begun is flagged for the chair (F6).

    A flag falls once its conflict is gone; a flag leaves the scores as they are, on a locked sheet too. None where
    nothing follows.
    """
    conflict = conflicts.type_with(sheet.entry_id)
    if conflict and "cancelled" in LIFECYCLE.moves.get(sheet.state, ()):
        return cancel(sheet, reason=f"conflict: {conflict}")
    if not sheet.is_started or conflict == sheet.flagged:
        return None

    return Change(replace(sheet, flagged=conflict), "flagged" if conflict else "unflagged")


def _moved(sheet: ScoreSheet, to: str) -> str:
    if sheet.state == "locked":
        raise Locked(entry_id=sheet.entry_id, judge_id=sheet.judge_id)
    return LIFECYCLE.move(sheet.state, to)


def _clear(sheet: ScoreSheet, to: str, *, conflicts: Conflicts) -> Change[ScoreSheet]:
    """Make a move towards a score, which no conflict may forbid (A-09)."""
    moved = replace(sheet, state=_moved(sheet, to))
    require_none(conflicts, entry_id=sheet.entry_id)

    return Change(moved, to)


def _require_open(sheet: ScoreSheet, *, round_closed: bool) -> None:
    if round_closed:
        raise RoundClosed(edition_id=sheet.edition_id, round_no=sheet.round_no)
