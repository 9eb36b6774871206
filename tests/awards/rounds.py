"""Named examples of rounds; what a test does not say stands here."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

from services.awards.domain import judging_round
from services.awards.domain.score_sheet import Scores, ScoreSheet
from services.contract.awards import RoundRules
from tests.awards import examples

DAY = date(2011, 4, 12)  # within the window of judging
TWO_ROUNDS = (
    RoundRules(judge_from=date(2011, 4, 10), judge_to=date(2011, 4, 14), weight=25, advance_percent=50),
    RoundRules(judge_from=date(2011, 4, 15), judge_to=date(2011, 4, 20), weight=75),
)


def an_edition(*, state="judging", min_scores=2, **changes):
    """Innovation projects, judged by two; ties at an edge go to the committee."""
    rules = examples.some_rules(categories=(examples.a_category(min_scores=min_scores),), **changes)
    return examples.an_edition(state=state, rules=rules)


def entries(*ids, state="in_review", **other):
    """Entries of the innovation category in this state, and others as they are said."""
    one = examples.an_entry()
    return {id_: replace(one, state=state) for id_ in ids} | {
        id_: replace(one, state=said) for id_, said in other.items()
    }


def sheets(table, *, round_no=1, state="locked", **changes):
    """One sheet for each score of `{judge: {entry: score}}`."""
    return [
        ScoreSheet(
            edition_id="e-1",
            round_no=round_no,
            entry_id=entry,
            judge_id=judge,
            versions=(Scores(values={"innovation": Decimal(score)}, by=judge),),
            locked_at=datetime(2011, 4, 14, tzinfo=UTC) if state == "locked" else None,
            state=state,
            **changes,
        )
        for judge, given in table.items()
        for entry, score in given.items()
    ]


def a_round(*ids, state="open", round_no=1, is_last=True, **changes):
    return judging_round.Round(
        edition_id="e-1",
        programme_kind="youth",
        round_no=round_no,
        is_last=is_last,
        entry_ids=ids,
        started_on=date(2011, 4, 10),
        state=state,
        **changes,
    )


def judged(held, table, *, edition=None, of=None, earlier=(), **changes):
    """What a round is computed from, where these are the sheets of the last one."""
    of = of or entries(*{entry for given in table.values() for entry in given})
    found = sheets(table, round_no=held.round_no, **changes)
    return judging_round.gather((*earlier, held), edition=edition or an_edition(), entries=of, sheets=found)
