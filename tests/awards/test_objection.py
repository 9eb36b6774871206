"""The rules of objections: by real name, with contact and evidence, in time, decided by who has no part in it."""

from dataclasses import replace
from datetime import date, timedelta
from functools import partial

import pytest

from services import contract
from services.awards.domain import objection
from services.awards.domain.objection import (
    LIFECYCLE,
    OPEN,
    HandlerInvolved,
    LineUnknown,
    NotTheHandler,
    ObjectedOutsidePeriod,
    Objector,
)
from services.kernel import ForbiddenMove
from services.kernel.day import NotYet
from tests.awards.examples import an_entry
from tests.awards.publicity import LAST_MOMENT, OVER, WITHIN, ZHANG, a_line, a_notice, an_objection, filed
from tests.machines import follows_the_machine

KIND = contract.awards.Objection.kind
TODAY = date(2011, 5, 6)
NOBODY = frozenset()


def decided(one, outcome="dismissed", *, involved=NOBODY, by="u-wang"):
    return objection.decide(one, outcome=outcome, reason="查无实据", involved=involved, today=TODAY, by=by)


def rejected(one, *, involved=NOBODY, by="u-wang"):
    return objection.reject(one, reason="联系电话系空号", involved=involved, by=by)


MOVES = {
    "accepted": (objection.accept, "accepted"),
    "rejected_formal": (rejected, "rejected_formal"),
    "investigating": (lambda one: objection.investigate(one, handler_id="u-wang", involved=NOBODY), "taken_on"),
    "upheld": (lambda one: decided(one, "upheld"), "upheld"),
    "dismissed": (decided, "dismissed"),
    "notified": (lambda one: objection.notify(one, notified_on=None, today=TODAY), "notified"),
    "closed": (objection.close, "closed"),
}


@pytest.mark.rule("X-12")
@pytest.mark.parametrize("state", LIFECYCLE.states)
@pytest.mark.parametrize("to", MOVES)
def test_a_state_allows_its_own_moves_and_refuses_all_others(state, to):
    do, happening = MOVES[to]

    follows_the_machine(LIFECYCLE, state, to, partial(do, an_objection(state=state)), happened=happening)
    assert happening in KIND.happenings


def test_the_machine_has_the_states_of_the_contract_and_each_move_has_its_command():
    assert set(LIFECYCLE.states) == set(KIND.states)
    assert {to for targets in LIFECYCLE.moves.values() for to in targets} == set(MOVES)
    assert set(LIFECYCLE.terminal) == {"rejected_formal", "closed"}
    assert not set(OPEN) & {"rejected_formal", "upheld", "dismissed", "notified", "closed"}


# --- the filing -------------------------------------------------------------------------------------------------------


@pytest.mark.rule("A-22", "X-07")
def test_an_objection_is_in_time_from_the_first_moment_of_the_period_to_its_last():
    starts = a_notice().starts_at

    for at in (starts, LAST_MOMENT):
        assert filed(at=at).record.state == "filed"
    for at in (starts - timedelta(milliseconds=1), OVER):
        with pytest.raises(ObjectedOutsidePeriod, match=r"ends_at=2011-05-10T00:00:00\+08:00"):
            filed(at=at)


@pytest.mark.rule("A-22")
@pytest.mark.parametrize(
    ("missing", "evidence_ids", "lacking"),
    [
        ({"objector_name": None}, ("c" * 64,), ("identity",)),
        ({"id_number": None}, ("c" * 64,), ("identity",)),
        ({"unit": None}, ("c" * 64,), ("identity",)),
        ({"phone": None}, ("c" * 64,), ("contact",)),
        ({}, (), ("evidence",)),
    ],
)
def test_one_without_name_contact_or_evidence_is_recorded_and_not_processed(missing, evidence_ids, lacking):
    change = filed(objector=replace(ZHANG, **missing), evidence_ids=evidence_ids)

    assert (change.record.state, change.happened) == ("rejected_formal", "rejected_formal")
    assert change.record.lacking == lacking
    assert change.record.real_name == ("identity" not in lacking)


@pytest.mark.rule("A-22")
def test_an_anonymous_letter_lacks_everything():
    assert filed(objector=Objector(grounds="作品系抄袭"), evidence_ids=()).record.lacking == (
        "identity", "contact", "evidence",
    )  # fmt: skip


@pytest.mark.rule("A-22")
def test_an_objection_is_about_a_line_of_the_list():
    assert filed(line_no=2).record.entry_id == "n-2"
    with pytest.raises(LineUnknown):
        filed(line_no=3)


def test_a_prize_of_an_organisation_can_be_objected_to():
    of_a_school = a_line(1, award_kind="organisation", subject_type="organisation", subject_id="o-1")

    assert filed(a_notice(of_a_school)).record.entry_id is None


@pytest.mark.rule("X-12")
def test_nobody_objects_to_a_list_that_was_withdrawn():
    with pytest.raises(ForbiddenMove, match="state=withdrawn"):
        filed(a_notice(state="withdrawn"))


@pytest.mark.rule("X-08")
def test_the_view_tells_nothing_of_who_objects_and_why():
    view = KIND.write(filed().record)

    assert (view["real_name"], view["lacking"], view["filed_on"]) == (True, (), "2011-05-05")
    for private in (*vars(ZHANG).values(), "sealed", "c" * 64, "u-li"):
        assert private not in str(view)


# --- the decision -----------------------------------------------------------------------------------------------------


@pytest.mark.rule("A-23")
def test_who_handed_in_checked_or_scored_an_entry_does_not_handle_an_objection_to_it():
    entry = replace(an_entry(), handed_in_by=("u-li", "u-he"), decided_by="u-check")
    involved = objection.involved_in(entry, judges={"p-luo"})

    for person in ("u-li", "u-he", "u-check", "p-luo"):
        with pytest.raises(HandlerInvolved):
            objection.investigate(an_objection(state="accepted"), handler_id=person, involved=involved)
        with pytest.raises(HandlerInvolved):
            rejected(an_objection(), involved=involved, by=person)
        with pytest.raises(HandlerInvolved):
            decided(an_objection(state="investigating", handler_id=person), involved=involved, by=person)
    assert decided(an_objection(state="investigating"), involved=involved).happened == "dismissed"


def test_nobody_has_checked_an_entry_that_was_not_checked():
    assert objection.involved_in(an_entry(), judges=()) == {"u-li"}


@pytest.mark.rule("A-23")
def test_an_objection_is_decided_by_its_handler():
    with pytest.raises(NotTheHandler):
        decided(an_objection(state="investigating"), by="u-chair")

    change = decided(an_objection(state="investigating"), "upheld")
    assert (change.record.decision, change.record.decided_on, change.reason) == ("upheld", TODAY, "查无实据")


@pytest.mark.rule("X-07")
def test_nobody_was_notified_tomorrow():
    told = an_objection(state="upheld")

    assert objection.notify(told, notified_on=TODAY, today=TODAY).record.notified_on == TODAY
    with pytest.raises(NotYet):
        objection.notify(told, notified_on=TODAY + timedelta(days=1), today=TODAY)


def test_it_is_filed_on_the_day_of_shanghai():
    assert filed(at=WITHIN).record.filed_on == date(2011, 5, 5)
