"""The rules of exhibit candidates: youth works that may be shown, as long as award and consent stand (F2, F5)."""

from dataclasses import replace

import msgspec
import pytest

from services import contract
from services.contract.awards import Award
from services.outreach.domain.exhibit_candidate import LIFECYCLE, follow_award
from tests.awards.events import REVOKED, UNSHOWN, a_view

GONE = [REVOKED, UNSHOWN, {**UNSHOWN, **REVOKED}]


def following(candidate, **changes):
    return follow_award(candidate, award_id="e-1.1.7", award=msgspec.convert(a_view(**changes), type=Award))


def test_a_youth_work_with_consent_is_proposed():
    change = following(None)

    assert (change.happened, change.record.state, change.record.entry_id) == ("proposed", "proposed", "n-1")


@pytest.mark.parametrize("changes", [{"youth": False}, {"exhibition_consent": False}, {"youth": False, **UNSHOWN}])
def test_what_was_never_to_be_shown_is_no_candidate(changes):
    assert following(None, **changes) is None
    assert following(None, **{**changes, **REVOKED, "exhibition_consent": False, "consent_withdrawn_on": None}) is None


@pytest.mark.parametrize("state", LIFECYCLE.states)
@pytest.mark.parametrize("gone", GONE)
def test_a_work_is_removed_with_its_award_or_its_consent_and_never_comes_back(state, gone):
    candidate = replace(following(None).record, state=state)

    removed = following(candidate, **gone)

    assert following(candidate) is None
    if "removed" in LIFECYCLE.moves.get(state, ()):
        assert (removed.happened, removed.record.state) == ("removed", "removed")
    else:
        assert removed is None


@pytest.mark.parametrize("gone", GONE)
def test_what_was_taken_back_before_it_was_heard_of_is_removed_from_the_start(gone):
    assert following(None, **gone).record.state == "removed"


def test_the_machine_has_the_states_and_the_happenings_of_the_contract():
    assert set(LIFECYCLE.states) == set(contract.outreach.ExhibitCandidate.kind.states)
    assert set(contract.outreach.ExhibitCandidate.kind.happenings) == {"proposed", "removed"}
