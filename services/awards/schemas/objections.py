"""Input of each command about an objection to an award list."""

from __future__ import annotations

from services import contract
from services.chassis.fields import Day, Id, Many, OneOf, Ref, Schema, Sha256, Text, Whole
from services.contract.awards import Outcome


class FileObjection(Schema):
    """An objection; the rules decide about missing parts: it is recorded in any case (A-22)."""

    objection_id = Ref(contract.awards.Objection, required=False)
    notice_id = Ref(contract.awards.Notice)
    line_no = Whole(min=1, rule=None)
    objector_name = Text(max=100, required=False)
    id_number = Text(max=30, required=False)
    unit = Text(max=200, required=False)
    phone = Text(max=50, required=False)
    grounds = Text(max=4_000)
    evidence_ids = Many(Sha256(), max=50, required=False)


class AcceptObjection(Schema):
    objection_id = Ref(contract.awards.Objection)


class RejectObjection(Schema):
    objection_id = Ref(contract.awards.Objection)
    reason = Text(max=500)


class InvestigateObjection(Schema):
    """The investigator of an objection."""

    objection_id = Ref(contract.awards.Objection)
    handler_id = Id("user")


class DecideObjection(Schema):
    """The decision and its reason."""

    objection_id = Ref(contract.awards.Objection)
    outcome = OneOf(Outcome)
    reason = Text(max=2_000)


class NotifyObjection(Schema):
    objection_id = Ref(contract.awards.Objection)
    notified_on = Day(required=False)


class CloseObjection(Schema):
    objection_id = Ref(contract.awards.Objection)


class ReadObjector(Schema):
    objection_id = Ref(contract.awards.Objection)
