"""Input of each command about an edition."""

from __future__ import annotations

from services import contract
from services.awards.schemas.points import Points
from services.chassis.fields import Day, Flag, Group, Id, Many, OneOf, Ref, Schema, Text, Whole
from services.contract.awards import (
    Criterion,
    EditionCategory,
    EditionLevel,
    NominationQuota,
    Normalisation,
    Participation,
    PrizeGrade,
    ProgrammeKind,
    Quota,
    RoundRules,
    TiePolicy,
    TieStep,
)
from services.kernel.calendar import Unit

ROUNDS = 5
CROWD = 1_000  # of one entry, unit or grade there are never more


class StateCriterion(Schema):
    """A criterion with its scale and weight."""

    criterion_code = Id("criterion")
    weight = Points()
    max = Points()
    step = Points()
    required = Flag()
    independent = Flag()
    round_no = Whole(min=1, max=ROUNDS, required=False)


class StateQuota(Schema):
    """A grade's places, or its share of the entries."""

    grade = OneOf(PrizeGrade)
    places = Whole(max=CROWD, rule="A-18", required=False)
    percent = Whole(max=100, rule="A-18", required=False)


class StateCategory(Schema):
    """A category with its rubric, its quotas and its teams."""

    category_code = Id("category")
    participation = OneOf(Participation)
    max_team = Whole(min=1, max=100, rule="A-03")
    blind = Flag()
    min_scores = Whole(min=1, max=100, rule="A-17")
    rubric = Many(Group(StateCriterion, Criterion), max=30, required=False)  # the rules say when it is needed
    quotas = Many(Group(StateQuota, Quota), max=3, required=False)


class StateNominationQuota(Schema):
    """The number of entries that a unit may nominate."""

    nominating_unit_id = Id("organisation")
    places = Whole(max=CROWD, rule="A-08")


class StateRound(Schema):
    """A round's window, weight and share that goes on."""

    judge_from = Day()
    judge_to = Day()
    weight = Whole(max=100)
    advance_percent = Whole(min=1, max=100, required=False)  # the rules say when it is needed


class StateRules(Schema):
    """The content of an edition's call, at first and when it is revised."""

    submit_from = Day()
    submit_to = Day()
    judge_from = Day()
    judge_to = Day()
    rounds = Many(Group(StateRound, RoundRules), max=ROUNDS, required=False)
    disagreement = Whole(min=1, max=100, required=False)
    work_from = Day(required=False)
    work_to = Day(required=False)
    categories = Many(Group(StateCategory, EditionCategory), min=1, max=50)
    nomination_quotas = Many(Group(StateNominationQuota, NominationQuota), max=500, required=False)
    award_cap_percent = Whole(max=100, rule="A-18")
    tie_break = Many(OneOf(TieStep), min=1, max=6)
    tie_policy = OneOf(TiePolicy)
    normalisation = OneOf(Normalisation)
    publicity_days = Whole(min=1, max=60, rule="X-07")
    publicity_unit = OneOf(Unit)
    revocation_days = Whole(min=1, max=3_660, rule="A-24")
    one_entry_each = Flag(required=False)
    same_place = Flag(required=False)
    same_stage = Flag(required=False)


class CreateEdition(StateRules):
    """The programme, level, number and year of an edition, with its rules."""

    edition_id = Ref(contract.awards.Edition, required=False)
    programme_kind = OneOf(ProgrammeKind)
    level = OneOf(EditionLevel)
    edition_no = Whole(min=1, max=999)
    year = Whole(min=1900, max=2999)
    host_org_id = Id("organisation")


class ReviseEdition(StateRules):
    """The new rules of an edition, and why."""

    edition_id = Ref(contract.awards.Edition)
    reason = Text(max=500)


class AnnounceEdition(Schema):
    edition_id = Ref(contract.awards.Edition)


class OpenEdition(Schema):
    edition_id = Ref(contract.awards.Edition)


class CloseEdition(Schema):
    """The reason of an early end."""

    edition_id = Ref(contract.awards.Edition)
    reason = Text(max=500, required=False)  # the rules say when it is needed


class ArchiveEdition(Schema):
    edition_id = Ref(contract.awards.Edition)


class CancelEdition(Schema):
    """The reason of the cancellation."""

    edition_id = Ref(contract.awards.Edition)
    reason = Text(max=500)
