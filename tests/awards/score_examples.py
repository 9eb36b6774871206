"""Named examples for the tests of scoring; what a test does not say stands here."""

from decimal import Decimal

from hypothesis import strategies as st

from services.awards.domain.rubric import Criterion
from services.awards.domain.sheet import ScoreSheet


def a_criterion(code="innovation", *, weight="1", full="10", step="1", **changes):
    return Criterion(code=code, weight=Decimal(weight), max=Decimal(full), step=Decimal(step), **changes)


def scores(**given):
    return {code: Decimal(score) for code, score in given.items()}


def sheets(table, *, code="quality"):
    """One sheet for each score of `{judge: {entry: score}}`."""
    return [
        ScoreSheet(entry_id=entry, judge_id=judge, scores={code: Decimal(score)})
        for judge, given in table.items()
        for entry, score in given.items()
    ]


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
