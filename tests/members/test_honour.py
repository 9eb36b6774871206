"""The rules of honours: each holder has one of each award, and loses it with the award (F1, F5)."""

from datetime import date

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services import contract
from services.contract.awards import Award
from services.members.domain import honour
from services.members.domain.honour import LIFECYCLE, Holder, follow_award
from tests.awards.events import REVOKED, a_view

MING = Holder(holder_type="person", holder_id="p-1")


def an_award(**changes):
    return msgspec.convert(a_view(**changes), type=Award)


def following(held, **changes):
    return follow_award(held, award_id="e-1.1.7", award=an_award(**changes), holder=MING)


def test_each_person_and_each_organisation_has_an_honour_of_its_own():
    holders = list(honour.holders(an_award(person_ids=["x", "p-2"], org_ids=["x"])))
    ids = {honour.honour_id(award_id, holder) for award_id in ("a-1", "a-2") for holder in holders}

    assert [(one.holder_type, one.holder_id) for one in holders] == [
        ("person", "x"),
        ("person", "p-2"),
        ("organisation", "x"),
    ]
    assert len(ids) == 6


@pytest.mark.rule("X-12")
@pytest.mark.parametrize("state", LIFECYCLE.states)
@pytest.mark.parametrize("to", ["granted", "revoked"])
def test_an_honour_stands_as_long_as_its_award_and_never_comes_back(state, to):
    held = following(None, **(REVOKED if state == "withdrawn" else {})).record
    change = following(held, **(REVOKED if to == "revoked" else {}))

    if (state, to) == ("recorded", "revoked"):
        assert (change.record.state, change.happened) == ("withdrawn", "withdrawn")
        assert change.record.withdrawn_on == date(2011, 7, 1)
    else:
        assert change is None


def test_the_machine_has_the_states_and_the_happenings_of_the_contract():
    assert set(LIFECYCLE.states) == set(contract.members.Honour.kind.states)
    assert set(contract.members.Honour.kind.happenings) == {"recorded", "withdrawn"}


@given(st.text(min_size=1), st.text(min_size=1))
def test_the_id_of_an_honour_tells_nothing_and_is_always_the_same(award_id, holder_id):
    holder = Holder(holder_type="person", holder_id=holder_id)

    assert honour.honour_id(award_id, holder) == honour.honour_id(award_id, holder)
    assert len(honour.honour_id(award_id, holder)) == 36
