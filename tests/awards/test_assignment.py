"""The rules of assignment: what a proposal never does, and what it does as well as can be."""

from itertools import combinations, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.awards.domain.assignment import Pair, Uncovered, propose
from services.kernel.quantity import NotWhole
from tests.awards.judging import a_judge

DISCIPLINES = ["agriculture", "physics", "biology"]


def judges_of(people):
    return [a_judge(f"p-{number}", **changes) for number, changes in enumerate(people)]


@st.composite
def rounds(draw, *, most_judges=6, most_entries=8, disjoint=True):
    """Everything that a proposal depends on."""
    person = st.fixed_dictionaries(
        {
            "discipline_codes": st.lists(st.sampled_from(DISCIPLINES), unique=True).map(tuple),
            "max_load": st.integers(0, 6),
            "state": st.sampled_from(["active", "active", "active", "invited", "suspended"]),
        }
    )
    judges = judges_of(draw(st.lists(person, max_size=most_judges)))
    entries = {
        f"e-{number}": discipline
        for number, discipline in enumerate(
            draw(st.lists(st.sampled_from([None, *DISCIPLINES]), min_size=1, max_size=most_entries))
        )
    }
    judge_ids = st.sampled_from([judge.person_id for judge in judges] + ["p-elsewhere"])
    pairs = st.frozensets(st.tuples(judge_ids, st.sampled_from(list(entries))), max_size=8)
    return {
        "entries": entries,
        "judges": judges,
        "conflicts": draw(pairs),
        "per_entry": draw(st.integers(0, 3)),
        "disjoint": draw(st.frozensets(st.tuples(judge_ids, judge_ids), max_size=4)) if disjoint else frozenset(),
        "held": draw(st.frozensets(st.tuples(judge_ids, st.sampled_from(list(entries))), max_size=4)),
        "seed": draw(st.integers(0, 99)),
    }


def panels(pairs, entries):
    return {entry_id: {judge_id for judge_id, of in pairs if of == entry_id} for entry_id in entries}


@pytest.mark.rule("A-09")
@settings(deadline=None)
@given(rounds())
def test_a_proposal_never_has_a_pair_with_a_conflict(given_round):
    proposal = propose(**given_round)

    assert not set(proposal.pairs) & given_round["conflicts"]
    assert set(proposal.struck) == given_round["held"] & given_round["conflicts"]


@settings(deadline=None)
@given(rounds())
def test_what_is_held_stays_and_nothing_else_is_there_but_what_was_added(given_round):
    proposal = propose(**given_round)

    held = given_round["held"] - given_round["conflicts"]
    assert held <= set(proposal.pairs)
    assert set(proposal.pairs) == held | set(proposal.added)
    assert not set(proposal.added) & given_round["held"]


@settings(deadline=None)
@given(rounds())
def test_only_active_judges_are_added_and_none_beyond_the_load(given_round):
    proposal = propose(**given_round)

    known = {judge.person_id: judge for judge in given_round["judges"]}
    for judge_id, load in proposal.loads.items():
        held = sum(pair[0] == judge_id for pair in given_round["held"])
        added = sum(pair.judge_id == judge_id for pair in proposal.added)
        assert load == held + added
        assert not added or (known[judge_id].is_active and load <= known[judge_id].max_load)


@settings(deadline=None)
@given(rounds())
def test_two_who_are_apart_never_sit_together_unless_both_are_held(given_round):
    proposal = propose(**given_round)

    for entry_id, panel in panels(proposal.pairs, given_round["entries"]).items():
        for one, other in given_round["disjoint"]:
            together = {(one, entry_id), (other, entry_id)}
            assert one == other or not {one, other} <= panel or together <= given_round["held"]


@settings(deadline=None)
@given(rounds())
def test_no_entry_has_more_than_its_seats_and_for_each_empty_one_every_judge_has_a_reason(given_round):
    proposal = propose(**given_round)

    short = {one.entry_id: one for one in proposal.uncovered}
    for entry_id, panel in panels(proposal.pairs, given_round["entries"]).items():
        held = sum(pair[1] == entry_id for pair in given_round["held"])
        assert len(panel) <= max(given_round["per_entry"], held)
        assert (entry_id in short) == (len(panel) < given_round["per_entry"])
        if entry_id in short:
            one = short[entry_id]
            away = [judge for judge in given_round["judges"] if judge.person_id not in panel]
            assert one.missing == given_round["per_entry"] - len(panel)
            assert one.inactive + one.conflict + one.colleague + one.full == len(away)


