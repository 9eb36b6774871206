from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services import contract
from services.kernel import ForbiddenMove, Refusal
from services.kernel.day import NotYet
from services.kernel.duty import SamePerson
from services.kernel.quantity import NotWhole
from services.rural.domain import fund_grant
from services.rural.domain.fund_grant import (
    LIFECYCLE,
    DecisionMissing,
    LevelMislabelled,
    MoreThanApproved,
    MoreThanReceived,
    SourceLevelMissing,
    VoucherUnknown,
    VoucherUsed,
)
from tests.rural.examples import a_decision, a_grant, a_received_grant, money


def give_back(grant, **changes):
    usual = {"voucher_no": "V-1", "fen": 10_000_000, "reason": "项目取消"}
    return fund_grant.give_back(grant, **{**usual, **changes})


COMMANDS = {
    "receive": (lambda grant: fund_grant.receive(grant, **money()), "received"),
    "return a part": (lambda grant: give_back(grant, fen=1), "returned"),
    "return all": (give_back, "returned"),
}
ALLOWED = {
    "approved": {"receive": "received"},
    "received": {"receive": "received", "return a part": "received", "return all": "returned"},
    "returned": {"receive": "received"},
}


@pytest.mark.rule("X-12")
@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("state", LIFECYCLE.states)
def test_a_command_moves_a_grant_only_from_the_states_that_allow_it(state, command):
    do, happening = COMMANDS[command]
    grant = a_received_grant(state=state)

    if command in ALLOWED[state]:
        change = do(grant)

        assert change.happened == happening
        assert change.record.state == ALLOWED[state][command]
    else:
        with pytest.raises(ForbiddenMove):
            do(grant)


def test_the_machine_has_the_states_of_the_contract_and_no_move_that_no_command_makes():
    made = {(state, target) for state, commands in ALLOWED.items() for target in commands.values()}
    moves = {(state, target) for state, targets in LIFECYCLE.moves.items() for target in targets}

    assert made == moves
    assert set(LIFECYCLE.states) == set(contract.rural.FundGrant.kind.states)


def test_the_record_offers_every_field_of_its_view():
    kind = contract.rural.FundGrant.kind

    assert kind.read(kind.write(a_received_grant())).vouchers == a_received_grant().vouchers


@pytest.mark.rule("R-21")
def test_money_without_a_source_level_is_not_granted():
    with pytest.raises(SourceLevelMissing):
        fund_grant.approve(**a_decision(source_level=None))


@pytest.mark.rule("R-21")
@pytest.mark.parametrize("issuer", ["city", "county", "own"])
def test_money_of_a_lower_level_is_not_labelled_as_provincial(issuer):
    with pytest.raises(LevelMislabelled, match=f"source_level=province, issuer_level={issuer}"):
        fund_grant.approve(**a_decision(source_level="province", issuer_level=issuer))


@pytest.mark.rule("R-21")
def test_money_handed_on_by_the_province_is_central_when_the_central_document_is_named():
    handed_on = a_decision(source_level="central", issuer_level="province", decision_doc_no="川财教〔2011〕88号")

    with pytest.raises(LevelMislabelled):
        fund_grant.approve(**handed_on)
    change = fund_grant.approve(**handed_on, original_doc_no="财教〔2011〕140号")
    assert change.record.source_level == "central"


@pytest.mark.rule("R-21")
def test_a_higher_level_does_not_decide_on_money_of_a_lower_one():
    with pytest.raises(LevelMislabelled):
        fund_grant.approve(
            **a_decision(source_level="city", issuer_level="province", original_doc_no="乐财〔2011〕3号")
        )


@pytest.mark.rule("R-10")
def test_money_is_granted_on_a_document_and_received_from_its_day_on():
    with pytest.raises(DecisionMissing):
        fund_grant.approve(**a_decision(decision_doc_no=None))
    with pytest.raises(DecisionMissing):
        fund_grant.receive(a_grant(approved_on=date(2011, 6, 1)), **money(received_on=date(2011, 5, 31)))

    received = fund_grant.receive(a_grant(approved_on=date(2011, 6, 1)), **money(received_on=date(2011, 6, 1)))
    assert received.happened == "received"


