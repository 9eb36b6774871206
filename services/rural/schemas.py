"""Input of each command of rural. Where a rule asks for more than is required here, the rule says so."""

from __future__ import annotations

from services import contract
from services.chassis.fields import Day, District, Fen, Id, Many, OneOf, Ref, Schema, Sha256, Text, Whole
from services.contract.district import DISTRICTS
from services.contract.rural import SourceLevel
from services.kernel.day import FOUNDED
from services.rural.domain.service_point import PartName

FORTUNE = 10**13  # fen, a hundred billion yuan: a year's sum of many such stays within 2^63
IN_LESHAN = f"({'|'.join(DISTRICTS)})"


class TownshipCode(Text):
    """A township by its statistical code, whose first six digits are its district."""

    pattern = IN_LESHAN + "[0-9]{3}"
    says = ("A township's code of 9 digits in one of our districts.", "须为本市的 9 位乡镇（街道）代码。")


class VillageCode(Text):
    """A village by its statistical code, whose first six digits are its district."""

    pattern = IN_LESHAN + "[0-9]{6}"
    says = ("A village's code of 12 digits in one of our districts.", "须为本市的 12 位村（社区）代码。")


class PrepareAssociation(Schema):
    """The association's name, trade, township and size, and the associations that it continues."""

    association_id = Ref(contract.rural.Association, required=False)
    name = Text(max=100)
    industry = Text(max=50)
    township_code = TownshipCode()
    members_count = Whole()
    households = Whole(required=False)
    predecessor_ids = Many(Ref(contract.rural.Association), max=20, required=False)


class FileAssociation(Schema):
    """The filing with the township, and the papers handed in."""

    association_id = Ref(contract.rural.Association)
    filing_no = Text(max=100)
    filed_on = Day()
    members_count = Whole(required=False)
    charter_doc = Text(max=200, required=False)
    leader_person_id = Id("person", required=False)


class RegisterAssociation(Schema):
    """The registration with civil affairs, and the papers handed in."""

    association_id = Ref(contract.rural.Association)
    registration_no = Text(max=100)
    registered_on = Day(since=FOUNDED)
    members_count = Whole(required=False)
    charter_doc = Text(max=200, required=False)
    leader_person_id = Id("person", required=False)


class ActivateAssociation(Schema):
    association_id = Ref(contract.rural.Association)


class SuspendAssociation(Schema):
    """The reason of the suspension."""

    association_id = Ref(contract.rural.Association)
    reason = Text(max=500)


class DissolveAssociation(Schema):
    """The reason of the end."""

    association_id = Ref(contract.rural.Association)
    reason = Text(max=500)


class MergeAssociations(Schema):
    """The association that is absorbed, and the one that it goes into."""

    association_id = Ref(contract.rural.Association)
    into_id = Ref(contract.rural.Association)


class PlanPoint(Schema):
    """The set's name, village and host, and how many people its room holds."""

    point_id = Ref(contract.rural.ServicePoint, required=False)
    name = Text(max=100)
    village_code = VillageCode()
    host_id = Ref(contract.rural.Association)
    capacity = Whole(required=False)


class BuildPart(Schema):
    """The part that was built, and the person to call about it."""

    point_id = Ref(contract.rural.ServicePoint)
    part = OneOf(PartName)
    person_id = Id("person", required=False)
    phone = Text(max=30, required=False)


class AcceptPart(Schema):
    """The part that was accepted, its day and photos, and the day of its first content."""

    point_id = Ref(contract.rural.ServicePoint)
    part = OneOf(PartName)
    accepted_on = Day()
    photo_ids = Many(Sha256(), max=20, required=False)
    content_on = Day(required=False)


class OperatePart(Schema):
    """The part that works, and the day on which it did."""

    point_id = Ref(contract.rural.ServicePoint)
    part = OneOf(PartName)
    on = Day()
    note = Text(max=500, required=False)


class LapsePart(Schema):
    """The part that no longer stands, and why."""

    point_id = Ref(contract.rural.ServicePoint)
    part = OneOf(PartName)
    reason = Text(max=500)


class RecheckPart(Schema):
    """The part that is accepted again, its day and photos, and who took it over, if somebody did."""

    point_id = Ref(contract.rural.ServicePoint)
    part = OneOf(PartName)
    on = Day()
    photo_ids = Many(Sha256(), max=20, required=False)
    person_id = Id("person", required=False)
    phone = Text(max=30, required=False)


class CheckPoint(Schema):
    """The day and the months of silence that end a part."""

    point_id = Ref(contract.rural.ServicePoint)
    on = Day()
    months = Whole(min=1, max=60, required=False, rule="R-16")


class ApproveGrant(Schema):
    """The decision that grants money, with its document."""

    grant_id = Ref(contract.rural.FundGrant, required=False)
    source_level = OneOf(SourceLevel, required=False)
    approved_fen = Fen(min=1, max=FORTUNE)
    approved_on = Day()
    decision_doc_no = Text(max=100, required=False)
    issuer_level = OneOf(SourceLevel)
    original_doc_no = Text(max=100, required=False)
    district = District(required=False)


class ReceiveFunds(Schema):
    """The voucher by which money arrived."""

    grant_id = Ref(contract.rural.FundGrant)
    voucher_no = Text(max=100)
    fen = Fen(min=1, max=FORTUNE)
    received_on = Day()


class ReturnFunds(Schema):
    """The money given back of a voucher, and why."""

    grant_id = Ref(contract.rural.FundGrant)
    voucher_no = Text(max=100)
    fen = Fen(min=1, max=FORTUNE)
    reason = Text(max=500)
