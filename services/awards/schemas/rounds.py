"""Input of each command about a round of judging."""

from __future__ import annotations

from services import contract
from services.awards.schemas.editions import CROWD, ROUNDS
from services.chassis.fields import Id, Many, Ref, Schema, Text, Whole


class StartRound(Schema):
    """The edition, and the number of the round."""

    round_id = Ref(contract.awards.Round, required=False)
    edition_id = Ref(contract.awards.Edition)
    round_no = Whole(min=1, max=ROUNDS)


class ResolveTie(Schema):
    """The order of a tie's entries, and the minute of the vote."""

    round_id = Ref(contract.awards.Round)
    category_code = Id("category")
    order = Many(Ref(contract.awards.Entry), min=2, max=CROWD)
    minute_no = Text(max=100)


class CloseRound(Schema):
    round_id = Ref(contract.awards.Round)


class ComputeResults(Schema):
    round_id = Ref(contract.awards.Round)


class ReopenRound(Schema):
    round_id = Ref(contract.awards.Round)
    reason = Text(max=500)
