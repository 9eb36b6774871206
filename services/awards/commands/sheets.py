"""What a judge does with a sheet, and what the chair does about one."""

from __future__ import annotations

from functools import partial
from typing import Any

from services import contract
from services.awards import known
from services.awards.domain import rubric, score_sheet, sheet
from services.awards.domain.conflict import Conflicts as Held
from services.awards.domain.score_sheet import ScoreSheet
from services.awards.schemas import sheets as schemas
from services.awards.store import Conflicts, Editions, Entries, Judges, Rounds, ScoreSheets
from services.chassis.clock import SystemClock
from services.chassis.entrypoints import command


class SheetCommands:
    editions: Editions
    entries: Entries
    judges: Judges
    conflicts: Conflicts
    rounds: Rounds
    sheets: ScoreSheets
    clock: SystemClock

    @command(contract.awards.ScoreSheet, schemas.AcceptSheet, roles=("judge",))
    def accept_sheet(self, sheet_id: str, *, by: str) -> Any:
        """Take an entry on that was given to you."""
        own = self._own(sheet_id, by=by)
        return self.sheets.change(sheet_id, partial(score_sheet.accept, conflicts=self._conflicts(own)))

    @command(contract.awards.ScoreSheet, schemas.SubmitScore, roles=("judge",))
    def submit_score(self, sheet_id: str, *, scores: tuple[sheet.Score, ...], comment: str | None, by: str) -> Any:
        """Score an entry, criterion by criterion, as its category's rubric has it."""
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

    @command(contract.awards.ScoreSheet, schemas.LockSheet, roles=("judge",))
    def lock_sheet(self, sheet_id: str, *, by: str) -> Any:
        """Make your scores final; from then on you see those of the others."""
        self._own(sheet_id, by=by)
        return self.sheets.change(sheet_id, partial(score_sheet.lock, now=self.clock.now()))

    @command(contract.awards.ScoreSheet, schemas.Recuse, roles=("judge",))
    def recuse(self, sheet_id: str, *, by: str, **told: Any) -> Any:
        """Step back from an entry that was given to you."""
        self._own(sheet_id, by=by)
        return self.sheets.change(sheet_id, partial(score_sheet.recuse, by=by, **told))

    @command(contract.awards.ScoreSheet, schemas.RecuseJudge, roles=("chair",))
    def recuse_judge(self, sheet_id: str, *, by: str, **told: Any) -> Any:
        """Have a judge step back who came into conflict."""
        return self.sheets.change(sheet_id, partial(score_sheet.recuse, by=by, **told))

    @command(contract.awards.ScoreSheet, schemas.ReopenScore, roles=("chair",))
    def reopen_score(self, sheet_id: str, *, reason: str, by: str) -> Any:
        """Give a judge a scored sheet back, before it is locked and the round closed."""
        held = self.sheets.get(sheet_id)
        reopen = partial(score_sheet.reopen, reason=reason, round_closed=not self._takes_scores(held), by=by)
        return self.sheets.change(sheet_id, reopen)

    def _own(self, sheet_id: str, *, by: str) -> ScoreSheet:
        held = self.sheets.get(sheet_id)
        score_sheet.require_own(held, by=by)
        return held

    def _conflicts(self, held: ScoreSheet) -> Held:
        return known.conflicts_with_one(self, judge_id=held.judge_id, entry_id=held.entry_id)

    def _takes_scores(self, held: ScoreSheet) -> bool:
        return known.takes_scores(self, edition_id=held.edition_id, round_no=held.round_no)

    def _rubric(self, held: ScoreSheet) -> rubric.Rubric:
        edition, entry = self.editions.get(held.edition_id), self.entries.get(held.entry_id)
        return rubric.of_category(edition.category_of(entry.category_code), round_no=held.round_no)
