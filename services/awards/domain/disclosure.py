"""Disclosure to judges: nothing of the others before the own sheet is locked (A-12), and nobody's name (A-13)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from services.awards.domain.entry import Entry
from services.awards.domain.figure import kept, mean
from services.awards.domain.material import Attachment
from services.awards.domain.rubric import Rubric
from services.awards.domain.score_sheet import OPEN, ScoreSheet
from services.awards.domain.sheet import total
from services.contract.awards import EditionCategory
from services.kernel import Refusal
from services.kernel.name import normalised


class OwnSheetOpen(Refusal, rule="A-12", zh="锁定本人评分表后方可查看他人评分"):
    """Others' scores, averages and sorted lists are shown to a judge once the judge's own sheets are locked."""


class BlindCodeMissing(Refusal, rule="A-13", zh="盲评项目须有盲评编号"):
    """An entry of a blind category is judged under its blind code."""


@dataclass(frozen=True, kw_only=True)
class BlindEntry:
    """An entry as a judge of a blind category sees it; a title that names somebody is withheld."""

    blind_code: str
    category: str
    title: str | None
    files: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class OpenEntry:
    """An entry as a judge of an open category sees it; the people stay out of it here, too."""

    category: str
    title: str
    nominating_unit_id: str
    district: str | None
    files: tuple[str, ...]


def shown(entry: Entry, *, category: EditionCategory) -> BlindEntry | OpenEntry:
    """Return an entry as its judges see it; never with the signed form, which names everybody."""
    files = [file for file in entry.material.attachments if file.attachment_kind != "signed_form"]
    if category.blind:
        return blinded(
            blind_code=entry.blind_code,
            category=entry.category_code,
            title=entry.material.title if entry.title_names_nobody else None,
            files=files,
            names=entry.people_and_units,
        )

    return OpenEntry(
        category=entry.category_code,
        title=entry.material.title,
        nominating_unit_id=entry.nominating_unit_id,
        district=entry.district,
        files=tuple(file.sha256 for file in files),
    )


def means(sheets: Iterable[ScoreSheet], rubrics: Mapping[str, Rubric]) -> dict[str, Decimal]:
    """Compute the mean total of each entry by the sheets that count so far; `rubrics` are those of the entries."""
    totals: dict[str, list[Fraction]] = {}
    for sheet in sheets:
        if sheet.counts:
            totals.setdefault(sheet.entry_id, []).append(total(sheet.scores, rubric=rubrics[sheet.entry_id]))
    return {entry_id: kept(mean(reached)) for entry_id, reached in totals.items()}


def scores_of_others(
    sheets: Iterable[ScoreSheet], *, judge_id: str, entry_id: str
) -> tuple[Mapping[str, Decimal], ...]:
    """Return the locked scores of the others for this entry, anonymously; `sheets` are those of one round."""
    sheets = tuple(sheets)
    if entry_id not in _finished(sheets, judge_id):
        raise OwnSheetOpen(entry_id=entry_id)

    others = [sheet for sheet in sheets if sheet.counts and sheet.entry_id == entry_id and sheet.judge_id != judge_id]
    return tuple(sheet.scores for sheet in sorted(others, key=lambda sheet: sheet.judge_id))


def averages(sheets: Iterable[ScoreSheet], computed: Mapping[str, Decimal], *, judge_id: str) -> Mapping[str, Decimal]:
    """Return the averages that this judge may see, in the order of the entries' ids, which tells nothing."""
    finished = _finished(sheets, judge_id)
    return {entry_id: average for entry_id, average in sorted(computed.items()) if entry_id in finished}


def ranking(
    sheets: Iterable[ScoreSheet], computed: Mapping[str, Decimal], *, judge_id: str
) -> tuple[tuple[str, Decimal], ...]:
    """Rank the judge's entries by average, best first; a place tells of the others, so all own sheets are locked."""
    sheets = tuple(sheets)
    require_finished(sheets, judge_id=judge_id)

    shown = averages(sheets, computed, judge_id=judge_id)
    return tuple(sorted(shown.items(), key=lambda line: (-line[1], line[0])))


def require_finished(sheets: Iterable[ScoreSheet], *, judge_id: str) -> None:
    """Refuse anybody with an open sheet among these, in whatever other role."""
    waiting = sorted(sheet.entry_id for sheet in sheets if sheet.judge_id == judge_id and sheet.state in OPEN)
    if waiting:
        raise OwnSheetOpen(entry_id=waiting[0], open_sheets=len(waiting))


def blinded(
    *, blind_code: str | None, category: str, title: str | None, files: Iterable[Attachment], names: Iterable[str]
) -> BlindEntry:
    """Strip an entry of every trace of its origin; `names` are those of its people and units."""
    if not blind_code:
        raise BlindCodeMissing(category=category)

    return BlindEntry(
        blind_code=blind_code,
        category=category,
        title=None if title is None or _names_somebody(title, names) else title,
        files=tuple(file.sha256 for file in files if file.names_nobody),
    )


def _finished(sheets: Iterable[ScoreSheet], judge_id: str) -> frozenset[str]:
    """The entries whose sheet of this judge is locked, and rightly so."""
    return frozenset(sheet.entry_id for sheet in sheets if sheet.judge_id == judge_id and sheet.counts)


def _names_somebody(title: str, names: Iterable[str]) -> bool:
    plain = normalised(title)
    return any(normalised(name) in plain for name in names if normalised(name))
