"""Issues of a media column (期), from the plan to the day of publication; none without a scientific review (O-15)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

from services.contract.outreach import ChannelKind
from services.kernel import Change, Lifecycle, Refusal
from services.kernel.day import past
from services.outreach.domain import media_column as columns
from services.outreach.domain.media_column import MediaColumn
from services.outreach.domain.publication import require_other_reader, require_review

LIFECYCLE = Lifecycle(
    planned=("drafted", "withdrawn"),
    drafted=("drafted", "expert_reviewed", "withdrawn"),
    expert_reviewed=("drafted", "published", "withdrawn"),
    published=("withdrawn",),
)
STANDING = tuple(state for state in LIFECYCLE.states if state != "withdrawn")


class IssueNumberTaken(Refusal, rule="O-22", zh="同一栏目的期号不得重复"):
    """A number stands for one issue of a column."""


@dataclass(frozen=True, kw_only=True)
class ColumnIssue:
    """An issue; its writers and its scientific reviewer stay with the owner."""

    column_id: str
    channel_id: str
    channel_kind: ChannelKind
    district: str | None
    issue_no: int
    title: str | None = None
    author_ids: tuple[str, ...] = ()
    drafted_by: str | None = None
    reviewer_id: str | None = None
    reviewed_by: str | None = None
    reviewed_on: date | None = None
    published_on: date | None = None
    state: str = "planned"


def plan(*, column_id: str, column: MediaColumn, issue_no: int) -> Change[ColumnIssue]:
    """Plan an issue of a column that has not ended."""
    columns.LIFECYCLE.require(column.state, "planned", "running", "paused")

    issue = ColumnIssue(
        column_id=column_id,
        channel_id=column.channel_id,
        channel_kind=column.channel_kind,
        district=column.district,
        issue_no=issue_no,
    )
    return Change(issue, "planned")


def draft(issue: ColumnIssue, *, title: str, author_ids: tuple[str, ...], by: str) -> Change[ColumnIssue]:
    """Hand in its draft, or another one: that is reviewed anew."""
    state = LIFECYCLE.move(issue.state, "drafted")

    drafted = replace(issue, state=state, title=title, author_ids=author_ids, drafted_by=by)
    return Change(replace(drafted, reviewer_id=None, reviewed_by=None, reviewed_on=None), "drafted")


def review(issue: ColumnIssue, *, reviewer_id: str, reviewed_on: date, today: date, by: str) -> Change[ColumnIssue]:
    """Record that an expert found it sound; neither the expert nor the recorder wrote it (O-15)."""
    state = LIFECYCLE.move(issue.state, "expert_reviewed")
    past(today=today, reviewed_on=reviewed_on)
    require_other_reader(reviewers=(reviewer_id, by), writers=(*issue.author_ids, issue.drafted_by or ""))

    reviewed = replace(issue, state=state, reviewer_id=reviewer_id, reviewed_by=by, reviewed_on=reviewed_on)
    return Change(reviewed, "reviewed")


def publish(issue: ColumnIssue, *, column: MediaColumn, published_on: date, today: date) -> Change[ColumnIssue]:
    """Note that it appeared, in a column that is running."""
    state = LIFECYCLE.move(issue.state, "published")
    columns.LIFECYCLE.require(column.state, "running")
    require_review(reviewed_on=issue.reviewed_on, published_on=published_on, today=today)

    return Change(replace(issue, state=state, published_on=published_on), "published")


def withdraw(issue: ColumnIssue, *, reason: str) -> Change[ColumnIssue]:
    """Withdraw it; its number is free again."""
    return Change(replace(issue, state=LIFECYCLE.move(issue.state, "withdrawn")), "withdrawn", reason)
