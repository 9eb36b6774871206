"""Standings (评审名次): the places that the sheets of a round give its entries, category by category.

A pure function of the edition's rules, the sheets and the committee's votes: anybody who has these computes the same.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from services.awards.domain import rubric
from services.awards.domain.ranking import Place, TieBreak, Vote, cut, rank, resolve_tie
from services.awards.domain.round_result import RoundResult, RoundResults, Scoring, combine, compute_results
from services.awards.domain.rules import Rules
from services.awards.domain.sheet import Sheet
from services.contract.awards import EditionCategory, TieStep

Results = Mapping[str, RoundResult]
"""By entry."""


@dataclass(frozen=True, kw_only=True)
class Standings:
    """The place of each entry in its category, with the method and the sheets that made it."""

    method: str
    inputs_hash: str
    results: Results  # of this round alone
    places: Mapping[str, tuple[Place, ...]]  # by category, best first; over the rounds so far


def of_round(
    rules: Rules,
    *,
    round_no: int,
    entries: Mapping[str, str],
    sheets: Collection[Sheet],
    earlier: Sequence[Results] = (),
    votes: Iterable[Vote] = (),
    out: Collection[str] = (),
) -> Standings:
    """Compute a round from its sheets; `entries` are ids with their categories."""
    scoring = {
        category.category_code: Scoring(
            rubric=rubric.of_category(category, round_no=round_no), min_scores=category.min_scores
        )
        for category in rules.categories
    }
    computed = compute_results(sheets, entries=entries, scoring=scoring, method=rules.normalisation)
    return of_results(rules, computed, round_no=round_no, entries=entries, earlier=earlier, votes=votes, out=out)


def of_results(
    rules: Rules,
    computed: RoundResults,
    *,
    round_no: int,
    entries: Mapping[str, str],
    earlier: Sequence[Results] = (),
    votes: Iterable[Vote] = (),
    out: Collection[str] = (),
) -> Standings:
    """Rank the entries by these results; those `out` were excluded since and have no place."""
    reached = combine((*earlier, computed.by_entry), weights=_weights(rules, round_no))
    return Standings(
        method=computed.method,
        inputs_hash=computed.inputs_hash,
        results=computed.by_entry,
        places={
            category.category_code: _places(category, rules.tie_break, of_category, tuple(votes))
            for category in rules.categories
            if (of_category := [reached[id_] for id_, code in entries.items() if _is_in(id_, code, category, out)])
        },
    )


def advance(standings: Standings, rules: Rules, *, round_no: int) -> tuple[str, ...]:
    """List the entries that go on: the round's share of each category, a broken place included; in the last one all.

    Raises `BoundaryTie` where the committee has to vote first (A-19).
    """
    percent = rules.judging[round_no - 1].advance_percent
    return tuple(
        sorted(
            place.entry_id
            for places in standings.places.values()
            for place in _share(places, 100 if percent is None else percent, rules)
        )
    )


def with_vote(standings: Standings, vote: Vote, *, category_code: str) -> tuple[Place, ...]:
    """Return the places of a category after a vote; raises `NotTied` or `MinuteMissing` (A-19)."""
    return resolve_tie(standings.places.get(category_code, ()), vote)


def _share(places: Sequence[Place], percent: int, rules: Rules) -> tuple[Place, ...]:
    number = -(-len(places) * percent // 100)
    return cut(places, number, edge=rules.tie_policy).within


def _weights(rules: Rules, round_no: int) -> tuple[int, ...]:
    """The weight of each round so far; a round of weight 0 selects by its own scores and counts no further."""
    *earlier, this = (round_.weight for round_ in rules.judging[:round_no])
    return (*earlier, this) if this else (*(0 for _ in earlier), 1)


def _is_in(entry_id: str, category_code: str, category: EditionCategory, out: Collection[str]) -> bool:
    return category_code == category.category_code and entry_id not in out


def _places(
    category: EditionCategory, steps: Iterable[TieStep], results: Iterable[RoundResult], votes: Iterable[Vote]
) -> tuple[Place, ...]:
    places = rank(results, chain=_chain(category, steps))
    for vote in votes:
        if _is_tie(places, vote):
            places = resolve_tie(places, vote)
    return places


def _is_tie(places: Sequence[Place], vote: Vote) -> bool:
    """True where this vote still meets a tie; where sheets changed since, it may decide nothing any more."""
    tied = defaultdict(set)
    for place in places:
        if place.is_tied:
            tied[place.rank].add(place.entry_id)
    return set(vote.order) in tied.values()


def _chain(category: EditionCategory, steps: Iterable[TieStep]) -> tuple[TieBreak, ...]:
    """The steps between the adjusted mean, which comes first, and the committee, which comes last."""
    named = category.rubric[0].criterion_code if category.rubric else None
    known = {
        "trimmed_mean": TieBreak(step="trimmed_mean"),
        "criterion": TieBreak(step="criterion", criterion=named),
        "first_ranks": TieBreak(step="first_ranks"),
        "lower_stdev": TieBreak(step="lower_stdev"),
    }
    return tuple(known[step] for step in steps if step in known)
