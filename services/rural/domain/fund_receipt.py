"""Fund receipts: one for each voucher of a grant, kept in step with the grant by its events; K5 sums them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date

from services.contract import rural
from services.contract.rural import SourceLevel, Voucher
from services.kernel import Change
from services.kernel.number import comparable


@dataclass(frozen=True, kw_only=True)
class FundReceipt:
    """Money that arrived by one voucher, in the period in which it arrived, less the money given back of it."""

    grant_id: str
    voucher_no: str
    source_level: SourceLevel
    fen: int
    returned_fen: int
    received_on: date
    district: str | None

    @property
    def net_fen(self) -> int:
        """The money that arrived less the money given back."""
        return self.fen - self.returned_fen

    @property
    def state(self) -> str:
        """Returned once nothing of it is left."""
        return "received" if self.net_fen or not self.returned_fen else "returned"


def receipt_id(grant_id: str, voucher_no: str) -> str:
    """The same for the same voucher of the same grant, so that a repeated event makes no second receipt."""
    return hashlib.sha256(f"{grant_id}/{comparable(voucher_no)}".encode()).hexdigest()[:32]


def receipt_of(grant: rural.FundGrant, voucher: Voucher, *, grant_id: str) -> FundReceipt:
    """Make a voucher's receipt from its grant."""
    return FundReceipt(
        grant_id=grant_id,
        voucher_no=voucher.voucher_no,
        source_level=grant.source_level,
        fen=voucher.fen,
        returned_fen=voucher.returned_fen,
        received_on=voucher.received_on,
        district=grant.district,
    )


def follow(receipt: FundReceipt | None, *, current: FundReceipt) -> Change[FundReceipt] | None:
    """Bring a receipt in step with its grant; None where it is already."""
    if current == receipt:
        return None

    return Change(current, "returned" if current.returned_fen else "received")
