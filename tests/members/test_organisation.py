from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services import contract
from services.kernel import ForbiddenMove
from services.kernel.day import NotYet
from services.kernel.duty import SamePerson
from services.kernel.quantity import NotWhole
from services.members.domain import organisation
from services.members.domain.organisation import (
    LIFECYCLE,
    MIN_WORKERS,
    HasChildren,
    Inquorate,
    NotFounded,
    OutsideMunicipality,
    ParentCycle,
    TooFewWorkers,
    line_above,
    link_to_cut,
)
from tests.members.examples import (
    a_meeting,
    a_statement,
    an_approved_organisation,
    an_establishment,
    an_organisation,
    minutes,
)

KIND = contract.members.Organisation.kind

COMMANDS = {
    "apply": (organisation.apply, "applied"),
    "approve": (lambda one: organisation.approve(one, approval_doc_no="乐科协〔2011〕12号", by="u-chair"), "approved"),
    "hold the meeting": (lambda one: organisation.hold_founding_meeting(one, **minutes()), "founded"),
    "establish": (lambda one: organisation.establish(one, **an_establishment()), "established"),
    "activate": (organisation.activate, "activated"),
    "sleep": (lambda one: organisation.sleep(one, reason="换届"), "slept"),
    "wake": (organisation.wake, "activated"),
    "set parent": (lambda one: organisation.set_parent(one, organisation_id="o-1", parent_id="o-2"), "moved"),
    "dissolve": (lambda one: organisation.dissolve(one, reason="院校合并"), "dissolved"),
}
ALLOWED = {
    "preparing": {"apply": "applied"},
    "applied": {"approve": "approved"},
    "approved": {"hold the meeting": "approved", "establish": "established"},
    "established": {"activate": "active"},
    "active": {"sleep": "dormant"},
    "dormant": {"wake": "active"},
    "dissolved": {},
}
for living in list(ALLOWED)[:-1]:
    ALLOWED[living] |= {"set parent": living, "dissolve": "dissolved"}


@pytest.mark.rule("X-12")
@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("state", LIFECYCLE.states)
def test_a_command_moves_an_organisation_only_from_the_states_that_allow_it(state, command):
    do, happening = COMMANDS[command]
    one = an_approved_organisation(state=state)

    if command in ALLOWED[state]:
        change = do(one)

        assert change.happened == happening
        assert change.record.state == ALLOWED[state][command]
    else:
        with pytest.raises(ForbiddenMove):
            do(one)


def test_the_machine_has_the_states_of_the_contract_and_no_move_that_no_command_makes():
    made = {(state, to) for state, commands in ALLOWED.items() for to in commands.values() if to != state}
    moves = {(state, to) for state, targets in LIFECYCLE.moves.items() for to in targets}

    assert made == moves
    assert set(LIFECYCLE.states) == set(KIND.states)
    assert LIFECYCLE.terminal == ("dissolved",)


def test_the_record_offers_every_field_of_its_view_and_no_person():
    said = KIND.write(an_approved_organisation())

    assert KIND.read(said).founding_meeting_on == date(2011, 5, 20)
    assert not {"p-zhao", "u-li"} & set(said.values())


@pytest.mark.rule("M-07")
@pytest.mark.parametrize(
    ("meeting", "missing"),
    [
        (None, "founding meeting"),
        (a_meeting(on=date(2011, 6, 2)), "founding meeting"),
        (a_meeting(charter_doc=None), "charter"),
        (a_meeting(chair_person_id=None), "chair"),
    ],
)
def test_nothing_is_established_before_its_founding_meeting_gave_it_charter_and_chair(meeting, missing):
    with pytest.raises(NotFounded, match=missing):
        organisation.establish(an_approved_organisation(founding_meeting=meeting), **an_establishment())


