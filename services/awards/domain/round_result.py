"""Round results: the figures of each entry in a round; a pure function of the sheets, so anybody can recompute them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction

from services.awards.domain.figure import WHOLE, kept, mean, root, trimmed_mean, units, variance
from services.awards.domain.normalisation import LEAST, Mark, centre, normalise, usual_method
from services.awards.domain.rubric import Rubric
from services.awards.domain.sheet import Sheet, examine, inputs_hash, require_single, total
from services.kernel import Refusal


class TooFewScores(Refusal, rule="A-17", zh="有项目的评分份数不足，不能结束本轮评审"):
    """A round closes once every entry has as many scores as its category asks for."""


class ForeignSheet(Refusal, rule="A-14", zh="评分的项目不在本轮评审之内"):
    """A sheet scores an entry of its round."""


class RoundMissing(Refusal, rule="A-17", zh="有项目缺少某一轮的评审结果"):
    """An entry ranked over several rounds has a result of each."""


@dataclass(frozen=True, kw_only=True)
class Scoring:
    """The way in which a category's entries are scored."""

    rubric: Rubric
    min_scores: int = 1


@dataclass(frozen=True, kw_only=True)
class RoundResult:
    """The figures of an entry; all but `raw_mean` and `criteria` are made of the marks as the method compares them."""

    entry_id: str
    n: int
    raw_mean: Decimal
    adjusted: Decimal
    trimmed_mean: Decimal
    stdev: Decimal | None  # None: one judge alone cannot disagree
    spread: Decimal | None
    first_ranks: int  # judges who saw several of its category and none better
    criteria: Mapping[str, Decimal]  # the mean score by criterion
    unadjusted_by: tuple[str, ...] = ()  # judges without a z-score


@dataclass(frozen=True, kw_only=True)
class RoundResults:
    """The results of a round with the method that made them."""

    method: str
    inputs_hash: str
    by_entry: Mapping[str, RoundResult]

    def of(self, entry_ids: Iterable[str]) -> tuple[RoundResult, ...]:
        """The results of these entries alone."""
        return tuple(self.by_entry[entry_id] for entry_id in entry_ids)


def compute_results(
    sheets: Collection[Sheet],
    *,
    entries: Mapping[str, str],
    scoring: Mapping[str, Scoring],
    method: str | None = None,
    least: int = LEAST,
) -> RoundResults:
    """Compute a round; `entries` has the category of each entry, `scoring` the way a category is scored.

    Without a method the usual one is taken. Z-scores are formed over all sheets of the round, whatever the category.
    """
    _require_sheets(sheets, entries=entries, scoring=scoring)
    raw = [_mark(sheet, scoring[entries[sheet.entry_id]].rubric) for sheet in sheets]
    method = method or usual_method(raw)
    middle = centre(method)

    totals, compared = _by_entry(raw), _by_entry(normalise(raw, method=method, least=least))
    scores = _scores(sheets)
    firsts = Counter(mark.entry_id for mark in _firsts(raw, entries=entries))
    by_entry = {
        entry_id: RoundResult(
            entry_id=entry_id,
            n=len(marks),
            raw_mean=kept(mean(_values(totals[entry_id]))),
            adjusted=kept(middle(_values(marks))),
            trimmed_mean=kept(trimmed_mean(_values(marks))),
            stdev=_stdev(marks),
            spread=_spread(marks),
            first_ranks=firsts[entry_id],
            criteria=_means(scores[entry_id]),
            unadjusted_by=_unadjusted(marks) if method == "z_global" else (),
        )
        for entry_id, marks in sorted(compared.items())
    }
    return RoundResults(method=method, inputs_hash=inputs_hash(sheets), by_entry=by_entry)


def combine(rounds: Sequence[Mapping[str, RoundResult]], *, weights: Sequence[int]) -> Mapping[str, RoundResult]:
    """Weight the adjusted scores of all rounds into the results of the last one, for instance 25 to 75.

    It uses the figures that the rounds kept, and ties are broken by the figures of the last one.
    """
    return {entry_id: _combined(entry_id, rounds, weights) for entry_id in rounds[-1]}


