"""The rules of channels, media columns and their issues, posts, and the reach of both."""

from dataclasses import replace
from datetime import date
from functools import partial

import pytest

from services import contract
from services.kernel import ForbiddenMove
from services.kernel.day import NotYet, OutOfOrder
from services.kernel.duty import SamePerson
from services.outreach.domain import channel, column_issue, media_column, reach_report, second_person, web_post
from services.outreach.domain.publication import PublishedUnreviewed, ReviewedByAuthor
from services.outreach.domain.reach_report import ReachOfOne, ReachUnpublished
from services.outreach.domain.web_post import NotAWebsite
from tests.machines import follows_the_machine

TODAY = date(2011, 6, 30)
MAY = date(2011, 5, 2)


def a_channel(*, kind="newspaper", **changes):
    opened = channel.open(
        channel_kind=kind, name="乐山日报", operator_id="o-daily", opened_on=date(2011, 1, 4), today=TODAY
    )
    return replace(opened.record, **changes)


def a_column(*, state="running", **changes):
    planned = media_column.plan(name="科学生活", channel_id="ch-1", channel=a_channel()).record
    return replace(planned, state=state, **changes)


def an_issue(*, state="planned", **changes):
    """Written by p-1, drafted by u-li, and where it went further, reviewed by p-9 on 2 May."""
    planned = column_issue.plan(column_id="co-1", column=a_column(), issue_no=1).record
    written = {"author_ids": ("p-1",), "drafted_by": "u-li", "title": "防震常识"} if state != "planned" else {}
    read = {"reviewer_id": "p-9", "reviewed_on": MAY} if state in ("expert_reviewed", "published") else {}
    there = {"published_on": MAY} if state == "published" else {}
    return replace(planned, state=state, **{**written, **read, **there, **changes})


def a_post(*, state="drafted", **changes):
    drafted = web_post.draft(
        channel_id="ch-web", channel=a_channel(kind="website"), title="科普日预告", by="u-li"
    ).record
    read = {"reviewed_by": "u-wang", "reviewed_on": MAY} if state in ("reviewed", "published") else {}
    there = {"published_on": MAY, "url": "https://a.cn/1"} if state == "published" else {}
    return replace(drafted, state=state, **{**read, **there, **changes})


def reach_of(**changes):
    issue = an_issue(state="published")
    usual = {"issue_id": "i-1", "issue": issue, "reach": 48_000, "measured_on": MAY, "today": TODAY, "by": "u-li"}
    return reach_report.report(**{**usual, **changes}).record


REVIEW = {"reviewer_id": "p-9", "reviewed_on": MAY, "today": TODAY, "by": "u-wang"}
MACHINES = {
    "channel": (
        channel.LIFECYCLE,
        lambda state: a_channel(state=state),
        {("closed", "closed"): lambda it: channel.close(it, closed_on=MAY, today=TODAY)},
    ),
    "media_column": (
        media_column.LIFECYCLE,
        lambda state: a_column(state=state),
        {
            ("paused", "paused"): lambda it: media_column.pause(it, reason="改版"),
            ("ended", "ended"): lambda it: media_column.end(it, reason="停刊"),
        },
    ),
    "column_issue": (
        column_issue.LIFECYCLE,
        lambda state: an_issue(state=state),
        {
            ("drafted", "drafted"): lambda it: column_issue.draft(it, title="-", author_ids=("p-1",), by="u-li"),
            ("expert_reviewed", "reviewed"): lambda it: column_issue.review(it, **REVIEW),
            ("published", "published"): lambda it: column_issue.publish(
                replace(it, reviewed_on=MAY), column=a_column(), published_on=MAY, today=TODAY
            ),
            ("withdrawn", "withdrawn"): lambda it: column_issue.withdraw(it, reason="数据有误"),
        },
    ),
    "web_post": (
        web_post.LIFECYCLE,
        lambda state: a_post(state=state),
        {
            ("reviewed", "reviewed"): lambda it: web_post.review(it, reviewed_on=MAY, today=TODAY, by="u-wang"),
            ("published", "published"): lambda it: web_post.publish(
                replace(it, reviewed_on=MAY), url="https://a.cn/1", published_on=MAY, today=TODAY
            ),
            ("withdrawn", "withdrawn"): lambda it: web_post.withdraw(it, reason="内容过时"),
        },
    ),
    "reach_report": (
        second_person.LIFECYCLE,
        lambda state: replace(reach_of(), state=state),
        {
            ("verified", "verified"): lambda it: second_person.verify(it, by="u-wang"),
            ("rejected", "rejected"): lambda it: second_person.reject(it, reason="口径不符"),
        },
    ),
}


