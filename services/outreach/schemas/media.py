"""Input of each command about channels, and what is published through them."""

from __future__ import annotations

from services import contract
from services.chassis.fields import Address, Day, District, Id, Many, OneOf, Ref, Schema, Text, Whole
from services.contract.outreach import ChannelKind

WORLD = 10_000_000_000  # nothing reaches more people than there are


class OpenChannel(Schema):
    """The channel's kind, name, operator and first day; without a district it serves the whole city."""

    channel_id = Ref(contract.outreach.Channel, required=False)
    channel_kind = OneOf(ChannelKind)
    name = Text(max=100)
    operator_id = Id("organisation")
    opened_on = Day()
    district = District(required=False)


class CloseChannel(Schema):
    """The channel's last day."""

    channel_id = Ref(contract.outreach.Channel)
    closed_on = Day()


class PlanColumn(Schema):
    """The column's name, and the channel that it appears in."""

    column_id = Ref(contract.outreach.MediaColumn, required=False)
    name = Text(max=100)
    channel_id = Ref(contract.outreach.Channel)


class StartColumn(Schema):
    """The column's first day."""

    column_id = Ref(contract.outreach.MediaColumn)
    started_on = Day()


class PauseColumn(Schema):
    """The reason of the pause."""

    column_id = Ref(contract.outreach.MediaColumn)
    reason = Text(max=500)


class ResumeColumn(Schema):
    column_id = Ref(contract.outreach.MediaColumn)


class EndColumn(Schema):
    """The reason of the end."""

    column_id = Ref(contract.outreach.MediaColumn)
    reason = Text(max=500)


class PlanIssue(Schema):
    """The column and the issue's number in it."""

    issue_id = Ref(contract.outreach.ColumnIssue, required=False)
    column_id = Ref(contract.outreach.MediaColumn)
    issue_no = Whole(min=1, max=100_000)


class DraftIssue(Schema):
    """The issue's title and its writers."""

    issue_id = Ref(contract.outreach.ColumnIssue)
    title = Text(max=200)
    author_ids = Many(Id("person"), min=1, max=20)


class ReviewIssue(Schema):
    """The expert who found the issue sound, and when."""

    issue_id = Ref(contract.outreach.ColumnIssue)
    reviewer_id = Id("person")
    reviewed_on = Day()


class PublishIssue(Schema):
    """The day on which the issue appeared."""

    issue_id = Ref(contract.outreach.ColumnIssue)
    published_on = Day()


class WithdrawIssue(Schema):
    """The reason of the withdrawal."""

    issue_id = Ref(contract.outreach.ColumnIssue)
    reason = Text(max=500)


class DraftPost(Schema):
    """The website, the post's title and its writers."""

    post_id = Ref(contract.outreach.WebPost, required=False)
    channel_id = Ref(contract.outreach.Channel)
    title = Text(max=200)
    author_ids = Many(Id("person"), max=20, required=False)


class ReviewPost(Schema):
    """The day of the review."""

    post_id = Ref(contract.outreach.WebPost)
    reviewed_on = Day()


class PublishPost(Schema):
    """The post's public address, and the day from which it is there."""

    post_id = Ref(contract.outreach.WebPost)
    url = Address(max=500)
    published_on = Day()


class WithdrawPost(Schema):
    """The reason of the withdrawal."""

    post_id = Ref(contract.outreach.WebPost)
    reason = Text(max=500)


class ReportReach(Schema):
    """The issue or the post, and how many it reached up to a day."""

    report_id = Ref(contract.outreach.ReachReport, required=False)
    issue_id = Ref(contract.outreach.ColumnIssue, required=False)
    post_id = Ref(contract.outreach.WebPost, required=False)
    reach = Whole(max=WORLD)
    measured_on = Day()


class VerifyReach(Schema):
    report_id = Ref(contract.outreach.ReachReport)


class RejectReach(Schema):
    """The reason of the rejection."""

    report_id = Ref(contract.outreach.ReachReport)
    reason = Text(max=500)
