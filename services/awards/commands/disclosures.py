"""What a judge may see, and nothing else is shown to a judge (A-12, A-13)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from services.awards import known
from services.awards.domain import disclosure, rubric, score_sheet
from services.awards.domain.conflict import Conflicts as Held
from services.awards.domain.edition import Edition
from services.awards.domain.entry import Entry
from services.awards.domain.score_sheet import ScoreSheet
from services.awards.schemas import judges as of_judges
from services.awards.schemas import sheets as schemas
from services.awards.store import Conflicts, Editions, Entries, ScoreSheets
from services.chassis.entrypoints import question

Sheets = list[tuple[str, ScoreSheet]]


class Disclosures:
    editions: Editions
    entries: Entries
    conflicts: Conflicts
    sheets: ScoreSheets

    @question(schemas.MySheets, roles=("judge",))
    def my_sheets(self, edition_id: str, *, by: str) -> Any:
        """Your sheets of an edition, each with its entry as you may see it and the criteria that you score."""
        edition = self.editions.get(edition_id)
        own = self.sheets.find(judge_id=by, edition_id=edition_id, state=score_sheet.TOLD)
        return {"sheets": [self._sheet(sheet_id, one, edition) for sheet_id, one in own]}

    @question(schemas.ScoresOfOthers, roles=("judge",))
    def scores_of_others(self, sheet_id: str, *, by: str) -> Any:
        """What others gave the entry of a sheet that you locked, without saying who."""
        own = self.sheets.get(sheet_id)
        score_sheet.require_own(own, by=by)
        given = self.sheets.find(edition_id=own.edition_id, round_no=own.round_no, entry_id=own.entry_id)
        others = disclosure.scores_of_others((one for _, one in given), judge_id=by, entry_id=own.entry_id)
        return {"scores": [_told(scores) for scores in others]}

    @question(schemas.OfRound, roles=("judge",))
    def averages_of_my_entries(self, edition_id: str, *, round_no: int, by: str) -> Any:
        """What the entries reached so far whose sheets you locked, in no order that tells anything."""
        own, sheets, means = self._means(edition_id, round_no=round_no, by=by)
        return {"averages": _by_sheet(own, disclosure.averages(sheets, means, judge_id=by).items())}

    @question(schemas.OfRound, roles=("judge",))
    def ranking_of_my_entries(self, edition_id: str, *, round_no: int, by: str) -> Any:
        """Your entries, best first, once all your sheets of the round are locked."""
        own, sheets, means = self._means(edition_id, round_no=round_no, by=by)
        return {"ranking": _by_sheet(own, disclosure.ranking(sheets, means, judge_id=by))}

    @question(of_judges.MyConflicts, roles=("judge",))
    def my_conflicts(self, edition_id: str, *, by: str) -> Any:
        """What stands between you and entries of an edition."""
        return _listed(known.told_conflicts(self, edition_id=edition_id, judge_id=by))

    @question(of_judges.ConflictsOf, roles=("chair",))
    def conflicts_of(self, edition_id: str, *, judge_id: str, by: str) -> Any:  # noqa: ARG002
        """What stands between a judge and entries of an edition."""
        return _listed(known.told_conflicts(self, edition_id=edition_id, judge_id=judge_id))

    def _sheet(self, sheet_id: str, held: ScoreSheet, edition: Edition) -> dict[str, Any]:
        entry = self.entries.get(held.entry_id)
        category = edition.category_of(entry.category_code)
        return {
            "id": sheet_id,
            "round_no": held.round_no,
            "state": held.state,
            "due_on": _told(held.due_on),
            "in_conflict": held.in_conflict,
            "entry": None if held.in_conflict else _told(disclosure.shown(entry, category=category)),
            "criteria": _told(rubric.of_category(category, round_no=held.round_no).criteria),
            "scores": _told(held.scores),
            "comment": held.versions[-1].comment if held.versions else None,
        }

    def _means(self, edition_id: str, *, round_no: int, by: str) -> tuple[Sheets, list[ScoreSheet], dict[str, Any]]:
        """The judge's own sheets of a round, all sheets of their entries, and what these reached."""
        edition = self.editions.get(edition_id)
        own = self.sheets.find(judge_id=by, edition_id=edition_id, round_no=round_no)
        entry_ids = tuple(one.entry_id for _, one in own)
        sheets = [one for _, one in self.sheets.find(edition_id=edition_id, round_no=round_no, entry_id=entry_ids)]
        rubrics = {entry_id: _rubric(self.entries.get(entry_id), edition, round_no) for entry_id in entry_ids}
        return own, sheets, disclosure.means(sheets, rubrics)


def _rubric(entry: Entry, edition: Edition, round_no: int) -> rubric.Rubric:
    return rubric.of_category(edition.category_of(entry.category_code), round_no=round_no)


def _by_sheet(own: Sheets, figures: Iterable[tuple[str, Any]]) -> list[dict[str, Any]]:
    """By the judge's own sheets: the id of an entry is not told."""
    sheet_ids = {one.entry_id: sheet_id for sheet_id, one in own}
    return [{"sheet_id": sheet_ids[entry_id], "average": _told(average)} for entry_id, average in figures]


def _listed(held: Held) -> dict[str, Any]:
    return {"conflicts": _told(held.conflicts)}


def _told(value: Any) -> Any:
    return msgspec.to_builtins(value)
