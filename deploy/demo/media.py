"""Channels, media columns and posts of the demo year, with their reach."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from deploy.demo.story import Story

CHANNELS = (
    ("daily", "newspaper", "乐山日报"),
    ("tv", "tv", "乐山电视台"),
    ("radio", "radio", "乐山人民广播电台"),
    ("web", "website", "乐山科协网"),
    ("sms", "sms", "科普手机报"),
    ("screens", "screen", "社区科普电子屏"),
)


@dataclass(frozen=True)
class Column:
    """A column with its rhythm, and how many an issue reaches."""

    id: str
    channel: str
    name: str
    issues: int
    every: int  # days
    reach: int


COLUMNS = (
    Column("science-life", "daily", "科学生活", 24, 15, 42_000),
    Column("tech-window", "tv", "科技之窗", 12, 30, 65_000),
    Column("health", "radio", "健康讲堂", 12, 30, 18_000),
)
POSTS = 30


def channels() -> Story:
    """Return the channels of the year."""
    story = Story("channels")
    for id_, kind, name in CHANNELS:
        story.tell(
            "outreach", "open_channel", channel_id=f"ch-{id_}", channel_kind=kind, name=name, operator_id=f"org-{id_}",
            opened_on=date(2011, 1, 4),
        )  # fmt: skip
    return story


def media() -> Iterator[Story]:
    """Yield the columns with their issues, and the posts."""
    for column in COLUMNS:
        yield _column(column)
    yield _posts()


def _column(column: Column) -> Story:
    story, column_id = Story(f"column-{column.id}"), f"co-{column.id}"
    story.tell("outreach", "plan_column", column_id=column_id, name=column.name, channel_id=f"ch-{column.channel}")
    story.tell("outreach", "start_column", column_id=column_id, started_on=date(2011, 1, 5))
    for number in range(1, column.issues + 1):
        _issue(story, column, number, date(2011, 1, 6) + timedelta(days=column.every * (number - 1)))
    story.tell("outreach", "plan_issue", column_id=column_id, issue_no=1, expected="O-22")
    return story


def _issue(story: Story, column: Column, number: int, day: date) -> None:
    issue_id = f"i-{column.id}-{number:02}"
    it: dict[str, Any] = {"issue_id": issue_id}
    story.tell("outreach", "plan_issue", **it, column_id=f"co-{column.id}", issue_no=number)
    story.tell(
        "outreach", "draft_issue", **it, title=f"{column.name}第{number}期", author_ids=[f"p-writer-{number % 4}"]
    )
    review: dict[str, Any] = {**it, "reviewed_on": day - timedelta(days=1)}
    if number == 3:  # by the writer
        story.tell("outreach", "review_issue", by="reviewer", **review, reviewer_id="p-writer-3", expected="O-15")
    story.tell("outreach", "review_issue", by="reviewer", **review, reviewer_id=f"p-expert-{number % 5}")
    story.tell("outreach", "publish_issue", **it, published_on=day)
    if number % 3 == 1:
        report_id = f"re-{column.id}-{number:02}"
        reach = column.reach + 100 * number
        story.tell("outreach", "report_reach", report_id=report_id, **it, reach=reach, measured_on=day)
        story.tell("outreach", "verify_reach", by="reviewer", report_id=report_id)


def _posts() -> Story:
    story = Story("posts")
    for number in range(1, POSTS + 1):
        day = date(2011, 1, 10) + timedelta(days=11 * (number - 1))
        it: dict[str, Any] = {"post_id": f"w-{number:02}"}
        story.tell("outreach", "draft_post", **it, channel_id="ch-web", title=f"科普动态（{number}）")
        story.tell("outreach", "review_post", by="reviewer", **it, reviewed_on=day)
        story.tell(
            "outreach", "publish_post", **it, url=f"https://www.example.cn/kp/2011/{number}.html", published_on=day
        )
    story.tell("outreach", "withdraw_post", by="reviewer", post_id=f"w-{POSTS}", reason="内容与第29篇重复")
    return story
