"""The rules of prizes won elsewhere (K1)."""

from datetime import date
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services import contract
from services.awards.domain.external_result import (
    LIFECYCLE,
    DocumentMissing,
    GradeMissing,
    VerifiedByReporter,
    reject,
    revoke,
    verify,
)
from services.kernel.day import NotYet
from services.kernel.quantity import NotWhole
from tests.awards.examples import a_report, a_result
from tests.machines import follows_the_machine

HAPPENINGS = contract.awards.ExternalResult.kind.happenings

COMMANDS = {
    "verified": lambda result: verify(result, by="u-wang"),
    "rejected": lambda result: reject(result, reason="查无此奖"),
    "revoked": lambda result: revoke(result, document_no="川科协〔2011〕9号", reason="抄袭"),
}


@pytest.mark.parametrize("state", LIFECYCLE.states)
@pytest.mark.parametrize("to", COMMANDS)
@pytest.mark.rule("X-12")
def test_a_state_allows_its_own_moves_and_refuses_all_others(state, to):
    follows_the_machine(LIFECYCLE, state, to, partial(COMMANDS[to], a_result(state=state)), happened=to)
    assert to in HAPPENINGS


def test_the_machine_has_the_states_of_the_contract():
    assert set(LIFECYCLE.states) == set(contract.awards.ExternalResult.kind.states)


@pytest.mark.rule("A-26", "X-05")
def test_a_prize_is_verified_by_anybody_but_its_reporter():
    with pytest.raises(VerifiedByReporter, match="reported_by=u-li"):
        verify(a_result(by="u-li"), by="u-li")

    assert verify(a_result(by="u-li"), by="u-wang").record.verified_by == "u-wang"


@pytest.mark.rule("A-26")
def test_a_graded_prize_without_its_grade_is_refused_and_a_special_one_is_not():
    with pytest.raises(GradeMissing):
        a_report(award_kind="graded", grade="none")

    assert a_report(award_kind="special", grade="none").happened == "reported"


@pytest.mark.rule("A-24")
def test_a_prize_is_not_revoked_without_a_numbered_document():
    with pytest.raises(DocumentMissing):
        revoke(a_result(state="verified"), document_no=None, reason="抄袭")

    revoked = revoke(a_result(state="verified"), document_no="川科协〔2011〕9号", reason="抄袭")
    assert (revoked.record.state, revoked.reason) == ("revoked", "抄袭")


@pytest.mark.rule("X-06")
def test_an_edition_has_a_whole_number():
    with pytest.raises(NotWhole):
        a_report(edition_no=-26)


@pytest.mark.rule("X-07")
def test_a_prize_is_reported_from_the_day_it_was_awarded_on():
    with pytest.raises(NotYet, match="awarded_on=2011-03-27, today=2011-03-26"):
        a_report(awarded_on=date(2011, 3, 27), today=date(2011, 3, 26))
    assert a_report(awarded_on=date(2011, 3, 27), today=date(2011, 3, 27)).happened == "reported"


@given(blanks=st.text(" \u3000·《》-—", min_size=1, max_size=4), at=st.integers(0, 8))
def test_a_title_is_the_same_however_it_is_spaced_and_quoted(blanks, at):
    title = "可调节茶叶采摘器"

    assert a_result(title=title[:at] + blanks + title[at:]).title_norm == a_result(title=title).title_norm


@pytest.mark.rule("X-08")
def test_the_view_names_nobody():
    view = contract.awards.ExternalResult.kind.write(a_result(title="可调节茶叶采摘器", first_entrant="小明"))

    assert "小明" not in str(view)
    assert "茶叶" not in str(view)
