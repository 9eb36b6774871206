"""Input of each command about an assignment or a score sheet, and of each question of a judge."""

from __future__ import annotations

from services import contract
from services.awards.domain.sheet import Score
from services.awards.schemas.editions import ROUNDS
from services.awards.schemas.points import Points
from services.chassis.fields import Day, Group, Id, Many, OneOf, Ref, Schema, Text, Whole
from services.contract.awards import ConflictType

MOST_JUDGES = 500


class AssignmentId(Ref):
    """The id of an edition, a point, and the number of a round."""

    def __init__(self) -> None:
        super().__init__(contract.awards.Assignment)
        self.max += len(f".{ROUNDS}")


class ProposeAssignment(Schema):
    """The round, its judges, the seats per entry, and the seed that decides between equals."""

    edition_id = Ref(contract.awards.Edition)
    round_no = Whole(min=1, max=ROUNDS)
    judge_ids = Many(Ref(contract.awards.Judge), min=1, max=MOST_JUDGES)
    per_entry = Whole(min=1, max=100)
    seed = Whole(max=2**31)
    due_on = Day(required=False)


class ConfirmAssignment(Schema):
    assignment_id = AssignmentId()


class AssignJudge(Schema):
    """The entry, the judge and the round."""

    entry_id = Ref(contract.awards.Entry)
    judge_id = Ref(contract.awards.Judge)
    round_no = Whole(min=1, max=ROUNDS)
    due_on = Day(required=False)


class AcceptSheet(Schema):
    sheet_id = Ref(contract.awards.ScoreSheet)


class GiveScore(Schema):
    """The points of one criterion."""

    criterion_code = Id("criterion")
    points = Points()


class SubmitScore(Schema):
    """The points of each criterion, and a comment."""

    sheet_id = Ref(contract.awards.ScoreSheet)
    scores = Many(Group(GiveScore, Score), max=100)
    comment = Text(max=2_000, required=False)


class LockSheet(Schema):
    sheet_id = Ref(contract.awards.ScoreSheet)


class Recuse(Schema):
    """The kind of conflict, and the reason."""

    sheet_id = Ref(contract.awards.ScoreSheet)
    conflict_type = OneOf(ConflictType)
    reason = Text(max=500)


class RecuseJudge(Recuse):
    pass


class ReplaceJudge(Schema):
    """The recused sheet, and the judge who takes its place."""

    sheet_id = Ref(contract.awards.ScoreSheet)
    judge_id = Ref(contract.awards.Judge)


class ReopenScore(Schema):
    sheet_id = Ref(contract.awards.ScoreSheet)
    reason = Text(max=500)


class MySheets(Schema):
    edition_id = Ref(contract.awards.Edition)


class ScoresOfOthers(Schema):
    sheet_id = Ref(contract.awards.ScoreSheet)


class OfRound(Schema):
    """An edition and the number of one of its rounds."""

    edition_id = Ref(contract.awards.Edition)
    round_no = Whole(min=1, max=ROUNDS)
