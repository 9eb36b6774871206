"""Commands about channels, media columns and their issues, posts, and the reach of both."""

# ruff: noqa: ARG002 - every command is told by whom, and not every rule asks

from __future__ import annotations

from functools import partial
from typing import Any

from services import contract
from services.chassis.clock import SystemClock
from services.chassis.entrypoints import command
from services.outreach.domain import channel, column_issue, media_column, reach_report, second_person, web_post
from services.outreach.schemas import media as schemas
from services.outreach.store import Channels, ColumnIssues, MediaColumns, ReachReports, WebPosts


class MediaCommands:
    """Commands about what is published, and through which channels."""

    channels: Channels
    columns: MediaColumns
    issues: ColumnIssues
    posts: WebPosts
    reach_reports: ReachReports
    clock: SystemClock

    @command(contract.outreach.Channel, schemas.OpenChannel, roles=("recorder", "chair"), adds=True)
    def open_channel(self, channel_id: str | None, *, by: str, **stated: Any) -> Any:
        """Open a channel through which science popularisation reaches people."""
        return self.channels.add(channel.open(today=self.clock.today(), **stated), channel_id)

    @command(contract.outreach.Channel, schemas.CloseChannel, roles=("recorder", "chair"), states=("open",))
    def close_channel(self, channel_id: str, *, closed_on: Any, by: str) -> Any:
        """Close a channel: nothing new is planned for it."""
        return self.channels.change(channel_id, partial(channel.close, closed_on=closed_on, today=self.clock.today()))

    @command(contract.outreach.MediaColumn, schemas.PlanColumn, roles=("recorder",), adds=True)
    def plan_column(self, column_id: str | None, *, name: str, channel_id: str, by: str) -> Any:
        """Plan a column of science popularisation in a channel."""
        carrier = self.channels.get(channel_id)
        return self.columns.add(media_column.plan(name=name, channel_id=channel_id, channel=carrier), column_id)

    @command(contract.outreach.MediaColumn, schemas.StartColumn, roles=("recorder",), states=("planned",))
    def start_column(self, column_id: str, *, started_on: Any, by: str) -> Any:
        """Note the day on which a column began."""
        return self.columns.change(
            column_id, partial(media_column.start, started_on=started_on, today=self.clock.today())
        )

    @command(contract.outreach.MediaColumn, schemas.PauseColumn, roles=("recorder", "chair"), states=("running",))
    def pause_column(self, column_id: str, *, reason: str, by: str) -> Any:
        """Pause a column: no issue is published meanwhile."""
        return self.columns.change(column_id, partial(media_column.pause, reason=reason))

    @command(contract.outreach.MediaColumn, schemas.ResumeColumn, roles=("recorder", "chair"), states=("paused",))
    def resume_column(self, column_id: str, *, by: str) -> Any:
        """Go on with a column after a pause."""
        return self.columns.change(column_id, media_column.resume)

    @command(
        contract.outreach.MediaColumn, schemas.EndColumn, roles=("chair",), states=("planned", "running", "paused")
    )
    def end_column(self, column_id: str, *, reason: str, by: str) -> Any:
        """End a column for good; its issues stay."""
        return self.columns.change(column_id, partial(media_column.end, reason=reason))

    @command(contract.outreach.ColumnIssue, schemas.PlanIssue, roles=("recorder",), adds=True)
    def plan_issue(self, issue_id: str | None, *, column_id: str, issue_no: int, by: str) -> Any:
        """Plan an issue of a column by its number."""
        column = self.columns.get(column_id)
        return self.issues.add(column_issue.plan(column_id=column_id, column=column, issue_no=issue_no), issue_id)

    @command(
        contract.outreach.ColumnIssue,
        schemas.DraftIssue,
        roles=("recorder",),
        states=("planned", "drafted", "expert_reviewed"),
    )
    def draft_issue(self, issue_id: str, **written: Any) -> Any:
        """Hand in the draft of an issue; a later draft is reviewed anew."""
        return self.issues.change(issue_id, partial(column_issue.draft, **written))

    @command(contract.outreach.ColumnIssue, schemas.ReviewIssue, roles=("verifier",), states=("drafted",))
    def review_issue(self, issue_id: str, **reviewed: Any) -> Any:
        """Record the scientific review of an issue by an expert who did not write it."""
        return self.issues.change(issue_id, partial(column_issue.review, today=self.clock.today(), **reviewed))

    @command(
        contract.outreach.ColumnIssue, schemas.PublishIssue, roles=("recorder", "verifier"), states=("expert_reviewed",)
    )
    def publish_issue(self, issue_id: str, *, published_on: Any, by: str) -> Any:
        """Note the day on which a reviewed issue appeared."""
        column = self.columns.get(self.issues.get(issue_id).column_id)
        publish = partial(column_issue.publish, column=column, published_on=published_on, today=self.clock.today())
        return self.issues.change(issue_id, publish)

    @command(
        contract.outreach.ColumnIssue,
        schemas.WithdrawIssue,
        roles=("verifier", "chair"),
        states=("planned", "drafted", "expert_reviewed", "published"),
    )
    def withdraw_issue(self, issue_id: str, *, reason: str, by: str) -> Any:
        """Withdraw an issue, planned or published; its number is free again."""
        return self.issues.change(issue_id, partial(column_issue.withdraw, reason=reason))

    @command(contract.outreach.WebPost, schemas.DraftPost, roles=("recorder",), adds=True)
    def draft_post(self, post_id: str | None, *, channel_id: str, **written: Any) -> Any:
        """Draft a post for the association's website."""
        site = self.channels.get(channel_id)
        return self.posts.add(web_post.draft(channel_id=channel_id, channel=site, **written), post_id)

    @command(contract.outreach.WebPost, schemas.ReviewPost, roles=("verifier",), states=("drafted",))
    def review_post(self, post_id: str, **reviewed: Any) -> Any:
        """Find a post sound, as somebody who did not write it."""
        return self.posts.change(post_id, partial(web_post.review, today=self.clock.today(), **reviewed))

    @command(contract.outreach.WebPost, schemas.PublishPost, roles=("recorder", "verifier"), states=("reviewed",))
    def publish_post(self, post_id: str, *, by: str, **public: Any) -> Any:
        """Note the public address of a reviewed post and its day."""
        return self.posts.change(post_id, partial(web_post.publish, today=self.clock.today(), **public))

    @command(
        contract.outreach.WebPost,
        schemas.WithdrawPost,
        roles=("verifier", "chair"),
        states=("drafted", "reviewed", "published"),
    )
    def withdraw_post(self, post_id: str, *, reason: str, by: str) -> Any:
        """Withdraw a post, before or after it was public."""
        return self.posts.change(post_id, partial(web_post.withdraw, reason=reason))

    @command(contract.outreach.ReachReport, schemas.ReportReach, roles=("recorder",), adds=True)
    def report_reach(self, report_id: str | None, *, issue_id: str | None, post_id: str | None, **measured: Any) -> Any:
        """State how many a published issue or post reached; that is no audience of K2."""
        issue = self.issues.get(issue_id) if issue_id else None
        post = self.posts.get(post_id) if post_id else None
        stated = reach_report.report(
            issue_id=issue_id, issue=issue, post_id=post_id, post=post, today=self.clock.today(), **measured
        )
        return self.reach_reports.add(stated, report_id)

    @command(contract.outreach.ReachReport, schemas.VerifyReach, roles=("verifier",), states=("recorded",))
    def verify_reach(self, report_id: str, *, by: str) -> Any:
        """Verify a report of reach, as a second person."""
        return self.reach_reports.change(report_id, partial(second_person.verify, by=by))

    @command(contract.outreach.ReachReport, schemas.RejectReach, roles=("verifier",), states=("recorded", "verified"))
    def reject_reach(self, report_id: str, *, reason: str, by: str) -> Any:
        """Reject a report of reach, also a verified one; the right number is reported anew."""
        return self.reach_reports.change(report_id, partial(second_person.reject, reason=reason))
