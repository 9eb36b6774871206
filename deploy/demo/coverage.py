"""Media coverage of the demo year, and its calendar of commemorative days."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from deploy.demo.activities import BRANDS
from deploy.demo.story import Story, sha256_of

DAYS = (
    ("water", "世界水日", date(2011, 3, 22)),
    ("meteorology", "世界气象日", date(2011, 3, 23)),
    ("earth", "世界地球日", date(2011, 4, 22)),
    ("property", "世界知识产权日", date(2011, 4, 26)),
    ("disaster", "防灾减灾日", date(2011, 5, 12)),
    ("environment", "世界环境日", date(2011, 6, 5)),
    ("drugs", "国际禁毒日", date(2011, 6, 26)),
    ("food", "世界粮食日", date(2011, 10, 16)),
)
"""The calendar of the year: those with a campaign of this id are taken up by it."""

OUTLETS = (
    ("乐山日报", "city", "newspaper"),
    ("乐山电视台", "city", "tv"),
    ("峨眉山市广播电视台", "county", "radio"),
    ("四川日报", "province", "newspaper"),
    ("四川科技报", "province", "newspaper"),
    ("科技日报", "central", "newspaper"),
)
CLIPS = 48


def coverage() -> Iterator[Story]:
    """Yield the calendar and the clips of the year."""
    yield _calendar()
    yield _clips()


def _calendar() -> Story:
    story, campaigns = Story("calendar"), {brand.id for brand in BRANDS if brand.kind == "commemorative"}
    for id_, name, day in DAYS:
        story.tell("outreach", "enter_day", day_id=f"d-{id_}", name=name, day=day)
        if id_ in campaigns:
            story.tell("outreach", "cover_day", day_id=f"d-{id_}", campaign_id=f"c-{id_}")
    story.tell("outreach", "cover_day", day_id="d-drugs", campaign_id="c-week", expected="O-28")
    return story


def _clips() -> Story:
    story = Story("clips")
    for number in range(1, CLIPS + 1):
        outlet, level, kind = OUTLETS[number % len(OUTLETS)]
        clip_id, clip = f"m-{number:02}", sha256_of("clip", number)
        story.tell(
            "outreach", "record_coverage", coverage_id=clip_id, outlet=outlet, outlet_level=level, channel_kind=kind,
            title=f"科普报道（{number}）", published_on=date(2011, 1, 15) + timedelta(days=7 * (number - 1)),
            clip_sha256=clip,
        )  # fmt: skip
        if number == 7:
            story.tell(
                "outreach", "record_coverage", by="clerk-2", outlet=outlet, outlet_level=level, channel_kind=kind,
                title="同一篇报道", published_on=date(2011, 2, 26), clip_sha256=clip, expected="O-23",
            )  # fmt: skip
        if number % 16 == 9:
            story.tell("outreach", "reject_coverage", by="reviewer", coverage_id=clip_id, reason="与科协工作无关")
        elif number < CLIPS:  # the last one still waits for its reviewer
            story.tell("outreach", "verify_coverage", by="reviewer", coverage_id=clip_id)
    return story
