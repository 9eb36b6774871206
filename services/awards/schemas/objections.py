"""Input of each command about an objection to an award list."""

from __future__ import annotations

from services.chassis.fields import Day, Id, Many, OneOf, Schema, Sha256, Text, Whole
from services.contract.awards import Outcome


class FileObjection(Schema):
    """An objection; the rules decide about missing parts: it is recorded in any case (A-22)."""

    objection_id = Id(required=False)
    notice_id = Id()
    line_no = Whole(min=1, rule=None)
    objector_name = Text(max=100, required=False)
    id_number = Text(max=30, required=False)
    unit = Text(max=200, required=False)
    phone = Text(max=50, required=False)
    grounds = Text(max=4_000)
    evidence_ids = Many(Sha256(), max=50, required=False)


class AcceptObjection(Schema):
    objection_id = Id()


class RejectObjection(Schema):
    objection_id = Id()
    reason = Text(max=500)


class InvestigateObjection(Schema):
    """The investigator of an objection."""

    objection_id = Id()
    handler_id = Id()


class DecideObjection(Schema):
    """The decision and its reason."""

    objection_id = Id()
    outcome = OneOf(Outcome)
    reason = Text(max=2_000)


class NotifyObjection(Schema):
    objection_id = Id()
    notified_on = Day(required=False)


class CloseObjection(Schema):
    objection_id = Id()


class ReadObjector(Schema):
    objection_id = Id()
