"""Input of each command about the expert group and its visits."""

from __future__ import annotations

from services import contract
from services.chassis.fields import Day, District, Id, Many, OneOf, Ref, Schema, Sha256, Text, Whole
from services.contract.outreach import Slot, VisitTarget


class EnrolExpert(Schema):
    """The expert's person id, fields and district, and since when in the group."""

    entry_id = Ref(contract.outreach.ExpertRosterEntry, required=False)
    person_id = Id("person")
    discipline_codes = Many(Id("discipline"), min=1, max=20)
    enrolled_on = Day()
    district = District(required=False)


class ReviseExpert(Schema):
    """The expert's fields, and the days on which nobody should ask."""

    entry_id = Ref(contract.outreach.ExpertRosterEntry)
    discipline_codes = Many(Id("discipline"), min=1, max=20)
    absent_on = Many(Day(), max=366, required=False)


class SuspendExpert(Schema):
    """The reason of the suspension."""

    entry_id = Ref(contract.outreach.ExpertRosterEntry)
    reason = Text(max=500)


class RestoreExpert(Schema):
    """The reason why the expert is asked again."""

    entry_id = Ref(contract.outreach.ExpertRosterEntry)
    reason = Text(max=500)


class RequestVisit(Schema):
    """The receiver with its district, the day and slot, the topic, and the contact."""

    visit_id = Ref(contract.outreach.ExpertVisit, required=False)
    target = OneOf(VisitTarget)
    receiver_id = Id("organisation")
    district = District()
    day = Day()
    slot = OneOf(Slot)
    topic = Text(max=200)
    contact_name = Text(max=50, required=False)  # the rules say when it is needed (O-14)
    contact_phone = Text(max=30, required=False)


class MatchExperts(Schema):
    """The experts who could come."""

    visit_id = Ref(contract.outreach.ExpertVisit)
    entry_ids = Many(Ref(contract.outreach.ExpertRosterEntry), min=1, max=10)


class ConfirmVisit(Schema):
    """The contact, where it was not known before."""

    visit_id = Ref(contract.outreach.ExpertVisit)
    contact_name = Text(max=50, required=False)
    contact_phone = Text(max=30, required=False)


class DeliverVisit(Schema):
    """The activity that has the audience, and the receiver's written confirmation."""

    visit_id = Ref(contract.outreach.ExpertVisit)
    activity_id = Ref(contract.outreach.Activity)
    receipt_sha256 = Sha256(required=False)  # the rules say that it is needed (O-25)


class EvaluateVisit(Schema):
    """The receiver's rating."""

    visit_id = Ref(contract.outreach.ExpertVisit)
    rating = Whole(min=1, max=5)


class CancelVisit(Schema):
    """The reason of the cancellation."""

    visit_id = Ref(contract.outreach.ExpertVisit)
    reason = Text(max=500)
