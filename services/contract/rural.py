"""What rural tells the others."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

from services.contract.view import Count, Fen, View, published_by

PartState = Literal["planned", "built", "accepted", "operating", "lapsed"]
SourceLevel = Literal["central", "province", "city", "county", "own"]


@published_by(
    "rural",
    happenings=(
        "prepared", "filed", "registered", "activated", "suspended", "dissolved", "merged", "absorbed",
    ),
)  # fmt: skip
class Association(View):
    """A rural professional technical association (农技协); K3 counts the new and active ones."""

    name: str
    industry: str
    district: str
    township_code: str
    registration_kind: Literal["civil", "filing"] | None
    first_registered_on: date | None  # of filing or registration, whichever came first; after a merger the elder's
    members_count: Count
    households: Count | None
    predecessor_ids: tuple[str, ...]
    is_new: bool  # no predecessor; a renamed, moved or re-registered one is not new
    merged_into: str | None
    state: Literal["preparing", "filed", "registered", "active", "suspended", "dissolved", "merged"]


@published_by(
    "rural",
    happenings=("planned", "built", "accepted", "completed", "operated", "part_lapsed", "lapsed", "rechecked"),
)  # fmt: skip
class ServicePoint(View):
    """A station, a column and an officer (站、栏、员) in a village; K4 counts the complete ones."""

    name: str
    village_code: str
    district: str
    host_id: str
    capacity: Count | None
    station: PartState
    column: PartState
    officer: PartState
    parts_accepted: Count  # 0 to 3
    completed_on: date | None  # the first time; a lapse does not change it
    state: Literal["incomplete", "complete", "lapsed"]


@dataclass(frozen=True, kw_only=True)
class Voucher:
    """Money that arrived by one voucher, and how much of it was given back, in fen."""

    voucher_no: str
    fen: Fen
    received_on: date
    returned_fen: Fen = 0


@published_by("rural", happenings=("approved", "received", "returned"))
class FundGrant(View):
    """Central, provincial or other money granted by a decision; its vouchers never exceed what was approved (R-10)."""

    source_level: SourceLevel
    approved_fen: Fen
    approved_on: date
    decision_doc_no: str
    district: str | None
    vouchers: tuple[Voucher, ...]
    state: Literal["approved", "received", "returned"]


@published_by("rural", happenings=("received", "returned"))
class FundReceipt(View):
    """A voucher of a grant as a record of its own; K5 sums the money that arrived less the money given back."""

    grant_id: str
    voucher_no: str
    source_level: SourceLevel
    fen: Fen
    returned_fen: Fen
    net_fen: Fen
    received_on: date
    district: str | None
    state: Literal["received", "returned"]
