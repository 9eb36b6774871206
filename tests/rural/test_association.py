from dataclasses import replace
from datetime import date

import pytest

from services import contract
from services.kernel import ForbiddenMove, Refusal
from services.kernel.day import NotYet
from services.kernel.duty import SamePerson
from services.kernel.quantity import NotWhole
from services.rural.domain import association
from services.rural.domain.association import (
    LIFECYCLE,
    MIN_MEMBERS,
    MergedIntoItself,
    PapersMissing,
    PredecessorUnnamed,
    RegisteredAlready,
    StationRunning,
    TooFewMembers,
)
from tests.rural.examples import a_registered_association, a_registration, an_association, filing, papers

COMMANDS = {
    "file": (lambda one: association.file(one, **filing()), "filed"),
    "register": (lambda one: association.register(one, **papers()), "registered"),
    "activate": (lambda one: association.activate(one, by="u-wang"), "activated"),
    "suspend": (lambda one: association.suspend(one, reason="停止活动"), "suspended"),
    "dissolve": (lambda one: association.dissolve(one, reason="会员大会决定"), "dissolved"),
    "merge": (
        lambda one: association.merge(
            one, association_id="a-1", into=a_registered_association(state="active"), into_id="a-2"
        ),
        "merged",
    ),
}
ALLOWED = {
    "preparing": {"file": "filed", "register": "registered", "dissolve": "dissolved"},
    "filed": {"register": "registered", "activate": "active", "dissolve": "dissolved", "merge": "merged"},
    "registered": {"activate": "active", "dissolve": "dissolved", "merge": "merged"},
    "active": {"register": "active", "suspend": "suspended", "dissolve": "dissolved", "merge": "merged"},
    "suspended": {"activate": "active", "dissolve": "dissolved", "merge": "merged"},
    "dissolved": {},
    "merged": {},
}


@pytest.mark.rule("X-12")
@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("state", LIFECYCLE.states)
def test_a_command_moves_an_association_only_from_the_states_that_allow_it(state, command):
    do, happening = COMMANDS[command]
    one = an_association(state=state, registrations=(a_registration(kind="filing"),))

    if command in ALLOWED[state]:
        change = do(one)

        assert change.happened == happening
        assert change.record.state == ALLOWED[state][command]
    else:
        with pytest.raises(ForbiddenMove):
            do(one)


def test_the_machine_has_the_states_of_the_contract_and_no_move_that_no_command_makes():
    made = {(state, target) for state, commands in ALLOWED.items() for target in commands.values()}
    moves = {(state, target) for state, targets in LIFECYCLE.moves.items() for target in targets}

    assert set(LIFECYCLE.states) == set(contract.rural.Association.kind.states)
    assert made == moves
    assert set(LIFECYCLE.terminal) == {"dissolved", "merged"}


def test_the_record_offers_every_field_of_its_view():
    said = contract.rural.Association.kind.write(a_registered_association())

    assert contract.rural.Association.kind.read(said).registration_kind == "civil"
    assert said["district"] == "511126"
    assert "p-luo" not in said.values()


@pytest.mark.rule("R-01")
def test_20_members_are_enough_to_register_and_19_are_not():
    with pytest.raises(TooFewMembers, match="members_count=19, min_members=20"):
        association.register(an_association(members_count=MIN_MEMBERS - 1), **papers())

    assert association.register(an_association(members_count=MIN_MEMBERS), **papers()).happened == "registered"


@pytest.mark.rule("R-01")
def test_the_members_counted_at_the_registration_are_what_matters():
    registered = association.register(an_association(members_count=8), **papers(members_count=25)).record

    assert registered.members_count == 25
    with pytest.raises(TooFewMembers):
        association.file(an_association(members_count=25), **filing(members_count=8))


