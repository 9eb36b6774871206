"""Entry results: the figures of each entry of a closed round, void as soon as it is open again."""

from dataclasses import replace

import pytest

from services import contract
from services.awards.domain import entry_result
from services.awards.domain.entry_result import LIFECYCLE
from services.kernel import Change
from tests.awards.rounds import a_round, judged

TABLE = {"judge-a": {"e1": 90, "e2": 70, "e3": 60}, "judge-b": {"e1": 88, "e2": 40, "e3": 60}}


def results(*, disagreement=None, table=TABLE, **changes):
    standings = judged(a_round("e1", "e2", "e3"), table, **changes).standings()
    return entry_result.of_standings(
        standings, edition_id="e-1", round_no=1, advanced=frozenset({"e1", "e2"}), disagreement=disagreement
    )


def test_a_result_says_what_an_entry_reached_and_by_which_step_it_has_its_place():
    first = results()["e1"]

    assert (first.rank, first.decided_by, first.advances, first.score_count) == (1, "adjusted_mean", True, 2)
    assert (str(first.raw_mean), str(first.adjusted), str(first.spread)) == ("89.0000", "89.0000", "2.0000")
    assert {entry_id: one.rank for entry_id, one in results().items()} == {"e1": 1, "e2": 3, "e3": 2}


@pytest.mark.parametrize(("limit", "disputed"), [(None, []), (29, ["e2"]), (30, [])])
def test_judges_that_are_further_apart_than_the_edition_takes_are_told(limit, disputed):
    found = results(disagreement=limit)

    assert [entry_id for entry_id, one in found.items() if one.disputed] == disputed


@pytest.mark.parametrize("state", [None, *LIFECYCLE.states])
def test_a_result_is_written_down_once_and_void_as_long_as_its_round_is_open(state):
    computed = results()["e1"]
    held = None if state is None else replace(computed, state=state)

    counted, reopened = (entry_result.follow(held, computed=one) for one in (computed, None))

    assert counted == (None if state == "standing" else Change(computed, "computed"))
    assert reopened == (Change(replace(computed, state="void"), "voided") if state == "standing" else None)


def test_the_states_and_happenings_are_those_of_the_contract():
    assert set(LIFECYCLE.states) == set(contract.awards.EntryResult.kind.states)
    assert set(contract.awards.EntryResult.kind.happenings) == {"computed", "voided"}
