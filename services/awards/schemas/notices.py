"""Input of each command about an award list."""

from __future__ import annotations

from services import contract
from services.awards.domain.award_list import Decision
from services.awards.domain.list_line import OtherAward
from services.awards.schemas.editions import CROWD
from services.chassis.fields import Day, Group, Id, Many, OneOf, Ref, Schema, Sha256, Text
from services.contract.awards import Grade, PrizeKind, SubjectType


class Address(Text):
    """The address of a public page."""

    pattern = r"https?://[^\s]+"
    says = (
        "An address like https://example.cn/notice (up to {max}).",
        "网址，如 https://example.cn/notice（至多 {max} 个字符）。",
    )


class Landline(Text):
    """The telephone of an office; a mobile number would be somebody's own (X-08)."""

    pattern = r"0[0-9]{2,3}-[0-9]{7,8}(-[0-9]{1,6})?"
    says = ("An office's landline like 0833-2442121.", "办公固定电话，如 0833-2442121。")


class StateDecision(Schema):
    """The committee's other grade for an entry, with reason and minute."""

    entry_id = Ref(contract.awards.Entry)
    grade = OneOf(Grade)
    reason = Text(max=500, required=False)  # the rules say that it is needed
    minute = Text(max=100, required=False)


class NameOtherAward(Schema):
    """A prize beside the grades, and its receiver."""

    award_kind = OneOf(PrizeKind)
    subject_type = OneOf(SubjectType)
    subject_id = Id("subject")


class PublishList(Schema):
    """The list's minute, first day, public page and office line, with the committee's decisions."""

    notice_id = Ref(contract.awards.Notice, required=False)
    edition_id = Ref(contract.awards.Edition)
    minute_no = Text(max=100, required=False)  # the rules say that it is needed
    minute_sha256 = Sha256(required=False)
    starts_on = Day()
    url = Address(max=500)
    office_line = Landline(max=30)
    decisions = Many(Group(StateDecision, Decision), max=CROWD, required=False)
    other_awards = Many(Group(NameOtherAward, OtherAward), max=CROWD, required=False)


class WithdrawNotice(Schema):
    notice_id = Ref(contract.awards.Notice)
    reason = Text(max=500)


class Grant(Schema):
    """The document and the day of the grant."""

    notice_id = Ref(contract.awards.Notice)
    document_no = Text(max=100, required=False)  # the rules say that it is needed
    granted_on = Day(required=False)