@pytest.mark.rule("R-01")
@pytest.mark.parametrize(("lacking", "word"), [("charter_doc", "charter"), ("leader_person_id", "leader")])
def test_nothing_is_filed_or_registered_without_charter_and_leader(lacking, word):
    without = an_association(**{lacking: None})

    with pytest.raises(PapersMissing, match=word):
        association.register(without, **papers())
    with pytest.raises(PapersMissing, match=word):
        association.file(without, **filing())
    assert association.register(without, **papers(**{lacking: "x-1"})).happened == "registered"


@pytest.mark.rule("R-01")
def test_an_official_number_is_known_again_however_it_is_written_and_apart_from_a_filing_of_the_same_number():
    registered = association.register(an_association(), **papers(registration_no="川乐社证字 第１０２号")).record
    filed = association.file(an_association(), **filing(filing_no="川乐社证字第102号")).record

    assert registered.official_numbers == ("civil:川乐社证字第102号",)
    assert filed.official_numbers == ("filing:川乐社证字第102号",)


@pytest.mark.parametrize(
    ("filed_on", "registered_on", "first"),
    [
        (date(2010, 11, 30), date(2011, 4, 1), date(2010, 11, 30)),
        (date(2011, 4, 2), date(2011, 4, 1), date(2011, 4, 1)),
    ],
)
def test_the_first_day_is_that_of_filing_or_registration_whichever_came_first(filed_on, registered_on, first):
    filed = association.file(an_association(), **filing(filed_on=filed_on)).record
    registered = association.register(filed, **papers(registered_on=registered_on)).record

    assert filed.first_registered_on == filed_on
    assert filed.registration_kind == "filing"
    assert registered.first_registered_on == first
    assert registered.registration_kind == "civil"


@pytest.mark.rule("X-07")
def test_an_association_is_filed_and_registered_today_or_earlier_and_not_tomorrow():
    today, tomorrow = date(2011, 3, 10), date(2011, 3, 11)

    with pytest.raises(NotYet, match="filed_on=2011-03-11"):
        association.file(an_association(), **filing(filed_on=tomorrow, today=today))
    with pytest.raises(NotYet, match="registered_on=2011-03-11"):
        association.register(an_association(), **papers(registered_on=tomorrow, today=today))
    assert association.file(an_association(), **filing(filed_on=today, today=today)).happened == "filed"
    assert association.register(an_association(), **papers(registered_on=today, today=today)).happened == "registered"


def test_a_filed_association_at_work_goes_on_working_when_it_is_registered():
    filed = association.file(an_association(), **filing()).record
    working = association.activate(filed, by="u-wang").record

    registered = association.register(working, **papers()).record

    assert registered.state == "active"
    assert registered.registration_kind == "civil"


@pytest.mark.rule("R-02")
def test_whoever_registers_anew_is_another_record():
    with pytest.raises(RegisteredAlready):
        association.register(a_registered_association(state="active"), **papers())


@pytest.mark.rule("R-02")
def test_an_association_with_a_predecessor_is_not_new():
    renamed = association.prepare(
        name="吴场茶叶协会",
        industry="茶叶",
        township_code="511126101",
        members_count=62,
        predecessor_ids=("a-old",),
    ).record

    assert not renamed.is_new
    assert an_association().is_new


@pytest.mark.rule("R-02")
def test_the_name_of_a_former_association_is_taken_up_only_by_naming_it():
    new = {"name": "吴场茶叶协会", "industry": "茶叶", "township_code": "511126101", "members_count": 30}

    with pytest.raises(PredecessorUnnamed, match="a-old"):
        association.prepare(**new, former_ids=("a-old",))

    named = association.prepare(**new, former_ids=("a-old", "a-older"), predecessor_ids=("a-old",)).record
    assert not named.is_new


@pytest.mark.rule("X-06")
@pytest.mark.parametrize("wrong", [-1, 2.5, "30", True])
def test_members_and_households_are_whole_numbers(wrong):
    new = {"name": "茶叶协会", "industry": "茶叶", "township_code": "511126101"}

    with pytest.raises(NotWhole):
        association.prepare(**new, members_count=wrong)
    with pytest.raises(NotWhole):
        association.prepare(**new, members_count=30, households=wrong)
    assert association.prepare(**new, members_count=30).record.households is None