def disagrees(result: RoundResult, *, stdev: Decimal | None = None, spread: Decimal | None = None) -> bool:
    """True where the judges are further apart than a threshold: another judge or a discussion is due."""
    limits = ((result.stdev, stdev), (result.spread, spread))
    return any(value is not None and limit is not None and value > limit for value, limit in limits)


def _require_sheets(sheets: Collection[Sheet], *, entries: Mapping[str, str], scoring: Mapping[str, Scoring]) -> None:
    require_single(sheets)
    for sheet in sheets:
        if sheet.entry_id not in entries:
            raise ForeignSheet(judge_id=sheet.judge_id, entry_id=sheet.entry_id)
        examine(sheet.scores, rubric=scoring[entries[sheet.entry_id]].rubric)

    counted = Counter(sheet.entry_id for sheet in sheets)
    short = {
        entry_id: counted[entry_id] for entry_id, of in entries.items() if counted[entry_id] < scoring[of].min_scores
    }
    if short:
        raise TooFewScores(scores=", ".join(f"{entry_id}: {n}" for entry_id, n in sorted(short.items())))


def _mark(sheet: Sheet, rubric: Rubric) -> Mark:
    return Mark(entry_id=sheet.entry_id, judge_id=sheet.judge_id, value=total(sheet.scores, rubric=rubric))


def _by_entry(marks: Iterable[Mark]) -> dict[str, list[Mark]]:
    by_entry = defaultdict(list)
    for mark in marks:
        by_entry[mark.entry_id].append(mark)
    return by_entry


def _scores(sheets: Iterable[Sheet]) -> dict[str, dict[str, list[Decimal]]]:
    """The judges' scores by entry and criterion."""
    scores: dict[str, dict[str, list[Decimal]]] = defaultdict(lambda: defaultdict(list))
    for sheet in sheets:
        for code, score in sheet.scores.items():
            scores[sheet.entry_id][code].append(score)
    return scores


def _means(scores: Mapping[str, Sequence[Decimal]]) -> Mapping[str, Decimal]:
    return {code: kept(Fraction(sum(map(units, given)), len(given) * WHOLE)) for code, given in sorted(scores.items())}


def _values(marks: Sequence[Mark]) -> list[Fraction]:
    return [mark.value for mark in marks]


def _unadjusted(marks: Iterable[Mark]) -> tuple[str, ...]:
    return tuple(sorted(mark.judge_id for mark in marks if not mark.adjusted))


def _firsts(marks: Iterable[Mark], *, entries: Mapping[str, str]) -> Iterator[Mark]:
    """The best marks of each judge in each category of which this judge saw several entries."""
    seen = defaultdict(list)
    for mark in marks:
        seen[mark.judge_id, entries[mark.entry_id]].append(mark)
    for several in seen.values():
        if len(several) > 1:
            best = max(mark.value for mark in several)
            yield from (mark for mark in several if mark.value == best)


def _stdev(marks: Sequence[Mark]) -> Decimal | None:
    return kept(root(variance(_values(marks)))) if len(marks) > 1 else None


def _spread(marks: Sequence[Mark]) -> Decimal | None:
    return kept(max(_values(marks)) - min(_values(marks))) if len(marks) > 1 else None


def _combined(entry_id: str, rounds: Sequence[Mapping[str, RoundResult]], weights: Sequence[int]) -> RoundResult:
    if missing := [no for no, results in enumerate(rounds, start=1) if entry_id not in results]:
        raise RoundMissing(entry_id=entry_id, rounds=", ".join(map(str, missing)))

    reached = [Fraction(results[entry_id].adjusted) for results in rounds]
    weighted = sum(score * weight for score, weight in zip(reached, weights, strict=True))
    return replace(rounds[-1][entry_id], adjusted=kept(Fraction(weighted, sum(weights))))
