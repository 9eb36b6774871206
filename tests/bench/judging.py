"""Measures the judging of a contest as large as Sichuan's: who scores what, and what the scores make of the entries."""

import sys
from collections.abc import Iterator
from decimal import Decimal
from random import Random
from time import perf_counter
from typing import get_args

from services.awards.domain import assignment
from services.awards.domain.judge import Judge
from services.awards.domain.ranking import rank, usual_chain
from services.awards.domain.round_result import Scoring, compute_results
from services.awards.domain.rubric import draw_up
from services.awards.domain.sheet import Sheet
from services.contract.awards import Criterion, Normalisation
from tests.bench.against_nameko import Row, show

ENTRIES, JUDGES, PER_ENTRY = 1_620, 60, 3
CONFLICTS = 2_000
ASSIGNED_IN, RANKED_IN = 5.0, 1.0  # seconds
SEED = 2011

RUBRIC = draw_up(
    Criterion(criterion_code=code, weight=Decimal(weight), max=Decimal(100), step=Decimal("0.5"))
    for code, weight in (("innovation", 40), ("science", 30), ("practice", 30))
)
SCORING = {"innovation": Scoring(rubric=RUBRIC)}


def main() -> int:
    """Assign, score by chance, rank by each method, print the table; 1 where a target was missed."""
    found = [*assign(), *place()]
    show(found, f"{ENTRIES:,} entries, {JUDGES} judges, {PER_ENTRY} scores each")
    return 0 if all(row.is_met for row in found) else 1


def assign() -> Iterator[Row]:
    """The proposal for a round, with conflicts by chance."""
    chance = Random(SEED)
    entries = {f"entry-{number}": None for number in range(ENTRIES)}
    judges = [
        Judge(person_id=f"judge-{number}", discipline_codes=(), max_load=ENTRIES, state="active")
        for number in range(JUDGES)
    ]
    against = {(f"judge-{chance.randrange(JUDGES)}", f"entry-{chance.randrange(ENTRIES)}") for _ in range(CONFLICTS)}
    since = perf_counter()
    proposal = assignment.propose(entries, judges, conflicts=against, per_entry=PER_ENTRY, seed=SEED)
    seconds = perf_counter() - since
    loads = proposal.loads.values()
    yield Row("assignment, s", f"{len(proposal.pairs):,} seats", "-", seconds, ASSIGNED_IN, at_most=True)
    yield Row("loads apart", f"{min(loads)} to {max(loads)}", "-", max(loads) - min(loads), 1, at_most=True)
    yield Row("entries not covered", "-", "-", len(proposal.uncovered), 0, at_most=True)
    yield Row("seats in conflict", f"{len(against):,}", "-", len(against.intersection(proposal.pairs)), 0, at_most=True)


def place() -> Iterator[Row]:
    """From the sheets of a round to the places, by each method."""
    sheets = list(_sheets(Random(SEED)))
    entries = {f"entry-{number}": "innovation" for number in range(ENTRIES)}
    for method in get_args(Normalisation):
        since = perf_counter()
        results = compute_results(
            sheets, entries=entries, scoring={"innovation": Scoring(rubric=RUBRIC)}, method=method
        )
        places = rank(results.of(entries), chain=usual_chain("innovation"))
        seconds = perf_counter() - since
        yield Row(f"ranking by {method}, s", f"{len(places):,} places", "-", seconds, RANKED_IN, at_most=True)


def _sheets(chance: Random) -> Iterator[Sheet]:
    for number in range(ENTRIES):
        for judge in chance.sample(range(JUDGES), PER_ENTRY):
            scores = {one.criterion_code: Decimal(chance.randrange(120, 200)) / 2 for one in RUBRIC.criteria}
            yield Sheet(entry_id=f"entry-{number}", judge_id=f"judge-{judge}", scores=scores)


if __name__ == "__main__":
    sys.exit(main())
