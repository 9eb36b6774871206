"""The schedule of a campaign is the seed's, leaves nothing out, and keeps apart what would spoil each other."""

from itertools import chain, islice

import pytest

from tests.chaos.faults import FAULTS
from tests.chaos.injection.mutants import MUTANTS
from tests.chaos.schedule import AT_ONCE, bouts

MANY = 300


def struck(seed, number=MANY, faults=FAULTS):
    return list(islice(bouts(list(faults.values()), seed), number))


def test_the_same_seed_gives_the_same_schedule_and_another_one_another():
    assert struck(7) == struck(7)
    assert struck(7) != struck(8)


def test_what_chance_decides_of_a_fault_is_the_seeds_too():
    first, again = struck(7)[0][0], struck(7)[0][0]

    assert first.random.random() == again.random.random()


def test_every_family_comes_before_any_comes_again():
    families = {fault.family for fault in FAULTS.values()}

    order = [strike.fault.family for strike in chain.from_iterable(struck(7))]

    assert set(order[: len(families)]) == families


def test_every_variant_comes_in_the_end():
    assert {strike.fault.name for strike in chain.from_iterable(struck(7))} == set(FAULTS)


def test_faults_that_overlap_strike_different_parts():
    for bout in struck(7):
        parts = [part for strike in bout for part in strike.fault.strikes]
        assert len(parts) == len(set(parts)), bout
    assert {len(bout) for bout in struck(7)} == {*range(1, AT_ONCE + 1)}


def test_one_fault_alone_comes_again_and_again():
    (strike,) = struck(7, 1, {"F5.stop": FAULTS["F5.stop"]})[0]

    assert strike.fault.name == "F5.stop"
    assert strike.fault.seconds[0] <= strike.seconds <= strike.fault.seconds[1]


@pytest.mark.parametrize("name", MUTANTS)
def test_a_mutant_is_tried_with_faults_that_there_are(name):
    known = {known for fault in FAULTS.values() for known in (fault.name, fault.family)}

    assert set(MUTANTS[name].faults) <= known
