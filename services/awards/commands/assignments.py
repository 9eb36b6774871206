"""Commands that give every entry of a round its judges, and the sheets that follow."""

# ruff: noqa: ARG002 - every command is told by whom, and not every rule asks

from __future__ import annotations

from contextlib import suppress
from datetime import date
from functools import partial
from typing import Any

from services import contract
from services.awards import known
from services.awards.domain import assignment, judge, score_sheet, seat_plan
from services.awards.domain.assignment import Pair
from services.awards.domain.conflict import Conflicts, ConflictStands
from services.awards.domain.entry import Entry
from services.awards.domain.score_sheet import ScoreSheet
from services.awards.domain.seat_plan import Assignment
from services.awards.schemas import sheets as schemas
from services.awards.store import Assignments, ConflictRecords, Editions, Entries, Judges, ScoreSheets
from services.chassis.entrypoints import command
from services.chassis.listener import listens
from services.contract.event import Event
from services.kernel import Change


class AssignmentCommands:
    """Commands and listeners about the assignment of judges."""

    editions: Editions
    entries: Entries
    judges: Judges
    conflicts: ConflictRecords
    assignments: Assignments
    sheets: ScoreSheets

    @command(contract.awards.Assignment, schemas.ProposeAssignment, roles=("chair",), states=("proposed", "confirmed"))
    def propose_assignment(self, edition_id: str, *, round_no: int, by: str, **options: Any) -> Any:
        """Propose the judges of every entry of a round; nothing follows before it is confirmed."""
        propose = partial(self._proposed, edition_id=edition_id, round_no=round_no, **options)
        return self.assignments.put(seat_plan.assignment_id(edition_id=edition_id, round_no=round_no), propose)

    @command(contract.awards.Assignment, schemas.ConfirmAssignment, roles=("chair",), states=("proposed",))
    def confirm_assignment(self, assignment_id: str, *, by: str) -> Any:
        """Confirm a proposal: its judges are told."""
        return self.assignments.change(assignment_id, self._confirmed)

    @command(contract.awards.ScoreSheet, schemas.AssignJudge, roles=("chair",), states=("proposed", "cancelled"))
    def assign_judge(self, entry_id: str, *, judge_id: str, round_no: int, due_on: date | None, by: str) -> Any:
        """Give one entry to one more judge; no plan takes it away."""
        entry = self.entries.get(entry_id)
        of = {"edition_id": entry.edition_id, "round_no": round_no, "entry_id": entry_id, "judge_id": judge_id}
        seat = partial(
            seat_plan.seat_by_chair,
            entry=entry,
            judge=self.judges.get(judge_id),
            due_on=due_on,
            conflicts=known.conflicts_with_one(self, judge_id=judge_id, entry_id=entry_id),
            **of,
        )
        return self.sheets.put(score_sheet.sheet_id(**of), seat)

    @command(contract.awards.ScoreSheet, schemas.ReplaceJudge, roles=("chair",), states=("recused",))
    def replace_judge(self, sheet_id: str, *, judge_id: str, by: str) -> Any:
        """Name the judge who scores in the place of one who recused."""
        entry_id = self.sheets.get(sheet_id).entry_id
        judge.LIFECYCLE.require(self.judges.get(judge_id).state, "active")
        hand_over = partial(
            score_sheet.hand_over,
            to=judge_id,
            conflicts=known.conflicts_with_one(self, judge_id=judge_id, entry_id=entry_id),
        )
        return self.sheets.change(sheet_id, hand_over)

    @listens(contract.awards.Assignment, "confirmed")
    def seat_judges(self, event: Event) -> None:
        """Tell the judges of a confirmed plan, and cancel sheets that are no longer in it and were not begun."""
        plan = self.assignments.get(event.record)
        if plan.state != "confirmed":
            return
        there = dict(self.sheets.find(edition_id=plan.edition_id, round_no=plan.round_no))
        self._seat_all(plan, there)
        for sheet_id, sheet in there.items():
            if Pair(sheet.judge_id, sheet.entry_id) not in plan.pairs:
                self.sheets.change(sheet_id, score_sheet.drop)
        for seats in plan.seats:
            self._heed(plan.edition_id, seats.judge_id)  # a conflict that arose meanwhile found no sheet to cancel

    @listens(contract.awards.ScoreSheet, "replaced")
    def seat_substitute(self, event: Event) -> None:
        """Give the entry to the judge who was named in the place of the one who recused."""
        sheet = self.sheets.get(event.record)
        if sheet.substitute_id:
            conflicts = known.conflicts_with_one(self, judge_id=sheet.substitute_id, entry_id=sheet.entry_id)
            self._seat(
                edition_id=sheet.edition_id,
                round_no=sheet.round_no,
                entry_id=sheet.entry_id,
                judge_id=sheet.substitute_id,
                due_on=sheet.due_on,
                by_chair=True,
                conflicts=conflicts,
            )

    @listens(contract.awards.Conflicts, "recomputed", "declared", "withdrawn", "pinned", "released")
    def heed_conflicts(self, event: Event) -> None:
        """Cancel or flag the sheets that a change of conflicts concerns (F6)."""
        self._heed(event.data["edition_id"], event.data["judge_id"])

    def _proposed(
        self,
        former: Assignment | None,
        *,
        edition_id: str,
        round_no: int,
        judge_ids: tuple[str, ...],
        per_entry: int,
        seed: int,
        due_on: date | None,
    ) -> Change[Assignment]:
        edition = self.editions.get(edition_id)
        entries = known.entries_to_score(self, edition_id=edition_id, round_no=round_no)
        judges = [self.judges.get(judge_id) for judge_id in dict.fromkeys(judge_ids)]
        sheets = [sheet for _, sheet in self.sheets.find(edition_id=edition_id, round_no=round_no)]
        asked_or_held = {*judge_ids, *(sheet.judge_id for sheet in sheets if sheet.is_held)}
        conflicts = {pair for judge_id in asked_or_held for pair in self._against(edition_id, judge_id, entries).pairs}
        proposal = assignment.propose(
            seat_plan.disciplines(entries.items(), judges),
            judges,
            conflicts=conflicts | {(sheet.judge_id, sheet.entry_id) for sheet in sheets if sheet.is_given_up},
            per_entry=per_entry,
            disjoint=judge.colleagues(judges, on=edition.judge_to),
            held={(sheet.judge_id, sheet.entry_id) for sheet in sheets if sheet.is_held and sheet.entry_id in entries},
            seed=seed,
        )
        return seat_plan.draw_up(
            former,
            edition=edition,
            edition_id=edition_id,
            round_no=round_no,
            per_entry=per_entry,
            seed=seed,
            due_on=due_on,
            entry_count=len(entries),
            proposal=proposal,
        )

    def _confirmed(self, plan: Assignment) -> Change[Assignment]:
        edition = self.editions.get(plan.edition_id)
        entries = known.entries_to_score(self, edition_id=plan.edition_id, round_no=plan.round_no)
        conflicts = [self._against(plan.edition_id, seats.judge_id, entries).pairs for seats in plan.seats]
        return seat_plan.confirm(
            plan, edition=edition, entries=entries, conflicts={pair for pairs in conflicts for pair in pairs}
        )

    def _seat_all(self, plan: Assignment, there: dict[str, ScoreSheet]) -> None:
        """Seat the plan's judges; entries that are no longer scored are skipped, and existing sheets stay."""
        entries = known.entries_to_score(self, edition_id=plan.edition_id, round_no=plan.round_no)
        for seats in plan.seats:
            conflicts = self._against(plan.edition_id, seats.judge_id, entries)
            for entry_id in seats.entry_ids:
                if entry_id in entries:
                    self._seat(
                        edition_id=plan.edition_id,
                        round_no=plan.round_no,
                        entry_id=entry_id,
                        judge_id=seats.judge_id,
                        due_on=plan.due_on,
                        conflicts=conflicts,
                    )

    def _seat(self, *, conflicts: Conflicts, due_on: date | None, by_chair: bool = False, **of: Any) -> None:
        seat = partial(score_sheet.seat_if_vacant, due_on=due_on, by_chair=by_chair, conflicts=conflicts, **of)
        with suppress(ConflictStands):  # it arose since: the seat stays empty, and the round does not start without it
            self.sheets.put(score_sheet.sheet_id(**of), seat)

    def _heed(self, edition_id: str, judge_id: str) -> None:
        stored = known.told_conflicts(self, edition_id=edition_id, judge_id=judge_id)
        follow = partial(score_sheet.follow_conflicts, conflicts=stored)
        for sheet_id, sheet in self.sheets.find(judge_id=judge_id, edition_id=edition_id):
            if follow(sheet):
                self.sheets.change(sheet_id, follow)

    def _against(self, edition_id: str, judge_id: str, entries: dict[str, Entry]) -> Conflicts:
        return known.conflicts_with(self, edition_id=edition_id, judge_id=judge_id, entries=entries.items())
