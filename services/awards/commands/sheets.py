"""Commands of judges on their sheets, and of the chair about a sheet."""

from __future__ import annotations

from functools import partial
from typing import Any

from services import contract
from services.awards import known
from services.awards.domain import rubric, score_sheet, sheet
from services.awards.domain.conflict import Conflicts
from services.awards.domain.score_sheet import ScoreSheet
from services.awards.schemas import sheets as schemas
from services.awards.store import ConflictRecords, Editions, Entries, Judges, Rounds, ScoreSheets
from services.chassis.clock import SystemClock
from services.chassis.entrypoints import command


class SheetCommands:
    """Commands about score sheets."""

    editions: Editions
    entries: Entries
    judges: Judges
    conflicts: ConflictRecords
    rounds: Rounds
    sheets: ScoreSheets
    clock: SystemClock

    @command(contract.awards.ScoreSheet, schemas.AcceptSheet, roles=("judge",), states=("sent",))
    def accept_sheet(self, sheet_id: str, *, by: str) -> Any:
        """Accept an entry that was given to you."""
        own = self._own(sheet_id, by=by)
        return self.sheets.change(sheet_id, partial(score_sheet.accept, conflicts=self._conflicts(own)))

    @command(contract.awards.ScoreSheet, schemas.SubmitScore, roles=("judge",), states=("accepted", "reopened"))
    def submit_score(self, sheet_id: str, *, scores: tuple[sheet.Score, ...], comment: str | None, by: str) -> Any:
        """Score an entry, criterion by criterion, by its category's rubric."""
        own = self._own(sheet_id, by=by)
        values = sheet.by_criterion(scores)
        score = partial(
            score_sheet.score,
            values=values,
            comment=comment,
            rubric=self._rubric(own),
            conflicts=self._conflicts(own),
            round_closed=not self._takes_scores(own),
            by=by,
        )
        return self.sheets.change(sheet_id, score)

    @command(contract.awards.ScoreSheet, schemas.LockSheet, roles=("judge",), states=("scored",))
    def lock_sheet(self, sheet_id: str, *, by: str) -> Any:
        """Make your scores final; from then on you see the scores of the others."""
        self._own(sheet_id, by=by)
        return self.sheets.change(sheet_id, partial(score_sheet.lock, now=self.clock.now()))

    @command(
        contract.awards.ScoreSheet, schemas.Recuse, roles=("judge",), states=("sent", "accepted", "scored", "reopened")
    )
    def recuse(self, sheet_id: str, *, by: str, **recusal: Any) -> Any:
        """Step back from an entry that was given to you."""
        self._own(sheet_id, by=by)
        return self.sheets.change(sheet_id, partial(score_sheet.recuse, by=by, **recusal))

    @command(
        contract.awards.ScoreSheet,
        schemas.RecuseJudge,
        roles=("chair",),
        states=("sent", "accepted", "scored", "reopened"),
    )
    def recuse_judge(self, sheet_id: str, *, by: str, **recusal: Any) -> Any:
        """Recuse a judge who came into conflict."""
        return self.sheets.change(sheet_id, partial(score_sheet.recuse, by=by, **recusal))

    @command(contract.awards.ScoreSheet, schemas.ReopenScore, roles=("chair",), states=("scored",))
    def reopen_score(self, sheet_id: str, *, reason: str, by: str) -> Any:
        """Return a scored sheet to its judge, before it is locked and the round closed."""
        sheet = self.sheets.get(sheet_id)
        reopen = partial(score_sheet.reopen, reason=reason, round_closed=not self._takes_scores(sheet), by=by)
        return self.sheets.change(sheet_id, reopen)

    def _own(self, sheet_id: str, *, by: str) -> ScoreSheet:
        sheet = self.sheets.get(sheet_id)
        score_sheet.require_own(sheet, by=by)
        return sheet

    def _conflicts(self, sheet: ScoreSheet) -> Conflicts:
        return known.conflicts_with_one(self, judge_id=sheet.judge_id, entry_id=sheet.entry_id)

    def _takes_scores(self, sheet: ScoreSheet) -> bool:
        return known.takes_scores(self, edition_id=sheet.edition_id, round_no=sheet.round_no)

    def _rubric(self, sheet: ScoreSheet) -> rubric.Rubric:
        edition, entry = self.editions.get(sheet.edition_id), self.entries.get(sheet.entry_id)
        return rubric.of_category(edition.category_of(entry.category_code), round_no=sheet.round_no)
