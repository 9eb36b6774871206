"""Input of each command about a nomination to the contest above."""

from __future__ import annotations

from services.chassis.fields import Id, OneOf, Schema, Text, Whole
from services.contract.awards import Level, Series


class OpenNominationCall(Schema):
    """The contest above, its number of places, and the document that gives them."""

    call_id = Id(required=False)
    from_edition_id = Id()
    to_series = OneOf(Series)
    to_level = OneOf(Level)
    to_edition_no = Whole(min=1, max=999)
    year = Whole(min=1900, max=2999)
    places = Whole(min=1, max=1_000, rule="A-08")
    document_no = Text(max=100)


class CloseNominationCall(Schema):
    call_id = Id()
    reason = Text(max=500)


class NominateEntry(Schema):
    """The entry and its slot in a call."""

    nomination_id = Id(required=False)
    call_id = Id()
    entry_id = Id()
    slot_no = Whole(min=1, max=1_000, rule="A-08")


class WithdrawNomination(Schema):
    nomination_id = Id()
    reason = Text(max=500)


class SealNomination(Schema):
    nomination_id = Id()


class SendNomination(Schema):
    nomination_id = Id()


class AcceptNomination(Schema):
    nomination_id = Id()


class ReturnNomination(Schema):
    nomination_id = Id()
    reason = Text(max=500)


class ConcludeNomination(Schema):
    nomination_id = Id()
