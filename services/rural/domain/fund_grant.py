"""Fund grants: money that a decision promises, and the vouchers by which it arrives and is given back (K5).

A grant holds its vouchers, so that the money received never exceeds the money approved. Each voucher becomes a receipt
of its own (`fund_receipt`), and the plan counts receipts.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

from services.contract.rural import SourceLevel, Voucher
from services.kernel import Change, Lifecycle, Refusal
from services.kernel.day import past
from services.kernel.duty import separate
from services.kernel.number import comparable
from services.kernel.quantity import whole

LEVELS: tuple[SourceLevel, ...] = ("central", "province", "city", "county", "own")  # from the top down

LIFECYCLE = Lifecycle(
    approved=("received",),
    received=("received", "returned"),
    returned=("received",),  # everything went back, for instance to a wrong account, and comes again
)


class SourceLevelMissing(Refusal, rule="R-21", zh="须注明资金来源级别"):
    """Money is granted with the level that it comes from."""


class LevelMislabelled(Refusal, rule="R-21", zh="资金来源级别与批准文件的发文级别不符"):
    """The document that grants money is of the level it comes from, or hands on a document of that level."""


class DecisionMissing(Refusal, rule="R-10", zh="资金须凭批准文件批准和接收"):
    """Money is granted and received on a decision document only, and not before its day."""


class MoreThanApproved(Refusal, rule="R-10", zh="到账金额超过批准金额"):
    """The money received never exceeds the money approved."""


class VoucherUsed(Refusal, rule="R-10", zh="该凭证已登记过"):
    """A voucher brings money once, to one grant."""


class VoucherUnknown(Refusal, rule="R-10", zh="该资金没有此凭证"):
    """Money is returned of a voucher of this grant."""


class MoreThanReceived(Refusal, rule="R-10", zh="退回金额超过该凭证的到账余额"):
    """No more is returned of a voucher than it brought."""


@dataclass(frozen=True, kw_only=True)
class FundGrant:
    """A grant with the fields that only its own service knows: the decision's issuer, the grant's approver."""

    source_level: SourceLevel
    approved_fen: int
    approved_on: date
    decision_doc_no: str
    issuer_level: SourceLevel
    original_doc_no: str | None
    district: str | None
    approved_by: str
    vouchers: tuple[Voucher, ...] = ()
    voucher_keys: tuple[str, ...] = ()  # their comparable numbers: each in one grant only
    state: str = "approved"

    @property
    def net_fen(self) -> int:
        """The money that arrived less the money given back."""
        return sum(voucher.fen - voucher.returned_fen for voucher in self.vouchers)


def approve(
    *,
    source_level: SourceLevel | None,
    approved_fen: int,
    approved_on: date,
    decision_doc_no: str | None,
    issuer_level: SourceLevel,
    original_doc_no: str | None = None,
    district: str | None = None,
    today: date,
    by: str,
) -> Change[FundGrant]:
    """Record a decision; `issuer_level` is the level that issued the document.

    Central money usually comes by a document of the province: then `original_doc_no` is the central document that the
    provincial one hands on, and the money is central and is not counted at both levels.
    """
    whole(approved_fen=approved_fen)
    past(today=today, approved_on=approved_on)
    if source_level is None:
        raise SourceLevelMissing(decision_doc_no=decision_doc_no)
    if decision_doc_no is None:
        raise DecisionMissing(source_level=source_level)
    _agree(source_level, issuer_level, original_doc_no=original_doc_no)

    grant = FundGrant(
        source_level=source_level,
        approved_fen=approved_fen,
        approved_on=approved_on,
        decision_doc_no=decision_doc_no,
        issuer_level=issuer_level,
        original_doc_no=original_doc_no,
        district=district,
        approved_by=by,
    )
    return Change(grant, "approved")


def receive(
    grant: FundGrant, *, voucher_no: str, fen: int, received_on: date, today: date, by: str
) -> Change[FundGrant]:
    """Record money of one voucher; the grant's approver may not."""
    state = LIFECYCLE.move(grant.state, "received")
    whole(fen=fen)
    past(today=today, received_on=received_on)
    separate(entered_by=grant.approved_by, by=by)
    if received_on < grant.approved_on:
        raise DecisionMissing(received_on=received_on, approved_on=grant.approved_on)
    key = comparable(voucher_no)
    if key in grant.voucher_keys:
        raise VoucherUsed(voucher_no=voucher_no)
    if grant.net_fen + fen > grant.approved_fen:
        raise MoreThanApproved(approved_fen=grant.approved_fen, here_fen=grant.net_fen, fen=fen)

    voucher = Voucher(voucher_no=voucher_no, fen=fen, received_on=received_on)
    received = replace(grant, vouchers=(*grant.vouchers, voucher), voucher_keys=(*grant.voucher_keys, key), state=state)
    return Change(received, "received")


def give_back(grant: FundGrant, *, voucher_no: str, fen: int, reason: str) -> Change[FundGrant]:
    """Return money of one voucher, all of it or a part."""
    LIFECYCLE.require(grant.state, "received")
    whole(fen=fen)
    key = comparable(voucher_no)
    if key not in grant.voucher_keys:
        raise VoucherUnknown(voucher_no=voucher_no)
    place = grant.voucher_keys.index(key)
    voucher = grant.vouchers[place]
    if voucher.returned_fen + fen > voucher.fen:
        raise MoreThanReceived(voucher_no=voucher_no, here_fen=voucher.fen - voucher.returned_fen, fen=fen)

    less = replace(voucher, returned_fen=voucher.returned_fen + fen)
    returned = replace(grant, vouchers=(*grant.vouchers[:place], less, *grant.vouchers[place + 1 :]))
    state = LIFECYCLE.move(grant.state, "received" if returned.net_fen else "returned")
    return Change(replace(returned, state=state), "returned", reason)


def _agree(source_level: SourceLevel, issuer_level: SourceLevel, *, original_doc_no: str | None) -> None:
    handed_on = LEVELS.index(issuer_level) > LEVELS.index(source_level) and original_doc_no is not None
    if issuer_level != source_level and not handed_on:
        raise LevelMislabelled(source_level=source_level, issuer_level=issuer_level)
