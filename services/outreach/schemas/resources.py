"""Input of each command about shared resources and their loans."""

from __future__ import annotations

from services import contract
from services.chassis.fields import Day, District, Id, OneOf, Ref, Schema, Text
from services.contract.outreach import ResourceKind


class RegisterResource(Schema):
    """The item's kind and name, since when it is there, and the district that keeps it."""

    resource_id = Ref(contract.outreach.Resource, required=False)
    resource_kind = OneOf(ResourceKind)
    name = Text(max=100)
    acquired_on = Day()
    district = District(required=False)


class RetireResource(Schema):
    """The reason why the item is lent no more."""

    resource_id = Ref(contract.outreach.Resource)
    reason = Text(max=500)


class RestoreResource(Schema):
    """How the lost item came back."""

    resource_id = Ref(contract.outreach.Resource)
    reason = Text(max=500)


class ReserveResource(Schema):
    """The item, its borrower, the days, and the activity that it is for."""

    loan_id = Ref(contract.outreach.ResourceLoan, required=False)
    resource_id = Ref(contract.outreach.Resource)
    borrower_id = Id("organisation")
    activity_id = Ref(contract.outreach.Activity, required=False)
    starts_on = Day()
    ends_on = Day()


class LendResource(Schema):
    """The day on which the borrower got the item."""

    loan_id = Ref(contract.outreach.ResourceLoan)
    out_on = Day()


class MarkOverdue(Schema):
    loan_id = Ref(contract.outreach.ResourceLoan)


class ReturnResource(Schema):
    """The day on which the item came back."""

    loan_id = Ref(contract.outreach.ResourceLoan)
    returned_on = Day()


class LoseResource(Schema):
    """How the item was lost."""

    loan_id = Ref(contract.outreach.ResourceLoan)
    reason = Text(max=500)


class CancelLoan(Schema):
    """The reason of the cancellation."""

    loan_id = Ref(contract.outreach.ResourceLoan)
    reason = Text(max=500)
