"""Named examples for the tests of scoring; what a test does not say stands here."""

from dataclasses import replace
from decimal import Decimal

from hypothesis import strategies as st

from services.awards.domain.ranking import rank, usual_chain
from services.awards.domain.round_result import RoundResult, Scoring, compute_results
from services.awards.domain.rubric import draw_up
from services.awards.domain.sheet import Sheet
from services.contract.awards import Criterion

PAINTING = "science_fantasy_painting"


def a_criterion(code="innovation", *, weight="1", full="10", step="1", **changes):
    return Criterion(criterion_code=code, weight=Decimal(weight), max=Decimal(full), step=Decimal(step), **changes)


def out_of_100(**changes):
    """A rubric of one criterion, so that the score is the total."""
    return draw_up([a_criterion("quality", full="100", step="0.01", **changes)])


def scores(**given):
    return {code: Decimal(score) for code, score in given.items()}


def sheets(table, *, code="quality"):
    """One sheet for each score of `{judge: {entry: score}}`."""
    return [
        Sheet(entry_id=entry, judge_id=judge, scores={code: Decimal(score)})
        for judge, given in table.items()
        for entry, score in given.items()
    ]


def results_of(of, *, rubric=None, min_scores=1, **changes):
    """The results of a round of one category, in which every entry has a sheet."""
    entries = {sheet.entry_id: PAINTING for sheet in of}
    scoring = {PAINTING: Scoring(rubric=rubric or out_of_100(), min_scores=min_scores)}
    return compute_results(of, **{"entries": entries, "scoring": scoring, **changes})


def adjusted(results):
    return {entry: str(result.adjusted) for entry, result in results.by_entry.items()}


A_RESULT = RoundResult(
    entry_id="e1",
    n=3,
    raw_mean=Decimal("80.0000"),
    adjusted=Decimal("80.0000"),
    trimmed_mean=Decimal("80.0000"),
    stdev=Decimal("2.0000"),
    spread=Decimal("4.0000"),
    first_ranks=0,
    criteria={"innovation": Decimal("8.0000")},
)


def a_result(entry_id="e1", **figures):
    named = {name: Decimal(str(figure)) if name != "first_ranks" else figure for name, figure in figures.items()}
    return replace(A_RESULT, entry_id=entry_id, **named)


def places(*reached, chain=()):
    """The places of entries e1, e2, ... that reached so much."""
    found = [a_result(f"e{number}", adjusted=score) for number, score in enumerate(reached, start=1)]
    return rank(found, chain=chain)


def ranked(results, **changes):
    chain = changes.get("chain", usual_chain("quality"))
    return {place.entry_id: (place.rank, place.decided_by) for place in rank(results.by_entry.values(), chain=chain)}


@st.composite
def tables(draw, *, least_judges=1, most_judges=7, most_entries=8):
    """Tables of scores with gaps, in which every entry and every judge has a score."""
    entries = [f"e{number}" for number in range(draw(st.integers(1, most_entries)))]
    judges = [f"j{number}" for number in range(draw(st.integers(least_judges, most_judges)))]
    score = st.integers(0, 20).map(lambda half: Decimal(half) / 2)
    return {
        judge: {
            entry: draw(score)
            for place, entry in enumerate(entries)
            if place % len(judges) == number % len(entries) or draw(st.booleans())
        }
        or {entries[0]: draw(score)}
        for number, judge in enumerate(judges)
    }