@pytest.mark.rule("M-07")
def test_an_organisation_may_be_established_on_the_day_of_its_founding_meeting():
    one = an_approved_organisation(founding_meeting=a_meeting(on=date(2011, 6, 1)))

    established = organisation.establish(one, **an_establishment()).record

    assert established.established_on == date(2011, 6, 1)
    assert an_approved_organisation().established_on is None


@pytest.mark.rule("X-07")
def test_a_founding_meeting_and_an_establishment_are_of_today_or_earlier_and_not_of_tomorrow():
    today, tomorrow = date(2011, 6, 1), date(2011, 6, 2)
    approved = an_approved_organisation()

    with pytest.raises(NotYet, match="held_on=2011-06-02"):
        organisation.hold_founding_meeting(approved, **minutes(held_on=tomorrow, today=today))
    with pytest.raises(NotYet, match="established_on=2011-06-02"):
        organisation.establish(approved, **an_establishment(established_on=tomorrow, today=today))
    assert organisation.hold_founding_meeting(approved, **minutes(held_on=today, today=today)).happened == "founded"
    assert organisation.establish(approved, **an_establishment(today=today)).happened == "established"


@pytest.mark.rule("M-07")
def test_20_workers_are_enough_to_be_established_and_19_are_not():
    with pytest.raises(TooFewWorkers, match="workers_count=19, min_workers=20"):
        organisation.establish(an_approved_organisation(workers_count=MIN_WORKERS - 1), **an_establishment())
    with pytest.raises(TooFewWorkers):
        organisation.establish(an_approved_organisation(), **an_establishment(workers_count=MIN_WORKERS - 1))
    enough = an_approved_organisation(workers_count=MIN_WORKERS)
    assert organisation.establish(enough, **an_establishment()).happened == "established"


@pytest.mark.rule("M-07")
@pytest.mark.parametrize(("called", "enough"), [(50, 34), (51, 34), (3, 2), (1, 1)])
def test_two_thirds_of_those_called_found_an_organisation_and_one_fewer_does_not(called, enough):
    approved = an_organisation(state="approved")

    with pytest.raises(Inquorate):
        organisation.hold_founding_meeting(approved, **minutes(called=called, attended=enough - 1))
    with pytest.raises(Inquorate):
        organisation.hold_founding_meeting(approved, **minutes(called=called, attended=called + 1))
    assert organisation.hold_founding_meeting(approved, **minutes(called=called, attended=enough)).happened == "founded"


@pytest.mark.rule("M-07")
def test_a_meeting_nobody_was_called_to_founds_nothing():
    with pytest.raises(Inquorate):
        organisation.hold_founding_meeting(an_organisation(state="approved"), **minutes(called=0, attended=0))


def test_a_meeting_that_elected_nobody_is_made_good_by_a_further_one():
    first = organisation.hold_founding_meeting(
        an_organisation(state="approved"), **minutes(chair_person_id=None)
    ).record

    second = organisation.hold_founding_meeting(first, **minutes(held_on=date(2011, 5, 27))).record

    assert second.founding_meeting_on == date(2011, 5, 27)
    assert organisation.establish(second, **an_establishment()).happened == "established"


@pytest.mark.rule("X-05")
def test_whoever_entered_an_organisation_does_not_approve_it():
    applied = an_organisation(state="applied", created_by="u-li")

    with pytest.raises(SamePerson):
        organisation.approve(applied, approval_doc_no="乐科协〔2011〕12号", by="u-li")
    approved = organisation.approve(applied, approval_doc_no="乐科协〔2011〕12号", by="u-chair").record
    assert approved.approval_doc_no == "乐科协〔2011〕12号"


@pytest.mark.rule("X-06")
@pytest.mark.parametrize("wrong", [-1, 20.5, "640", False])
def test_workers_and_delegates_are_whole_numbers(wrong):
    with pytest.raises(NotWhole):
        organisation.create(**a_statement(workers_count=wrong))
    with pytest.raises(NotWhole):
        organisation.hold_founding_meeting(an_organisation(state="approved"), **minutes(attended=wrong))
    with pytest.raises(NotWhole):
        organisation.establish(an_approved_organisation(), **an_establishment(workers_count=wrong))


