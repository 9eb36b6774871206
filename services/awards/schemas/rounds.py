"""Input of each command about a round of judging."""

from __future__ import annotations

from services.awards.schemas.editions import CROWD, ROUNDS
from services.chassis.fields import Id, Many, Schema, Text, Whole


class StartRound(Schema):
    """The edition, and the number of the round."""

    round_id = Id(required=False)
    edition_id = Id()
    round_no = Whole(min=1, max=ROUNDS)


class ResolveTie(Schema):
    """The order of a tie's entries, and the minute of the vote."""

    round_id = Id()
    category_code = Id()
    order = Many(Id(), min=2, max=CROWD)
    minute_no = Text(max=100)


class CloseRound(Schema):
    round_id = Id()


class ComputeResults(Schema):
    round_id = Id()


class ReopenRound(Schema):
    round_id = Id()
    reason = Text(max=500)