def allows_its_own_moves(kind, state):
    machine, made, moves = MACHINES[kind]
    for (to, happening), do in moves.items():
        follows_the_machine(machine, state, to, partial(do, made(state)), happened=happening)


@pytest.mark.parametrize("state", channel.LIFECYCLE.states)
@pytest.mark.rule("X-12")
def test_a_channel_closes_once(state):
    allows_its_own_moves("channel", state)


@pytest.mark.parametrize("state", media_column.LIFECYCLE.states)
@pytest.mark.rule("X-12")
def test_a_column_pauses_while_it_runs_and_ends_for_good(state):
    allows_its_own_moves("media_column", state)


@pytest.mark.parametrize("state", column_issue.LIFECYCLE.states)
@pytest.mark.rule("X-12")
def test_an_issue_is_drafted_reviewed_and_published_in_this_order_or_withdrawn(state):
    allows_its_own_moves("column_issue", state)


@pytest.mark.parametrize("state", web_post.LIFECYCLE.states)
@pytest.mark.rule("X-12")
def test_a_post_is_reviewed_and_published_in_this_order_or_withdrawn(state):
    allows_its_own_moves("web_post", state)


@pytest.mark.parametrize("state", second_person.LIFECYCLE.states)
@pytest.mark.rule("X-12")
def test_a_report_of_reach_is_verified_once_and_rejected_for_good(state):
    allows_its_own_moves("reach_report", state)


@pytest.mark.parametrize("kind", MACHINES)
def test_the_machine_has_the_states_of_the_contract_and_its_happenings_are_announced(kind):
    machine, _, moves = MACHINES[kind]
    declared = contract.KINDS[f"outreach.{kind}"]

    assert set(machine.states) == set(declared.states)
    assert {happening for _, happening in moves} <= set(declared.happenings)


@pytest.mark.parametrize("state", media_column.LIFECYCLE.states)
@pytest.mark.rule("X-12")
def test_a_column_starts_once_and_is_resumed_after_a_pause_only(state):
    for right, happened, do in (
        ("planned", "started", partial(media_column.start, started_on=MAY, today=TODAY)),
        ("paused", "resumed", media_column.resume),
    ):
        if state == right:
            assert (do(a_column(state=state)).record.state, do(a_column(state=state)).happened) == ("running", happened)
        else:
            with pytest.raises(ForbiddenMove, match=f"state={state}"):
                do(a_column(state=state))


@pytest.mark.rule("X-07")
def test_a_column_starts_when_its_channel_is_there_and_a_channel_closes_after_it_opened():
    with pytest.raises(OutOfOrder):
        media_column.start(a_column(state="planned"), started_on=date(2011, 1, 3), today=TODAY)
    with pytest.raises(OutOfOrder):
        channel.close(a_channel(), closed_on=date(2011, 1, 3), today=TODAY)
    with pytest.raises(NotYet):
        media_column.start(a_column(state="planned"), started_on=date(2011, 7, 1), today=TODAY)