@settings(deadline=None)
@given(rounds(), st.randoms(use_true_random=False))
def test_the_same_input_gives_the_same_proposal_in_whatever_order_it_comes(given_round, random):
    def shuffled(some):
        return random.sample(list(some), len(some))

    other_order = {
        **given_round,
        "entries": dict(shuffled(given_round["entries"].items())),
        "judges": shuffled(given_round["judges"]),
        "conflicts": shuffled(given_round["conflicts"]),
        "disjoint": [(other, one) for one, other in shuffled(given_round["disjoint"])],
        "held": shuffled(given_round["held"]),
    }

    assert propose(**other_order) == propose(**given_round)


def test_another_seed_decides_otherwise_between_what_is_equally_good():
    entries, judges = {f"e-{number}": None for number in range(6)}, judges_of([{}] * 6)

    proposals = {propose(entries, judges, conflicts=(), per_entry=1, seed=seed).pairs for seed in range(5)}

    assert len(proposals) > 1


@settings(deadline=None)
@given(entries=st.integers(1, 30), judges=st.integers(3, 9), per_entry=st.integers(1, 3))
def test_loads_are_within_one_of_each_other_where_nothing_forbids_it(entries, judges, per_entry):
    proposal = propose(
        {f"e-{number}": None for number in range(entries)},
        judges_of([{"max_load": 90}] * judges),
        conflicts=(),
        per_entry=per_entry,
        seed=1,
    )

    assert proposal.uncovered == ()
    assert max(proposal.loads.values()) - min(proposal.loads.values()) <= 1


@settings(deadline=None)
@given(rounds(most_judges=4, most_entries=3, disjoint=False))
def test_nothing_fills_more_seats_and_of_full_panels_none_fits_better_or_is_more_even(given_round):
    proposal = propose(**given_round)

    added, off_discipline, unevenness = best_of_all(**given_round)
    assert len(proposal.added) == added
    if not proposal.uncovered:
        assert len(proposal.off_discipline) == off_discipline
        assert sum(load**2 for load in proposal.loads.values()) == unevenness


def best_of_all(entries, judges, *, conflicts, per_entry, disjoint, held, seed):
    """How well it can be done, by trying everything: seats filled, of these off the discipline, squares of loads."""
    del disjoint, seed
    known = {judge.person_id: judge for judge in judges}
    barred = conflicts | held

    def choices(entry_id):
        seats = max(per_entry - len({pair for pair in held - conflicts if pair[1] == entry_id}), 0)
        free = [judge.person_id for judge in judges if judge.is_active and (judge.person_id, entry_id) not in barred]
        return [
            [(judge_id, entry_id) for judge_id in panel]
            for size in range(seats + 1)
            for panel in combinations(free, size)
        ]

    tried = []
    for chosen in product(*map(choices, entries)):
        added = [pair for panel in chosen for pair in panel]
        loads = dict.fromkeys({*known, *(judge_id for judge_id, _ in held)}, 0)
        for judge_id, _ in (*held, *added):
            loads[judge_id] += 1
        if all(loads[judge_id] <= known[judge_id].max_load for judge_id, _ in added):
            off = sum(entries[of] is not None and entries[of] not in known[who].discipline_codes for who, of in added)
            tried.append((-len(added), off, sum(load**2 for load in loads.values())))
    seats, off_discipline, unevenness = min(tried)
    return -seats, off_discipline, unevenness


def test_a_judge_of_the_discipline_comes_before_one_with_less_to_do():
    judges = [a_judge("p-1", discipline_codes=("physics",)), a_judge("p-2", discipline_codes=("biology",))]

    proposal = propose({"e-1": "physics", "e-2": "physics"}, judges, conflicts=(), per_entry=1, seed=1)
    assert proposal.loads == {"p-1": 2, "p-2": 0}
    assert proposal.off_discipline == ()

    fully_loaded = [a_judge("p-1", discipline_codes=("physics",), max_load=1), judges[1]]
    proposal = propose({"e-1": "physics", "e-2": "physics"}, fully_loaded, conflicts=(), per_entry=1, seed=1)
    assert proposal.loads == {"p-1": 1, "p-2": 1}
    assert [pair.judge_id for pair in proposal.off_discipline] == ["p-2"]


