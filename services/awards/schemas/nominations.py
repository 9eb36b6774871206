"""Input of each command about a nomination to the contest above."""

from __future__ import annotations

from services import contract
from services.chassis.fields import OneOf, Ref, Schema, Text, Whole
from services.contract.awards import Level, Series


class OpenNominationCall(Schema):
    """The contest above, its number of places, and the document that gives them."""

    call_id = Ref(contract.awards.NominationCall, required=False)
    from_edition_id = Ref(contract.awards.Edition)
    to_series = OneOf(Series)
    to_level = OneOf(Level)
    to_edition_no = Whole(min=1, max=999)
    year = Whole(min=1900, max=2999)
    places = Whole(min=1, max=1_000, rule="A-08")
    document_no = Text(max=100)


class CloseNominationCall(Schema):
    call_id = Ref(contract.awards.NominationCall)
    reason = Text(max=500)


class NominateEntry(Schema):
    """The entry and its slot in a call."""

    nomination_id = Ref(contract.awards.Nomination, required=False)
    call_id = Ref(contract.awards.NominationCall)
    entry_id = Ref(contract.awards.Entry)
    slot_no = Whole(min=1, max=1_000, rule="A-08")


class WithdrawNomination(Schema):
    nomination_id = Ref(contract.awards.Nomination)
    reason = Text(max=500)


class SealNomination(Schema):
    nomination_id = Ref(contract.awards.Nomination)


class SendNomination(Schema):
    nomination_id = Ref(contract.awards.Nomination)


class AcceptNomination(Schema):
    nomination_id = Ref(contract.awards.Nomination)


class ReturnNomination(Schema):
    nomination_id = Ref(contract.awards.Nomination)
    reason = Text(max=500)


class ConcludeNomination(Schema):
    nomination_id = Ref(contract.awards.Nomination)