@pytest.mark.rule("X-05")
def test_whoever_registered_an_association_does_not_confirm_that_it_works():
    registered = association.register(an_association(), **papers(by="u-li")).record

    with pytest.raises(SamePerson):
        association.activate(registered, by="u-li")
    assert association.activate(registered, by="u-wang").record.state == "active"


@pytest.mark.rule("R-20")
def test_an_association_that_hosts_a_running_station_is_not_dissolved():
    with pytest.raises(StationRunning, match="p-1, p-2"):
        association.dissolve(a_registered_association(), reason="会员大会决定", station_ids=("p-1", "p-2"))


def test_the_reason_stays_in_the_history_and_out_of_the_view():
    change = association.suspend(a_registered_association(state="active"), reason="负责人罗某失联")

    assert change.reason == "负责人罗某失联"
    assert "罗某" not in str(contract.rural.Association.kind.write(change.record))


@pytest.mark.rule("R-02")
def test_an_association_does_not_merge_into_itself():
    one = a_registered_association()

    with pytest.raises(MergedIntoItself):
        association.merge(one, association_id="a-1", into=one, into_id="a-1")


@pytest.mark.rule("X-12")
@pytest.mark.parametrize("state", ["preparing", "dissolved", "merged"])
def test_nothing_merges_into_what_is_not_official(state):
    with pytest.raises(ForbiddenMove):
        association.merge(
            a_registered_association(), association_id="a-1", into=an_association(state=state), into_id="a-2"
        )


@pytest.mark.rule("R-02")
def test_two_that_merge_into_each_other_claim_the_same_merger():
    one, other = a_registered_association(), a_registered_association()

    there = association.merge(one, association_id="a-1", into=other, into_id="a-2").record
    back = association.merge(other, association_id="a-2", into=one, into_id="a-1").record

    assert there.merger == back.merger


def absorbed(**changes):
    one = a_registered_association(**changes)
    merged = association.merge(one, association_id="a-1", into=a_registered_association(), into_id="a-2").record
    return contract.rural.Association.kind.read(contract.rural.Association.kind.write(merged))


@pytest.mark.rule("R-02")
def test_the_survivor_takes_the_first_day_of_the_elder_and_its_predecessors():
    survivor = a_registered_association(first_registered_on=date(2011, 5, 1))

    elder = absorbed(first_registered_on=date(2008, 9, 1), predecessor_ids=("a-0",))
    grown = association.absorb(survivor, absorbed=elder, absorbed_id="a-1")

    assert grown.happened == "absorbed"
    assert grown.record.first_registered_on == date(2008, 9, 1)
    assert not grown.record.is_new


@pytest.mark.rule("R-02")
def test_a_younger_one_leaves_the_survivor_as_old_and_as_new_as_it_was():
    survivor = a_registered_association(first_registered_on=date(2011, 5, 1))

    grown = association.absorb(survivor, absorbed=absorbed(first_registered_on=date(2011, 8, 1)), absorbed_id="a-1")

    assert grown.record.first_registered_on == date(2011, 5, 1)
    assert grown.record.is_new


def test_an_association_absorbs_another_one_once():
    once = association.absorb(a_registered_association(), absorbed=absorbed(), absorbed_id="a-1").record

    assert association.absorb(once, absorbed=absorbed(), absorbed_id="a-1") is None
    assert association.absorb(once, absorbed=absorbed(), absorbed_id="a-3").record.absorbed_ids == ("a-1", "a-3")


def test_a_refusal_leaves_nothing_behind():
    one = an_association(members_count=3)
    before = replace(one)

    with pytest.raises(Refusal):
        association.register(one, **papers())

    assert one == before