def test_a_judge_hands_an_entry_on_to_make_room_for_one_that_nobody_else_can_take():
    judges = judges_of([{"max_load": 1}, {"max_load": 1}])

    for seed in range(8):
        proposal = propose({"e-1": None, "e-2": None}, judges, conflicts={("p-1", "e-1")}, per_entry=1, seed=seed)
        assert proposal.pairs == (("p-0", "e-1"), ("p-1", "e-2"))


def test_room_is_not_made_in_a_way_that_seats_two_together_who_are_apart():
    judges, apart = judges_of([{"max_load": 2}] * 3), {("p-0", "p-2"), ("p-1", "p-2")}

    for seed in range(8):
        proposal = propose(
            {"e-1": None, "e-2": None}, judges, conflicts={("p-2", "e-2")}, per_entry=2, disjoint=apart, seed=seed
        )
        assert panels(proposal.pairs, ["e-1", "e-2"]) in (
            {"e-1": {"p-0", "p-1"}, "e-2": {"p-0", "p-1"}},
            {"e-1": {"p-2"}, "e-2": {"p-0", "p-1"}},
        )


def test_room_is_never_made_by_taking_away_what_is_held():
    judges = judges_of([{"max_load": 1}, {"max_load": 1}])

    proposal = propose(
        {"e-1": None, "e-2": None},
        judges,
        conflicts={("p-1", "e-1")},
        per_entry=1,
        held={("p-0", "e-2")},
        seed=1,
    )

    assert proposal.pairs == (Pair("p-0", "e-2"),)
    assert proposal.uncovered == (Uncovered(entry_id="e-1", missing=1, inactive=0, conflict=1, colleague=0, full=1),)


def test_an_entry_that_stays_short_says_what_kept_each_judge_away():
    judges = [
        a_judge("p-1"),
        a_judge("p-2"),
        a_judge("p-3"),
        a_judge("p-4", max_load=0),
        a_judge("p-5", state="suspended"),
    ]

    proposal = propose(
        {"e-1": None}, judges, conflicts={("p-3", "e-1")}, per_entry=3, disjoint={("p-1", "p-2")}, seed=1
    )

    assert proposal.uncovered == (Uncovered(entry_id="e-1", missing=2, inactive=1, conflict=1, colleague=1, full=1),)


def test_an_entry_on_which_two_who_are_apart_are_held_gets_its_third_judge():
    held = {("p-0", "e-1"), ("p-1", "e-1")}

    proposal = propose(
        {"e-1": None}, judges_of([{}] * 3), conflicts=(), per_entry=3, disjoint={("p-0", "p-1")}, held=held, seed=1
    )

    assert proposal.added == (Pair("p-2", "e-1"),)


def test_a_held_pair_that_came_into_conflict_fills_no_seat_and_is_reported():
    proposal = propose(
        {"e-1": None}, judges_of([{}, {}]), conflicts={("p-0", "e-1")}, per_entry=1, held={("p-0", "e-1")}, seed=1
    )

    assert proposal.struck == (Pair("p-0", "e-1"),)
    assert proposal.pairs == (Pair("p-1", "e-1"),)


@pytest.mark.rule("X-06")
def test_seats_are_a_whole_number():
    with pytest.raises(NotWhole):
        propose({"e-1": None}, [], conflicts=(), per_entry=-1, seed=1)


def test_a_province_of_1620_entries_and_60_judges_is_covered_without_conflict_and_evenly():
    entries = {f"e-{number}": DISCIPLINES[number % 3] for number in range(1620)}
    judges = [
        a_judge(f"p-{number}", discipline_codes=(DISCIPLINES[number % 3], DISCIPLINES[number % 2]), max_load=100)
        for number in range(60)
    ]
    conflicts = {(f"p-{number * 7 % 60}", f"e-{number}") for number in range(1620)}
    units = {(f"p-{number}", f"p-{number + 1}") for number in range(0, 60, 2)}

    proposal = propose(entries, judges, conflicts=conflicts, per_entry=3, disjoint=units, seed=26)

    assert len(proposal.pairs) == 3 * 1620
    assert proposal.uncovered == ()
    assert not set(proposal.pairs) & conflicts
    assert max(proposal.loads.values()) - min(proposal.loads.values()) <= 1
