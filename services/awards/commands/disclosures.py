"""Queries of judges: a judge is shown these answers and nothing else (A-12, A-13)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from services.awards import known
from services.awards.domain import disclosure, rubric, score_sheet
from services.awards.domain.conflict import Conflicts
from services.awards.domain.edition import Edition
from services.awards.domain.entry import Entry
from services.awards.domain.score_sheet import ScoreSheet
from services.awards.schemas import judges as of_judges
from services.awards.schemas import sheets as schemas
from services.awards.store import ConflictRecords, Editions, Entries, ScoreSheets
from services.chassis.entrypoints import question

Sheets = list[tuple[str, ScoreSheet]]


class Disclosures:
    """Queries by which a judge sees own sheets, and of others only what may be seen by then."""

    editions: Editions
    entries: Entries
    conflicts: ConflictRecords
    sheets: ScoreSheets

    @question(schemas.MySheets, roles=("judge",))
    def my_sheets(self, edition_id: str, *, by: str) -> Any:
        """List your sheets of an edition, each with its entry as you may see it and the criteria that you score."""
        edition = self.editions.get(edition_id)
        own = self.sheets.find(judge_id=by, edition_id=edition_id, state=score_sheet.TOLD)
        return {"sheets": [self._sheet(sheet_id, sheet, edition) for sheet_id, sheet in own]}

    @question(schemas.ScoresOfOthers, roles=("judge",))
    def scores_of_others(self, sheet_id: str, *, by: str) -> Any:
        """Show the scores that others gave the entry of a sheet that you locked, without their names."""
        own = self.sheets.get(sheet_id)
        score_sheet.require_own(own, by=by)
        given = self.sheets.find(edition_id=own.edition_id, round_no=own.round_no, entry_id=own.entry_id)
        others = disclosure.scores_of_others((sheet for _, sheet in given), judge_id=by, entry_id=own.entry_id)
        return {"scores": [_told(scores) for scores in others]}

    @question(schemas.OfRound, roles=("judge",))
    def averages_of_my_entries(self, edition_id: str, *, round_no: int, by: str) -> Any:
        """Show the averages so far of the entries whose sheets you locked, in no order that tells anything."""
        own, sheets, means = self._means(edition_id, round_no=round_no, by=by)
        return {"averages": _by_sheet(own, disclosure.averages(sheets, means, judge_id=by).items())}

    @question(schemas.OfRound, roles=("judge",))
    def ranking_of_my_entries(self, edition_id: str, *, round_no: int, by: str) -> Any:
        """Rank your entries, best first, once all your sheets of the round are locked."""
        own, sheets, means = self._means(edition_id, round_no=round_no, by=by)
        return {"ranking": _by_sheet(own, disclosure.ranking(sheets, means, judge_id=by))}

    @question(of_judges.MyConflicts, roles=("judge",))
    def my_conflicts(self, edition_id: str, *, by: str) -> Any:
        """List your conflicts of interest with entries of an edition."""
        return _listed(known.told_conflicts(self, edition_id=edition_id, judge_id=by))

    @question(of_judges.ConflictsOf, roles=("chair",), everywhere=True)
    def conflicts_of(self, edition_id: str, *, judge_id: str, by: str) -> Any:  # noqa: ARG002
        """List a judge's conflicts of interest with entries of an edition."""
        return _listed(known.told_conflicts(self, edition_id=edition_id, judge_id=judge_id))

    def _sheet(self, sheet_id: str, sheet: ScoreSheet, edition: Edition) -> dict[str, Any]:
        entry = self.entries.get(sheet.entry_id)
        category = edition.category_of(entry.category_code)
        return {
            "id": sheet_id,
            "round_no": sheet.round_no,
            "state": sheet.state,
            "due_on": _told(sheet.due_on),
            "in_conflict": sheet.in_conflict,
            "entry": None if sheet.in_conflict else _told(disclosure.shown(entry, category=category)),
            "criteria": _told(rubric.of_category(category, round_no=sheet.round_no).criteria),
            "scores": _told(sheet.scores),
            "comment": sheet.versions[-1].comment if sheet.versions else None,
        }

    def _means(self, edition_id: str, *, round_no: int, by: str) -> tuple[Sheets, list[ScoreSheet], dict[str, Any]]:
        """The judge's own sheets of a round, all sheets of their entries, and the entries' means."""
        edition = self.editions.get(edition_id)
        own = self.sheets.find(judge_id=by, edition_id=edition_id, round_no=round_no)
        entry_ids = tuple(sheet.entry_id for _, sheet in own)
        sheets = [sheet for _, sheet in self.sheets.find(edition_id=edition_id, round_no=round_no, entry_id=entry_ids)]
        rubrics = {entry_id: _rubric(self.entries.get(entry_id), edition, round_no) for entry_id in entry_ids}
        return own, sheets, disclosure.means(sheets, rubrics)


def _rubric(entry: Entry, edition: Edition, round_no: int) -> rubric.Rubric:
    return rubric.of_category(edition.category_of(entry.category_code), round_no=round_no)


def _by_sheet(own: Sheets, figures: Iterable[tuple[str, Any]]) -> list[dict[str, Any]]:
    """Name figures by the judge's own sheets: the id of an entry is not told."""
    sheet_ids = {sheet.entry_id: sheet_id for sheet_id, sheet in own}
    return [{"sheet_id": sheet_ids[entry_id], "average": _told(average)} for entry_id, average in figures]


def _listed(conflicts: Conflicts) -> dict[str, Any]:
    return {"conflicts": _told(conflicts.conflicts)}


def _told(value: Any) -> Any:
    return msgspec.to_builtins(value)
