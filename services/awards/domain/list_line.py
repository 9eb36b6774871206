"""Lines of an award list: the grades that follow from the results, and the prizes beside them.

Where the committee departs from the results it says why (A-20); `award_list` has how grades are given.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import get_args

from services.awards.domain.award_list import Decision, Line, NotRanked, Quotas, award_list
from services.awards.domain.edition import Edition
from services.awards.domain.entry import Entry
from services.awards.domain.judging_round import Round, gather
from services.awards.domain.ranking import Place
from services.awards.domain.score_sheet import ScoreSheet
from services.contract.awards import EditionCategory, NoticeLine, PrizeKind, Quota, SubjectType
from services.kernel import Refusal

PRIZES_FOR: Mapping[PrizeKind, tuple[SubjectType, ...]] = {
    "special": get_args(SubjectType),
    "organisation": ("organisation",),
    "tutor": ("person",),
    "commendation": get_args(SubjectType),
}


class ResultsChanged(Refusal, rule="A-20", zh="评审结束后评分有变化，须重开该轮评审"):
    """A list follows from the scores that its last round was closed with."""


class ListedTwice(Refusal, rule="A-20", zh="同一对象的同一奖项在名单上只能列出一次"):
    """A prize is on the list once for each subject."""


class WrongSubject(Refusal, rule="A-20", zh="该奖项不授予这类对象"):
    """An organisation's prize goes to an organisation, and a tutor's to a person."""


@dataclass(frozen=True, kw_only=True)
class Results:
    """The results of an edition's rounds, by category: the places, and how many entries were judged at first."""

    inputs_hash: str
    places: Mapping[str, Sequence[Place]]
    judged: Mapping[str, int]


@dataclass(frozen=True, kw_only=True)
class OtherAward:
    """A prize beside the grades; an entry may have both."""

    award_kind: PrizeKind
    subject_type: SubjectType
    subject_id: str


def results_of(
    rounds: Sequence[Round], *, edition: Edition, entries: Mapping[str, Entry], sheets: Collection[ScoreSheet]
) -> Results:
    """Compute the rounds of an edition again, as they were closed; `entries` and `sheets` are all of it."""
    standings = gather(rounds, edition=edition, entries=entries, sheets=sheets).standings(rounds[-1].votes)
    if standings.inputs_hash != rounds[-1].inputs_hash:
        raise ResultsChanged(round_no=rounds[-1].round_no)

    judged = Counter(entries[entry_id].category_code for entry_id in rounds[0].entry_ids)
    return Results(inputs_hash=standings.inputs_hash, places=standings.places, judged=judged)


def draw_up(
    edition: Edition,
    results: Results,
    *,
    proposed: Collection[str],
    decisions: Iterable[Decision] = (),
    other_awards: Sequence[OtherAward] = (),
) -> tuple[NoticeLine, ...]:
    """Draw up a list's lines: grades by category and rank, then the other prizes; of entries still `proposed`.

    An entry disqualified after the last round leaves a gap in the ranks, and its place to the next one.
    """
    places = {
        code: [place for place in ranked if place.entry_id in proposed] for code, ranked in results.places.items()
    }
    graded = award_list(
        places,
        quotas={code: _quotas(edition.category(code), judged=results.judged[code]) for code in places},
        edge=edition.tie_policy,
        cap=_share(edition.award_cap_percent),
        decisions=decisions,
    )
    _fit_to_award(other_awards, proposed=proposed)
    prizes = [*(_graded(line) for line in graded if line.grade != "none"), *map(_other, other_awards)]
    return tuple(replace(prize, line_no=number) for number, prize in enumerate(prizes, start=1))


def _quotas(category: EditionCategory | None, *, judged: int) -> Quotas:
    quotas = category.quotas if category else ()
    return Quotas(entries=judged, grades={quota.grade: _quota(quota) for quota in quotas})


def _quota(quota: Quota) -> int | Decimal:
    return _share(quota.percent) if quota.percent is not None else quota.places or 0


def _share(percent: int) -> Decimal:
    return Decimal(percent) / 100


def _fit_to_award(other_awards: Sequence[OtherAward], *, proposed: Collection[str]) -> None:
    for award in other_awards:
        if award.subject_type not in PRIZES_FOR.get(award.award_kind, ()):
            raise WrongSubject(award_kind=award.award_kind, subject_type=award.subject_type)
        if award.subject_type == "entry" and award.subject_id not in proposed:
            raise NotRanked(entries=award.subject_id)
    if twice := [award for award, times in Counter(other_awards).items() if times > 1]:
        raise ListedTwice(subject_id=", ".join(award.subject_id for award in twice))


def _graded(line: Line) -> NoticeLine:
    return NoticeLine(
        line_no=0,
        award_kind="graded",
        grade=line.grade,
        subject_type="entry",
        subject_id=line.entry_id,
        entry_id=line.entry_id,
        category_code=line.category,
        rank=line.rank,
        decided_by=line.decided_by,
        departs=line.decision is not None,
        state="proposed",
    )


def _other(award: OtherAward) -> NoticeLine:
    return NoticeLine(
        line_no=0,
        award_kind=award.award_kind,
        grade="none",
        subject_type=award.subject_type,
        subject_id=award.subject_id,
        entry_id=award.subject_id if award.subject_type == "entry" else None,
        category_code=None,
        rank=None,
        decided_by=None,
        departs=False,
        state="proposed",
    )