@pytest.mark.rule("X-07")
def test_money_is_granted_and_received_today_or_earlier_and_not_tomorrow():
    today, tomorrow = date(2011, 7, 2), date(2011, 7, 3)

    with pytest.raises(NotYet, match="approved_on=2011-07-03"):
        fund_grant.approve(**a_decision(approved_on=tomorrow, today=today))
    with pytest.raises(NotYet, match="received_on=2011-07-03"):
        fund_grant.receive(a_grant(), **money(received_on=tomorrow, today=today))
    assert fund_grant.approve(**a_decision(approved_on=today, today=today)).happened == "approved"
    assert fund_grant.receive(a_grant(), **money(received_on=today, today=today)).happened == "received"


@pytest.mark.rule("R-10")
def test_what_is_received_reaches_what_was_approved_and_never_exceeds_it():
    grant = fund_grant.receive(a_grant(approved_fen=60_000_000), **money(voucher_no="V-1", fen=50_000_000)).record

    with pytest.raises(MoreThanApproved, match="approved_fen=60000000, here_fen=50000000, fen=10000001"):
        fund_grant.receive(grant, **money(voucher_no="V-2", fen=10_000_001))
    assert fund_grant.receive(grant, **money(voucher_no="V-2", fen=10_000_000)).record.net_fen == 60_000_000


@pytest.mark.rule("R-10")
@pytest.mark.parametrize("written", ["V-1", "v-1", "Ｖ－１", " V — 1 "])
def test_a_voucher_brings_money_once_however_it_is_written(written):
    with pytest.raises(VoucherUsed):
        fund_grant.receive(a_received_grant(), **money(voucher_no=written, fen=5))


@pytest.mark.rule("R-10")
def test_no_more_is_returned_of_a_voucher_than_it_brought():
    part = give_back(a_received_grant(), fen=9_000_000).record

    with pytest.raises(MoreThanReceived, match="here_fen=1000000, fen=1000001"):
        give_back(part, fen=1_000_001)
    with pytest.raises(VoucherUnknown):
        give_back(part, voucher_no="V-9", fen=1)
    assert give_back(part, fen=1_000_000).record.state == "returned"


def test_what_was_returned_may_come_again_by_another_voucher():
    grant = a_received_grant(approved_fen=10_000_000)
    returned = give_back(grant).record

    again = fund_grant.receive(returned, **money(voucher_no="V-2", fen=10_000_000)).record

    assert again.state == "received"
    assert again.net_fen == 10_000_000
    with pytest.raises(VoucherUsed):
        fund_grant.receive(returned, **money(voucher_no="V-1", fen=10_000_000))


@pytest.mark.rule("X-05")
def test_whoever_approved_a_grant_does_not_receive_its_money():
    with pytest.raises(SamePerson):
        fund_grant.receive(a_grant(approved_by="u-chair"), **money(by="u-chair"))

    assert fund_grant.receive(a_grant(approved_by="u-chair"), **money(by="u-finance")).happened == "received"


@pytest.mark.rule("X-06")
@pytest.mark.parametrize("wrong", [-1, 0.5, "100", True])
def test_money_is_whole_fen(wrong):
    with pytest.raises(NotWhole):
        fund_grant.approve(**a_decision(approved_fen=wrong))
    with pytest.raises(NotWhole):
        fund_grant.receive(a_grant(), **money(fen=wrong))
    with pytest.raises(NotWhole):
        give_back(a_received_grant(), fen=wrong)


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["receive", "return"]), st.integers(1, 5), st.integers(1, 70_000_000)), max_size=20
    )
)
def test_between_nothing_and_what_was_approved_is_here_whatever_comes_in(steps):
    grant = a_grant(approved_fen=60_000_000)
    for command, voucher, fen in steps:
        try:
            if command == "receive":
                grant = fund_grant.receive(grant, **money(voucher_no=f"V-{voucher}", fen=fen)).record
            else:
                grant = give_back(grant, voucher_no=f"V-{voucher}", fen=fen).record
        except Refusal:
            continue

        assert 0 <= grant.net_fen <= 60_000_000
        assert all(0 <= voucher.returned_fen <= voucher.fen for voucher in grant.vouchers)
        assert len(set(grant.voucher_keys)) == len(grant.vouchers)
        assert (grant.state == "returned") == (grant.net_fen == 0)
