"""Input of each command about a judge and a judge's conflicts."""

from __future__ import annotations

from services import contract
from services.awards.domain.judge import Affiliation
from services.chassis.fields import Day, Group, Id, Many, OneOf, Ref, Schema, Text, Whole
from services.contract.awards import ConflictType

MOST = 1_000  # entries of a round that one judge takes


class Affiliate(Schema):
    """A unit that a judge works or worked for, with the days."""

    org_id = Id("organisation")
    starts_on = Day(required=False)
    ends_on = Day(required=False)


class Capability(Schema):
    """A judge's disciplines, and how many entries of a round the judge takes."""

    discipline_codes = Many(Id("discipline"), max=20, required=False)
    max_load = Whole(max=MOST)


class RegisterJudge(Capability):
    """The person, with disciplines, load and affiliations."""

    judge_id = Ref(contract.awards.Judge)
    affiliations = Many(Group(Affiliate, Affiliation), max=50, required=False)


class ActivateJudge(Schema):
    judge_id = Ref(contract.awards.Judge)


class SuspendJudge(Schema):
    judge_id = Ref(contract.awards.Judge)
    reason = Text(max=500)


class ReviseJudge(Capability):
    judge_id = Ref(contract.awards.Judge)


class AffiliateJudge(Schema):
    """All present and former units of a judge."""

    judge_id = Ref(contract.awards.Judge)
    affiliations = Many(Group(Affiliate, Affiliation), max=50)


class DeclareConflict(Schema):
    """The entry and the kind of conflict."""

    entry_id = Ref(contract.awards.Entry)
    conflict_type = OneOf(ConflictType)
    note = Text(max=500, required=False)


class WithdrawConflict(Schema):
    entry_id = Ref(contract.awards.Entry)
    conflict_type = OneOf(ConflictType)


class PinConflict(Schema):
    """The judge, the entry, the kind of conflict, and why."""

    judge_id = Ref(contract.awards.Judge)
    entry_id = Ref(contract.awards.Entry)
    conflict_type = OneOf(ConflictType)
    reason = Text(max=500)


class ReleaseConflict(PinConflict):
    pass


class ComputeConflicts(Schema):
    edition_id = Ref(contract.awards.Edition)
    judge_id = Ref(contract.awards.Judge)


class ConflictsOf(Schema):
    edition_id = Ref(contract.awards.Edition)
    judge_id = Ref(contract.awards.Judge)


class MyConflicts(Schema):
    edition_id = Ref(contract.awards.Edition)
