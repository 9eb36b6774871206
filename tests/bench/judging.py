"""Measures the judging of a contest as large as Sichuan's: the assignment of its entries, and their ranking."""

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
from tests.bench.result_table import Row, at_most, exit_code, show

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
    """Assign, score by chance, rank by each method, and print the table; 1 where a target was missed."""
    rows = [*assignments(), *rankings()]
    show(rows, f"{ENTRIES:,} entries, {JUDGES} judges, {PER_ENTRY} scores each")
    return exit_code(rows)


def assignments() -> Iterator[Row]:
    """Measure the proposal for a round, with conflicts by chance: its time, and how fair it is."""
    chance = Random(SEED)
    entries = {f"entry-{number}": None for number in range(ENTRIES)}
    judges = [
        Judge(person_id=f"judge-{number}", discipline_codes=(), max_load=ENTRIES, state="active")
        for number in range(JUDGES)
    ]
    conflicts = {(f"judge-{chance.randrange(JUDGES)}", f"entry-{chance.randrange(ENTRIES)}") for _ in range(CONFLICTS)}
    started = perf_counter()
    proposal = assignment.propose(entries, judges, conflicts=conflicts, per_entry=PER_ENTRY, seed=SEED)
    seconds = perf_counter() - started
    loads = proposal.loads.values()
    yield at_most("assignment, s", f"{len(proposal.pairs):,} seats", seconds, ASSIGNED_IN)
    yield at_most("difference of loads", f"{min(loads)} to {max(loads)}", max(loads) - min(loads), 1)
    yield at_most("entries not covered", "-", len(proposal.uncovered), 0)
    yield at_most("seats in conflict", f"{len(conflicts):,}", len(conflicts.intersection(proposal.pairs)), 0)


def rankings() -> Iterator[Row]:
    """Measure the way from the sheets of a round to the places, by each method."""
    sheets = list(_sheets(Random(SEED)))
    entries = {f"entry-{number}": "innovation" for number in range(ENTRIES)}
    for method in get_args(Normalisation):
        started = perf_counter()
        results = compute_results(sheets, entries=entries, scoring=SCORING, method=method)
        places = rank(results.of(entries), chain=usual_chain("innovation"))
        seconds = perf_counter() - started
        yield at_most(f"ranking by {method}, s", f"{len(places):,} places", seconds, RANKED_IN)


def _sheets(chance: Random) -> Iterator[Sheet]:
    for number in range(ENTRIES):
        for judge in chance.sample(range(JUDGES), PER_ENTRY):
            scores = {
                criterion.criterion_code: Decimal(chance.randrange(120, 200)) / 2 for criterion in RUBRIC.criteria
            }
            yield Sheet(entry_id=f"entry-{number}", judge_id=f"judge-{judge}", scores=scores)
