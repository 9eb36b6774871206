from dataclasses import replace
from datetime import date

import pytest

from services import contract
from services.contract.rural import Voucher
from services.rural.domain import fund_grant
from services.rural.domain.fund_receipt import FundReceipt, follow, receipt_id, receipt_of
from tests.rural.examples import a_decision, a_grant, a_received_grant, money

GRANTS = contract.rural.FundGrant.kind
RECEIPTS = contract.rural.FundReceipt.kind


def view_of(grant):
    return GRANTS.read(GRANTS.write(grant))


def kept(receipts, grant_id, grant):
    """What the listener keeps: a receipt for each voucher of the grant."""
    view = view_of(grant)
    for voucher in view.vouchers:
        key = receipt_id(grant_id, voucher.voucher_no)
        change = follow(receipts.get(key), current=receipt_of(view, voucher, grant_id=grant_id))
        if change:
            receipts[key] = change.record
    return receipts


def test_each_voucher_of_a_grant_is_one_receipt():
    grant = fund_grant.receive(a_received_grant(), **money(voucher_no="V-2", fen=7)).record

    receipts = kept(kept({}, "g-1", grant), "g-1", grant)

    assert sorted(receipt.fen for receipt in receipts.values()) == [7, 10_000_000]


def test_the_receipt_tells_the_view_what_the_voucher_brought_and_what_is_left():
    voucher = Voucher(voucher_no="V-1", fen=10_000_000, received_on=date(2011, 7, 1), returned_fen=2_000_000)
    grant = view_of(a_received_grant(vouchers=(voucher,)))

    change = follow(None, current=receipt_of(grant, voucher, grant_id="g-1"))

    assert change.happened == "returned"
    said = RECEIPTS.read(RECEIPTS.write(change.record))
    assert (said.fen, said.returned_fen, said.net_fen, said.state) == (10_000_000, 2_000_000, 8_000_000, "received")
    assert (said.source_level, said.district, said.received_on) == ("central", "511126", date(2011, 7, 1))


def test_a_receipt_that_is_known_already_does_not_change():
    grant = view_of(a_received_grant())
    (voucher,) = grant.vouchers
    told = receipt_of(grant, voucher, grant_id="g-1")

    receipt = follow(None, current=told).record

    assert follow(receipt, current=told) is None
    returned = follow(receipt, current=receipt_of(grant, replace(voucher, returned_fen=voucher.fen), grant_id="g-1"))
    assert (returned.happened, returned.record.state) == ("returned", "returned")


def test_the_machine_has_the_states_of_the_contract():
    receipt = FundReceipt(
        grant_id="g-1",
        voucher_no="V-1",
        source_level="central",
        fen=5,
        returned_fen=0,
        received_on=date(2011, 7, 1),
        district=None,
    )

    assert {receipt.state, replace(receipt, returned_fen=5).state} == set(RECEIPTS.states)


def test_the_same_voucher_of_the_same_grant_has_the_same_id_and_no_other_has():
    assert receipt_id("g-1", "V-1") == receipt_id("g-1", "v - 1")
    assert len({receipt_id("g-1", "V-1"), receipt_id("g-1", "V-2"), receipt_id("g-2", "V-1")}) == 3


@pytest.mark.rule("R-10")
def test_600000_and_450000_approved_600000_and_380000_received_and_20000_returned_are_960000_yuan():
    central = a_grant(**of(a_decision(approved_fen=60_000_000)))
    province = a_grant(**of(a_decision(source_level="province", issuer_level="province", approved_fen=45_000_000)))
    city = a_grant(**of(a_decision(source_level="city", issuer_level="city", approved_fen=90_000_000)))

    central = fund_grant.receive(central, **money(voucher_no="C-1", fen=60_000_000)).record
    province = fund_grant.receive(province, **money(voucher_no="P-1", fen=38_000_000)).record
    province = fund_grant.give_back(province, voucher_no="P-1", fen=2_000_000, reason="结余退回").record
    city = fund_grant.receive(city, **money(voucher_no="L-1", fen=90_000_000)).record

    receipts = {}
    for grant_id, grant in {"g-c": central, "g-p": province, "g-l": city}.items():
        kept(receipts, grant_id, grant)
    from_above = [one for one in receipts.values() if one.source_level in ("central", "province")]
    assert sum(receipt.net_fen for receipt in from_above) == 96_000_000
    assert central.approved_fen + province.approved_fen == 105_000_000


def of(decision):
    return {name: value for name, value in decision.items() if name not in ("today", "by")}
