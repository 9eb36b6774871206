"""Reach: how many read or saw an issue or a post; it is told apart and never becomes a person-time (O-11)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from services.contract.outreach import ChannelKind
from services.kernel import Change, Refusal
from services.kernel.day import past
from services.kernel.quantity import whole
from services.outreach.domain.column_issue import ColumnIssue
from services.outreach.domain.second_person import Statement
from services.outreach.domain.web_post import WebPost


class ReachOfOne(Refusal, rule="O-11", zh="触达量须且只能对应一期栏目或一篇网文"):
    """A report of reach is about one issue or one post."""


class ReachUnpublished(Refusal, rule="O-11", zh="未发布或已撤回的内容没有触达量，统计日期不得早于发布日期"):
    """Only what was published reaches people, from its day on."""


class ReachedTwice(Refusal, rule="O-11", zh="同一期栏目或同一篇网文的触达量只报一次，更正须先退回原报"):
    """The reach of an issue or a post is reported once; another number follows the rejection of the first."""


@dataclass(frozen=True, kw_only=True)
class ReachReport(Statement):
    """The reach of one issue or post up to a day."""

    issue_id: str | None
    post_id: str | None
    channel_id: str
    channel_kind: ChannelKind
    district: str | None
    reach: int
    measured_on: date


def report(
    *,
    issue_id: str | None = None,
    issue: ColumnIssue | None = None,
    post_id: str | None = None,
    post: WebPost | None = None,
    reach: int,
    measured_on: date,
    today: date,
    by: str,
) -> Change[ReachReport]:
    """State how many an issue or a post reached up to this day."""
    whole(reach=reach)
    past(today=today, measured_on=measured_on)
    published = issue or post
    if published is None or (issue and post):
        raise ReachOfOne(issue_id=issue_id, post_id=post_id)
    if published.state != "published" or published.published_on is None or measured_on < published.published_on:
        raise ReachUnpublished(state=published.state, published_on=published.published_on, measured_on=measured_on)

    stated = ReachReport(
        issue_id=issue_id,
        post_id=post_id,
        channel_id=published.channel_id,
        channel_kind=issue.channel_kind if issue else "website",
        district=published.district,
        reach=reach,
        measured_on=measured_on,
        recorded_by=by,
    )
    return Change(stated, "recorded")
