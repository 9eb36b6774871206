"""Lifecycles: the moves that are named, and no others (X-12)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.kernel import ForbiddenMove, Lifecycle

COUNT = Lifecycle(recorded=("verified", "rejected"), verified=("superseded", "verified"))

names = st.sampled_from("abcdef")


@pytest.mark.rule("X-12")
def test_a_move_that_is_named_leads_to_its_state_and_no_other_does():
    assert COUNT.move("recorded", "verified") == "verified"
    assert COUNT.move("verified", "verified") == "verified"

    with pytest.raises(ForbiddenMove) as refused:
        COUNT.move("verified", "rejected")
    assert refused.value.involved == {"state": "verified", "to": "rejected"}


@pytest.mark.rule("X-12")
@pytest.mark.parametrize("state", ["rejected", "superseded"])
def test_a_terminal_state_refuses_every_move(state):
    assert state in COUNT.terminal

    for to in COUNT.states:
        with pytest.raises(ForbiddenMove):
            COUNT.move(state, to)


@pytest.mark.rule("X-12")
def test_what_is_done_within_a_state_is_refused_in_every_other():
    COUNT.require("verified", "recorded", "verified")

    with pytest.raises(ForbiddenMove) as refused:
        COUNT.require("rejected", "recorded", "verified")
    assert refused.value.involved == {"state": "rejected", "wanted": "recorded/verified"}


@given(st.dictionaries(names, st.lists(names, unique=True).map(tuple), min_size=1))
def test_states_are_all_that_are_named_and_terminal_are_those_that_no_move_leaves(moves):
    lifecycle = Lifecycle(**moves)
    named = set(moves) | {to for targets in moves.values() for to in targets}

    assert set(lifecycle.states) == named
    assert len(lifecycle.states) == len(named)
    assert set(lifecycle.terminal) == {state for state in named if not moves.get(state)}