@pytest.mark.rule("M-08")
def test_a_university_outside_the_municipality_is_none_of_ours_and_another_organisation_may_be():
    chengdu = "510104"

    with pytest.raises(OutsideMunicipality, match=chengdu):
        organisation.create(**a_statement(district=chengdu))
    assert organisation.create(**a_statement(district=chengdu, organisation_kind="society")).happened == "created"
    for ours in ("511181", "511100"):
        assert organisation.create(**a_statement(district=ours)).happened == "created"


@pytest.mark.rule("M-08")
@pytest.mark.parametrize(("parent_id", "above"), [("o-1", ()), ("o-3", ("o-2", "o-1"))])
def test_nobody_is_put_under_itself_or_under_one_below_it(parent_id, above):
    with pytest.raises(ParentCycle):
        organisation.set_parent(an_organisation(), organisation_id="o-1", parent_id=parent_id, above=above)


@pytest.mark.rule("X-12")
def test_nobody_is_put_under_a_dissolved_organisation():
    gone = an_organisation(state="dissolved")

    with pytest.raises(ForbiddenMove):
        organisation.set_parent(an_organisation(), organisation_id="o-1", parent_id="o-2", parent=gone)
    with pytest.raises(ForbiddenMove):
        organisation.create(**a_statement(), parent=gone, parent_id="o-2")


def test_an_organisation_can_stand_at_the_top_again():
    moved = organisation.set_parent(an_organisation(parent_id="o-2"), organisation_id="o-1", parent_id=None)

    assert moved.happened == "moved"
    assert moved.record.parent_id is None


@pytest.mark.rule("M-08")
def test_an_organisation_with_others_under_it_is_not_dissolved():
    with pytest.raises(HasChildren, match="o-4, o-5"):
        organisation.dissolve(an_organisation(), reason="院校合并", child_ids=("o-4", "o-5"))


def test_an_organisation_is_detached_only_from_the_parent_it_still_has():
    one = an_organisation(parent_id="o-2")

    assert organisation.detach(one, parent_id="o-2").record.parent_id is None
    assert organisation.detach(one, parent_id="o-3") is None


def test_the_line_above_goes_from_the_nearest_to_the_top():
    tree = {"o-1": "o-2", "o-2": "o-3", "o-3": None}

    assert line_above("o-1", tree.get) == ("o-2", "o-3")
    assert line_above("o-3", tree.get) == ()


@pytest.mark.rule("M-08")
def test_a_circle_is_cut_at_the_same_link_whoever_looks():
    circle = {"o-1": "o-2", "o-2": "o-3", "o-3": "o-1", "o-9": "o-1"}

    assert {link_to_cut(one, circle.get) for one in ("o-1", "o-2", "o-3")} == {("o-3", "o-1")}
    assert link_to_cut("o-9", circle.get) is None
    assert link_to_cut("o-1", {"o-1": "o-1"}.get) == ("o-1", "o-1")


@pytest.mark.rule("M-08")
@settings(deadline=None)
@given(st.dictionaries(st.integers(0, 9).map(str), st.none() | st.integers(0, 9).map(str)))
def test_cutting_leaves_a_forest_and_takes_one_link_of_each_circle(parents):
    whole = {str(number): parents.get(str(number)) for number in range(10)}
    before = {one for one in whole if one in line_above(one, whole.get)}

    cut = dict(whole)
    for one in whole:
        if link := link_to_cut(one, cut.get):
            child, parent = link
            assert cut[child] == parent
            cut[child] = None

    assert not [one for one in cut if one in line_above(one, cut.get)]
    circles = {frozenset(line_above(one, whole.get)) for one in before}
    assert len([one for one in whole if whole[one] != cut[one]]) == len(circles)