@pytest.mark.rule("X-12")
def test_nothing_is_planned_in_a_closed_channel_or_an_ended_column_nor_published_in_a_paused_one():
    with pytest.raises(ForbiddenMove):
        media_column.plan(name="-", channel_id="ch-1", channel=a_channel(state="closed"))
    with pytest.raises(ForbiddenMove):
        column_issue.plan(column_id="co-1", column=a_column(state="ended"), issue_no=2)
    for state in ("planned", "paused", "ended"):
        with pytest.raises(ForbiddenMove, match=f"state={state}"):
            column_issue.publish(
                an_issue(state="expert_reviewed"), column=a_column(state=state), published_on=MAY, today=TODAY
            )


@pytest.mark.rule("O-15")
@pytest.mark.parametrize("changed", [{"reviewer_id": "p-1"}, {"by": "u-li"}, {"by": "p-1"}])
def test_an_issue_is_reviewed_by_nobody_who_wrote_or_drafted_it(changed):
    with pytest.raises(ReviewedByAuthor):
        column_issue.review(an_issue(state="drafted"), **{**REVIEW, **changed})

    assert column_issue.review(an_issue(state="drafted"), **REVIEW).record.reviewer_id == "p-9"


@pytest.mark.rule("O-15")
def test_a_post_is_reviewed_by_nobody_who_wrote_it():
    with pytest.raises(ReviewedByAuthor):
        web_post.review(a_post(), reviewed_on=MAY, today=TODAY, by="u-li")


@pytest.mark.rule("O-15")
def test_nothing_is_published_before_its_review_and_on_the_day_of_it_at_the_earliest():
    reviewed, post = an_issue(state="expert_reviewed"), a_post(state="reviewed")
    day_before = date(2011, 5, 1)

    with pytest.raises(PublishedUnreviewed):
        column_issue.publish(reviewed, column=a_column(), published_on=day_before, today=TODAY)
    with pytest.raises(PublishedUnreviewed):
        web_post.publish(post, url="https://a.cn/1", published_on=day_before, today=TODAY)

    published = column_issue.publish(reviewed, column=a_column(), published_on=MAY, today=TODAY)
    assert published.record.published_on == MAY


@pytest.mark.rule("O-15")
def test_another_draft_is_reviewed_anew():
    again = column_issue.draft(an_issue(state="expert_reviewed"), title="改稿", author_ids=("p-2",), by="u-li").record

    assert (again.state, again.reviewer_id, again.reviewed_on) == ("drafted", None, None)


@pytest.mark.rule("O-27")
def test_a_post_stands_on_a_website_alone():
    with pytest.raises(NotAWebsite, match="channel_kind=tv"):
        web_post.draft(channel_id="ch-1", channel=a_channel(kind="tv"), title="-", by="u-li")


@pytest.mark.rule("O-11")
def test_reach_is_of_one_issue_or_post_that_was_published_by_then():
    post = a_post(state="published")
    assert reach_of(issue_id=None, issue=None, post_id="w-1", post=post).channel_kind == "website"

    with pytest.raises(ReachOfOne):
        reach_of(post_id="w-1", post=post)
    with pytest.raises(ReachOfOne):
        reach_of(issue_id=None, issue=None)
    for state in ("planned", "drafted", "expert_reviewed", "withdrawn"):
        with pytest.raises(ReachUnpublished, match=f"state={state}"):
            reach_of(issue=an_issue(state=state))
    with pytest.raises(ReachUnpublished):
        reach_of(measured_on=date(2011, 5, 1))


@pytest.mark.rule("O-11")
def test_reach_has_no_person_times_that_could_be_added_up_with_an_audience():
    reach, audience = contract.outreach.ReachReport.kind.fields, contract.outreach.AudienceCount.kind.fields

    assert {name for name in {*reach} & {*audience} if reach[name].type is int} == set()


@pytest.mark.rule("X-05")
def test_reach_is_verified_by_somebody_else_than_its_recorder():
    with pytest.raises(SamePerson):
        second_person.verify(reach_of(), by="u-li")
