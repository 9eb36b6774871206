"""The collections of rural, and the rules that are unique indexes."""

from __future__ import annotations

from services import contract
from services.chassis.field_classes import for_roles
from services.chassis.records import Records, Unique
from services.rural.domain import association, fund_grant, fund_receipt, service_point


class Associations(Records[association.Association]):
    """Associations; a dissolved one's name is free again, its official numbers never are."""

    kind = contract.rural.Association.kind
    record = association.Association
    office = ("registrations", "charter_doc", "leader_person_id", "absorbed_ids")
    internal = ("name_norm", "official_numbers", "merger")
    unique = (
        Unique("township_code", "name_norm", refusal=association.NameTaken, among={"state": association.ALIVE}),
        Unique("official_numbers", refusal=association.NumberTaken),
        Unique("merger", refusal=association.MergedBothWays),
    )
    indexes = (("name_norm",), ("district",))


class ServicePoints(Records[service_point.ServicePoint]):
    """Service points; a lapsed set no longer holds its village, and a lapsed officer is free for another point."""

    kind = contract.rural.ServicePoint.kind
    record = service_point.ServicePoint
    office = (
        "parts.station", "parts.column", "parts.officer.state", "parts.officer.built_by", "parts.officer.person_id",
        "parts.officer.photo_ids", "parts.officer.stands_since", "parts.officer.last_on",
    )  # fmt: skip
    personal = for_roles(("recorder", "verifier", "chair"), "parts.officer.phone")
    unique = (
        Unique("village_code", refusal=service_point.VillageTaken, among={"state": "complete"}),
        Unique("parts.officer.person_id", refusal=service_point.OfficerTaken, among={"officer": service_point.NAMED}),
    )
    indexes = (("host_id",), ("district",))


class FundGrants(Records[fund_grant.FundGrant]):
    """Fund grants; a voucher belongs to one grant only."""

    kind = contract.rural.FundGrant.kind
    record = fund_grant.FundGrant
    office = ("issuer_level", "original_doc_no", "approved_by")
    internal = ("voucher_keys",)
    unique = (Unique("voucher_keys", refusal=fund_grant.VoucherUsed),)
    indexes = (("source_level",),)


class FundReceipts(Records[fund_receipt.FundReceipt]):
    """Fund receipts, one for each voucher of a grant; no command writes here."""

    kind = contract.rural.FundReceipt.kind
    record = fund_receipt.FundReceipt
    indexes = (("grant_id",), ("source_level", "received_on"))
