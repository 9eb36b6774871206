"""The rules of conflicts of interest: computed, declared, pinned."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.awards.domain import conflict
from services.awards.domain.conflict import (
    Computed,
    ConflictStands,
    NothingPinned,
    NothingToWithdraw,
    Pinned,
    compute,
    conflicts_id,
    involved,
    recompute,
    require_none,
    with_computed,
)
from services.awards.domain.judge import Affiliation, affiliate
from tests.awards.examples import an_entrant
from tests.awards.judging import A_DAY, NO_CONFLICTS, a_conflict, a_judge, an_entry, conflicts
from tests.awards.jury import an_eligible_entry

MEANT = {"entry_id": "e-1", "conflict_type": "institutional"}

some_conflicts = st.builds(
    conflict.Conflict,
    entry_id=st.sampled_from(["e-1", "e-2"]),
    conflict_type=st.sampled_from(["author", "institutional", "relative"]),
    source=st.sampled_from(["auto", "declared"]),
    pinned=st.booleans(),
)


def key(one):
    return one.entry_id, one.conflict_type, one.source


def registers(found=some_conflicts):
    held = st.lists(found, unique_by=key, max_size=8)
    return held.map(lambda some: conflicts(*sorted(some, key=key)))


def found_by(judge, *entries, **how):
    return [(one.entry_id, one.conflict_type) for one in compute(judge, entries, **{"on": A_DAY, **how})]


def declare(held, **changes):
    return conflict.declare(held, **{**MEANT, **changes})


def withdraw(held, **changes):
    return conflict.withdraw(held, **{**MEANT, **changes})


def pin(held, **changes):
    return conflict.pin(held, **{**MEANT, "reason": "评委会认定", **changes})


def release(held, **changes):
    return conflict.release(held, **{**MEANT, "reason": "情况已查明", **changes})


@pytest.mark.rule("A-11")
def test_a_judge_is_in_conflict_as_entrant_as_tutor_and_by_the_entrants_unit():
    judge = a_judge("p-luo", affiliations=(Affiliation(org_id="o-school"),))
    nobody = {"entrant_ids": (), "tutor_ids": (), "unit_ids": ()}
    entries = (
        an_entry("e-1", **{**nobody, "entrant_ids": {"p-luo"}}),
        an_entry("e-2", **{**nobody, "tutor_ids": {"p-luo"}}),
        an_entry("e-3", **{**nobody, "unit_ids": {"o-school", "o-other"}}),
        an_entry("e-4", **nobody),
    )

    assert found_by(judge, *entries) == [("e-1", "author"), ("e-2", "tutor"), ("e-3", "institutional")]


@pytest.mark.rule("A-11")
def test_a_former_unit_is_a_conflict_within_the_years_of_the_edition():
    left = a_judge(affiliations=(Affiliation(org_id="o-school", ends_on=A_DAY - timedelta(days=400)),))

    assert found_by(left, an_entry(), years=2) == [("e-1", "institutional")]
    assert found_by(left, an_entry(), years=1) == []


@pytest.mark.rule("A-11")
def test_a_changed_affiliation_changes_the_computed_conflicts_and_no_declared_one():
    declared = declare(NO_CONFLICTS, entry_id="e-2", conflict_type="relative").record
    moved = affiliate(a_judge(), affiliations=(Affiliation(org_id="o-school"),)).record

    there = recompute(declared, compute(moved, [an_entry()], on=A_DAY))
    back = recompute(there.record, compute(a_judge(), [an_entry()], on=A_DAY))

    assert (there.happened, there.record.pairs) == ("recomputed", {("p-luo", "e-1"), ("p-luo", "e-2")})
    assert back.record == declared


@given(held=registers(), computed=st.lists(some_conflicts.map(lambda one: replace(one, source="auto", pinned=False))))
def test_computing_anew_keeps_what_was_declared_or_pinned_and_is_done_once(held, computed):
    change = recompute(held, computed)
    now = change.record if change else held

    assert {one for one in held.conflicts if not one.is_loose} <= set(now.conflicts)
    assert {one.entry_id for one in computed} <= {one.entry_id for one in now.conflicts}
    assert {key(one) for one in now.conflicts if one.is_loose} <= {key(one) for one in computed}
    assert recompute(now, reversed(computed)) is None


def test_declaring_again_what_was_declared_changes_nothing():
    declared = declare(NO_CONFLICTS, note="同乡").record

    assert declare(declared, note="另有说明") is None


@pytest.mark.rule("A-10")
def test_a_judge_withdraws_what_the_judge_declared_and_nothing_else():
    for source, pinned, refusal in (
        ("auto", False, Computed),
        ("auto", True, Pinned),
        ("declared", True, Pinned),
        ("chair", True, Pinned),
    ):
        with pytest.raises(refusal, match="entry_id=e-1"):
            withdraw(conflicts(a_conflict(source, pinned=pinned)))
    with pytest.raises(NothingToWithdraw):
        withdraw(conflicts(a_conflict("declared", entry_id="e-2")))

    withdrawn = withdraw(conflicts(a_conflict("declared")))
    assert (withdrawn.happened, withdrawn.record.conflicts) == ("withdrawn", ())


@pytest.mark.rule("A-10")
@given(held=registers())
def test_whatever_a_judge_withdraws_computed_and_pinned_conflicts_stand(held):
    kept = {one for one in held.conflicts if one.source == "auto" or one.pinned}
    for one in held.conflicts:
        try:
            held = withdraw(held, entry_id=one.entry_id, conflict_type=one.conflict_type).record
        except (Computed, Pinned, NothingToWithdraw):
            continue

    assert kept <= set(held.conflicts)


@pytest.mark.rule("A-10")
def test_what_the_chair_pins_outlives_its_computation_until_the_chair_releases_it():
    pinned = pin(conflicts(a_conflict("auto"))).record
    assert recompute(pinned, ()) is None

    released = release(pinned)
    assert (released.happened, released.reason) == ("released", "情况已查明")
    assert recompute(released.record, ()).record.conflicts == ()


def test_the_chair_sets_what_nobody_said_and_takes_it_away_again():
    pinned = pin(NO_CONFLICTS)

    assert pinned.record.conflicts == (a_conflict("chair", pinned=True),)
    assert pin(pinned.record) is None
    assert release(pinned.record).record == NO_CONFLICTS


def test_a_pinned_declaration_is_again_the_judges_own_once_it_is_released():
    declared = declare(NO_CONFLICTS).record

    assert release(pin(declared).record).record == declared


@pytest.mark.rule("A-10")
def test_the_chair_releases_only_what_is_pinned():
    with pytest.raises(NothingPinned):
        release(conflicts(a_conflict("declared")))


@pytest.mark.rule("A-09")
@pytest.mark.parametrize("source", ["auto", "declared", "chair"])
def test_a_conflict_of_any_source_stands_against_its_entry_and_against_no_other(source):
    held = conflicts(a_conflict(source))

    with pytest.raises(ConflictStands, match="entry_id=e-1, conflict_type=institutional"):
        require_none(held, entry_id="e-1")
    require_none(held, entry_id="e-2")


@pytest.mark.rule("A-11")
def test_an_entry_involves_its_people_and_their_units_and_the_nominating_unit_where_somebody_names_none():
    found = involved("n-1", an_eligible_entry("n-1"))
    without = replace(an_eligible_entry("n-2").material, entrants=(an_entrant("p-x", unit_id=None),))
    of_home = replace(an_eligible_entry("n-3").material, entrants=(), organisation_id="o-home")

    assert (found.entrant_ids, found.tutor_ids, found.unit_ids) == ({"p-n-1"}, {"p-tutor-n-1"}, {"s-n-1"})
    assert involved("n-2", replace(an_eligible_entry("n-2"), material=without)).unit_ids == {"o-shizhong"}
    assert involved("n-3", replace(an_eligible_entry("n-3"), material=of_home)).unit_ids == {"o-home"}


@given(registers(), st.lists(some_conflicts, max_size=6))
def test_what_is_computed_stands_beside_what_is_kept_without_being_kept(held, computed):
    known = with_computed(held, computed)

    assert held.conflicts == known.conflicts[: len(held.conflicts)]
    assert {key(one) for one in known.conflicts} == {key(one) for one in (*held.conflicts, *computed)}
    assert (known.state, known.barred_count) == (
        "standing" if known.conflicts else "clear",
        len({one.entry_id for one in known.conflicts}),
    )


def test_a_judge_has_one_record_of_conflicts_in_an_edition():
    assert conflicts_id(edition_id="d-1", judge_id="p-luo") != conflicts_id(edition_id="d-2", judge_id="p-luo")
