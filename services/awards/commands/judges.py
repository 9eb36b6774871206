"""Commands about a judge, and about a judge's conflicts with the entries of an edition."""

# ruff: noqa: ARG002 - every command is told by whom, and not every rule asks

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from services import contract
from services.awards import known
from services.awards.domain import conflict, edition, judge
from services.awards.domain.conflict import Conflicts
from services.awards.schemas import judges as schemas
from services.awards.store import ConflictRecords, Editions, Entries, Judges, ScoreSheets
from services.chassis.entrypoints import command
from services.chassis.listener import listens
from services.contract.event import Event
from services.kernel import Change


class JudgeCommands:
    """Commands about judges."""

    judges: Judges

    @command(contract.awards.Judge, schemas.RegisterJudge, roles=("recorder", "chair"), states=())
    def register_judge(self, judge_id: str, *, by: str, **capability: Any) -> Any:
        """Invite a person to be a judge."""
        return self.judges.add(judge.invite(person_id=judge_id, **capability), judge_id)

    @command(contract.awards.Judge, schemas.ActivateJudge, roles=("recorder", "chair"), states=("invited", "suspended"))
    def activate_judge(self, judge_id: str, *, by: str) -> Any:
        """Let a judge be assigned, who accepted the invitation or is no longer suspended."""
        return self.judges.change(judge_id, judge.activate)

    @command(contract.awards.Judge, schemas.SuspendJudge, roles=("chair",), states=("invited", "active"))
    def suspend_judge(self, judge_id: str, *, reason: str, by: str) -> Any:
        """Assign nothing more to a judge; sheets that were begun stay."""
        return self.judges.change(judge_id, partial(judge.suspend, reason=reason))

    @command(contract.awards.Judge, schemas.ReviseJudge, roles=("recorder", "chair"))
    def revise_judge(self, judge_id: str, *, by: str, **capability: Any) -> Any:
        """Replace a judge's disciplines and load."""
        return self.judges.change(judge_id, partial(judge.revise, **capability))

    @command(contract.awards.Judge, schemas.AffiliateJudge, roles=("recorder", "chair"))
    def affiliate_judge(self, judge_id: str, *, affiliations: tuple[judge.Affiliation, ...], by: str) -> Any:
        """Replace a judge's present and former employers; conflicts are computed anew (F6)."""
        return self.judges.change(judge_id, partial(judge.affiliate, affiliations=affiliations))


class ConflictCommands:
    """Commands and listeners about conflicts of interest."""

    editions: Editions
    entries: Entries
    judges: Judges
    conflicts: ConflictRecords
    sheets: ScoreSheets

    @command(contract.awards.Conflicts, schemas.DeclareConflict, roles=("judge",))
    def declare_conflict(self, entry_id: str, *, by: str, **declaration: Any) -> Any:
        """Declare that you have a conflict of interest with an entry."""
        return self._decide(by, entry_id, partial(conflict.declare, entry_id=entry_id, **declaration))

    @command(contract.awards.Conflicts, schemas.WithdrawConflict, roles=("judge",))
    def withdraw_conflict(self, entry_id: str, *, by: str, **declaration: Any) -> Any:
        """Withdraw a conflict that you declared."""
        return self._decide(by, entry_id, partial(conflict.withdraw, entry_id=entry_id, **declaration))

    @command(contract.awards.Conflicts, schemas.PinConflict, roles=("chair",))
    def pin_conflict(self, judge_id: str, *, entry_id: str, by: str, **pinned: Any) -> Any:
        """Fix a judge's conflict with an entry, whatever the judge says."""
        return self._decide(judge_id, entry_id, partial(conflict.pin, entry_id=entry_id, **pinned))

    @command(contract.awards.Conflicts, schemas.ReleaseConflict, roles=("chair",))
    def release_conflict(self, judge_id: str, *, entry_id: str, by: str, **released: Any) -> Any:
        """Release a conflict that was fixed."""
        return self._decide(judge_id, entry_id, partial(conflict.release, entry_id=entry_id, **released))

    @command(contract.awards.Conflicts, schemas.ComputeConflicts, roles=("recorder", "chair"))
    def compute_conflicts(self, edition_id: str, *, judge_id: str, by: str) -> Any:
        """Compute the conflicts that follow from the affiliations of a judge and of an edition's entries."""
        return self._put(edition_id, judge_id, self._recomputing(edition_id, judge_id), even_if_none=True)

    @listens(contract.awards.Judge, "affiliated")
    def recompute_conflicts(self, event: Event) -> None:
        """Recompute a judge's conflicts in every edition that is not over, after a change of employer (F6)."""
        for edition_id, _ in self.editions.find(state=edition.RUNNING):
            self._put(edition_id, event.record, self._recomputing(edition_id, event.record))

    @listens(contract.awards.ScoreSheet, "recused")
    def declare_for_recused(self, event: Event) -> None:
        """Keep a recused judge from the entry; the chair's recusal is one that no judge takes back (A-10)."""
        sheet = self.sheets.get(event.record)
        if sheet.recused_for:
            of = {"entry_id": sheet.entry_id, "conflict_type": sheet.recused_for}
            is_own = sheet.recused_by == sheet.judge_id
            decide = partial(conflict.declare, **of) if is_own else partial(conflict.pin, **of, reason="recused")
            self._put(sheet.edition_id, sheet.judge_id, decide)

    def _decide(self, judge_id: str, entry_id: str, decide: Callable[[Conflicts], Change[Conflicts] | None]) -> Any:
        return self._put(self.entries.get(entry_id).edition_id, judge_id, decide)

    def _recomputing(self, edition_id: str, judge_id: str) -> Callable[[Conflicts], Change[Conflicts] | None]:
        entries = self.entries.find(edition_id=edition_id)
        computed = known.computed_conflicts(self, edition_id=edition_id, judge_id=judge_id, entries=entries)
        return partial(conflict.recompute, computed=computed)

    def _put(
        self,
        edition_id: str,
        judge_id: str,
        decide: Callable[[Conflicts], Change[Conflicts] | None],
        *,
        even_if_none: bool = False,
    ) -> Any:
        """Change the stored conflicts of a judge in an edition; `even_if_none` stores that there are none, too."""
        none = Conflicts(edition_id=edition_id, judge_id=judge_id)

        def begin_or_change(stored: Conflicts | None) -> Change[Conflicts] | None:
            change = decide(stored or none)
            return change or (Change(none, "recomputed") if even_if_none and stored is None else None)

        return self.conflicts.put(conflict.conflicts_id(edition_id=edition_id, judge_id=judge_id), begin_or_change)
