"""Venues, campaigns and activities of the demo year, with the counts of their audiences."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random
from typing import Any

from deploy.demo.story import Story, sha256_of
from deploy.demo.visits import visit
from services.contract.district import DISTRICTS


@dataclass(frozen=True)
class Brand:
    """A campaign with the number and the formats of its activities."""

    id: str
    kind: str
    theme: str
    starts_on: date
    ends_on: date
    activities: int
    formats: tuple[str, ...]


BRANDS = (
    Brand("spring", "spring", "科普之春", date(2011, 3, 1), date(2011, 3, 31), 44, ("plaza", "lecture", "training")),
    Brand("water", "commemorative", "世界水日", date(2011, 3, 22), date(2011, 3, 22), 3, ("plaza",)),
    Brand("earth", "commemorative", "世界地球日", date(2011, 4, 22), date(2011, 4, 22), 4, ("plaza", "lecture")),
    Brand("disaster", "commemorative", "防灾减灾日", date(2011, 5, 12), date(2011, 5, 12), 6, ("visit", "lecture")),
    Brand(
        "week", "st_week", "科技活动周", date(2011, 5, 14), date(2011, 5, 22), 40, ("plaza", "exhibition", "contest")
    ),
    Brand("environment", "commemorative", "世界环境日", date(2011, 6, 5), date(2011, 6, 5), 4, ("plaza",)),
    Brand(
        "day", "nsp_day", "全国科普日", date(2011, 9, 17), date(2011, 9, 23), 52, ("plaza", "open_day", "exhibition")
    ),
    Brand("food", "commemorative", "世界粮食日", date(2011, 10, 16), date(2011, 10, 16), 3, ("consultation",)),
    Brand("members", "members_day", "科协会员日", date(2011, 12, 15), date(2011, 12, 15), 5, ("visit", "lecture")),
)

SMALL = ("lecture", "training", "visit", "consultation")
WITHOUT_CAMPAIGN = 70  # activities of the year outside the campaigns

AUDIENCE = {
    "plaza": (780, 3_700),
    "lecture": (60, 320),
    "exhibition": (250, 1_100),
    "visit": (40, 220),
    "contest": (90, 520),
    "training": (40, 180),
    "consultation": (60, 380),
    "open_day": (180, 1_300),
}
"""Person-times of a day by format, from and to."""


VENUES = (("plaza", 1_500), ("school", 500), ("school", 320), ("hall", 700), ("community", 260), ("community", 180))
"""Kind and capacity of the venues of each district."""


class Bookings:
    """The slots of all venues that are taken, so that no activity of the list asks for one of them."""

    def __init__(self) -> None:
        self._taken: set[tuple[str, date, str]] = set()

    def find(self, district: str, kinds: tuple[str, ...], days: list[date]) -> tuple[str, str]:
        """Take a venue of these kinds in a district and a slot on all these days; LookupError where none is free."""
        for number, (kind, _) in enumerate(VENUES, start=1):
            for slot in ("morning", "afternoon", "evening") if kind in kinds else ():
                slots = {(f"v-{district}-{number}", day, slot) for day in days}
                if not slots & self._taken:
                    self._taken |= slots
                    return f"v-{district}-{number}", slot
        raise LookupError(f"every {'/'.join(kinds)} of {district} is taken on {days[0]}")


def venues() -> Story:
    """Return the venues of every district."""
    story = Story("venues")
    for district, name in DISTRICTS.items():
        for number, (kind, capacity) in enumerate(VENUES, start=1):
            story.tell(
                "outreach", "register_venue", venue_id=f"v-{district}-{number}", venue_kind=kind,
                name=f"{name} {kind} {number}", district=district, capacity=capacity,
            )  # fmt: skip
    return story


def campaigns() -> Story:
    """Return the campaigns of the year, of which two commands are repeated or refused."""
    story = Story("campaigns")
    for brand in BRANDS:
        story.tell(
            "outreach", "open_campaign", campaign_id=f"c-{brand.id}", campaign_kind=brand.kind, theme=brand.theme,
            starts_on=brand.starts_on, ends_on=brand.ends_on,
        )  # fmt: skip
    story.repeat()
    story.tell(
        "outreach", "open_campaign", campaign_kind="members_day", theme="会员日再计一次", starts_on=date(2011, 12, 15),
        ends_on=date(2011, 12, 15), counts_for_k2=True, expected="O-16",
    )  # fmt: skip
    return story


def closing() -> Story:
    """Return the end of all campaigns."""
    story = Story("closing")
    for brand in BRANDS:
        story.tell("outreach", "close_campaign", campaign_id=f"c-{brand.id}", by="chair")
    return story


def activities(random: Random, bookings: Bookings) -> Iterator[Story]:
    """Yield the activities of all campaigns and those outside of them, one held online only, and a cancelled one."""
    number = 0
    for brand in BRANDS:
        for _ in range(brand.activities):
            number += 1
            span = (brand.ends_on - brand.starts_on).days
            first = brand.starts_on + timedelta(days=random.randint(0, span))
            room = (brand.ends_on - first).days
            yield _activity(random, bookings, number, random.choice(brand.formats), first, room, f"c-{brand.id}")
    for _ in range(WITHOUT_CAMPAIGN):
        number += 1
        first = date(2011, 1, 10) + timedelta(days=random.randint(0, 345))
        yield _activity(
            random, bookings, number, random.choice(("lecture", "training", "visit", "consultation")), first, 0, None
        )
    yield _online_only()
    yield _cancelled()


def _activity(
    random: Random, bookings: Bookings, number: int, kind: str, first: date, room: int, campaign: str | None
) -> Story:
    """An activity from its draft to its verified report, with failures on the way."""
    story, activity_id = Story(f"activity-{number}"), f"a-{number:03}"
    length = min(random.choice((2, 3, 4)) if kind == "exhibition" else 1, room + 1)
    days = [first + timedelta(days=day) for day in range(length)]
    district = random.choice(list(DISTRICTS))
    story.tell(
        "outreach", "create_activity", activity_id=activity_id, campaign_id=campaign, title=f"{kind} {number}",
        format=kind, delivery="both" if number % 23 == 0 else "on_site", lead_org_id=f"org-{random.randint(1, 30)}",
        co_org_ids=[f"org-{random.randint(31, 60)}"] if number % 3 == 0 else None, district=district, days=days,
        key_groups=[random.choice(("minors", "farmers", "urban", "cadres"))],
    )  # fmt: skip
    place = {"plaza": "plaza", "open_day": "plaza", "exhibition": "hall", "contest": "school"}.get(kind)
    venue_id, slot = bookings.find(district, (place,) if place else ("community", "school"), days)
    story.tell("outreach", "schedule_activity", activity_id=activity_id, venue_id=venue_id, slots=[slot])
    story.tell("outreach", "start_activity", activity_id=activity_id)
    story.tell("outreach", "finish_activity", activity_id=activity_id)
    if kind in ("visit", "lecture") and number % 10 == 4:
        visit(story, number, activity_id=activity_id, district=district, day=first, slot=slot)
    for day in days:
        _count(random, story, number, kind, day, first=day == days[0])
    if number % 40 == 17:
        return story  # its report is still to come: reported, not verified
    story.tell("outreach", "report_activity", activity_id=activity_id)
    story.tell("outreach", "verify_activity", by="reviewer-2", activity_id=activity_id)
    if number % 31 == 4:
        story.repeat()
    return story


def _count(random: Random, story: Story, number: int, kind: str, day: date, *, first: bool) -> None:
    least, most = AUDIENCE[kind]
    person_times = random.randint(least, most)
    method = random.choice(("headcount", "estimate")) if kind == "plaza" else random.choice(("sign_in", "headcount"))
    count_id, activity_id = f"n-{number:03}-{day:%m%d}", f"a-{number:03}"
    recorded: dict[str, Any] = {
        "activity_id": activity_id, "day": day, "mode": "offline", "method": method, "person_times": person_times,
        "minors": person_times // 3 if kind in ("visit", "contest", "open_day") else None,
        "handouts": person_times * 3 if kind == "plaza" else None,
    }  # fmt: skip
    story.tell("outreach", "record_count", count_id=count_id, **recorded)
    if number % 17 == 3:
        story.repeat()  # the answer was lost
    if first and number % 19 == 5:
        story.tell("outreach", "record_count", by="clerk-2", count_id=f"{count_id}-b", **recorded, expected="O-03")
    if first and number % 29 == 7:
        story.tell("outreach", "verify_count", by="reviewer", count_id=f"{count_id}-none", expected="not_found")
    if person_times >= 1_000 and method in ("headcount", "estimate"):
        if number % 13 == 2:
            story.tell("outreach", "verify_count", by="reviewer", count_id=count_id, expected="O-06")
        story.tell(
            "outreach", "attach_evidence", evidence_id=sha256_of("press", number, day), activity_id=activity_id,
            evidence_kind="press", taken_on=day,
        )  # fmt: skip
    if number % 37 == 11 and first:
        story.tell("outreach", "reject_count", by="reviewer", count_id=count_id, reason="签到表与照片不符")
        recorded["person_times"] = person_times * 4 // 5
        recorded["minors"] = None
        count_id = f"{count_id}-2"
        story.tell("outreach", "record_count", by="clerk-2", count_id=count_id, **recorded)
    if number % 40 == 17:
        return
    story.tell("outreach", "verify_count", by="reviewer", count_id=count_id)
    if number % 16 == 9 and first:
        _correct(story, count_id, activity_id, day, recorded["person_times"] - person_times // 15)
    if number % 23 == 0:
        story.tell(
            "outreach", "record_count", count_id=f"{count_id}-web", activity_id=activity_id, day=day, mode="online",
            method="report", person_times=person_times * 5,
        )  # fmt: skip
        story.tell("outreach", "verify_count", by="reviewer", count_id=f"{count_id}-web")


def _correct(story: Story, count_id: str, activity_id: str, day: date, person_times: int) -> None:
    letter = sha256_of("letter", count_id)
    story.tell(
        "outreach", "attach_evidence", by="reviewer", evidence_id=letter, activity_id=activity_id,
        evidence_kind="letter", taken_on=day,
    )  # fmt: skip
    story.tell(
        "outreach", "correct_count", by="reviewer-2", count_id=count_id, person_times=person_times, minors=0,
        evidence_ids=[letter], reason="复核签到表后更正",
    )  # fmt: skip
    story.repeat()


def _online_only() -> Story:
    story, day = Story("online"), date(2011, 7, 20)
    story.tell(
        "outreach", "create_activity", activity_id="a-online", title="网上科普讲座", format="lecture",
        delivery="online", lead_org_id="org-1", district="511102", days=[day],
    )  # fmt: skip
    for command in ("schedule_activity", "start_activity", "finish_activity"):
        story.tell("outreach", command, activity_id="a-online")
    views: dict[str, Any] = {"activity_id": "a-online", "day": day, "method": "report", "person_times": 12_000}
    story.tell("outreach", "record_count", count_id="n-online-x", mode="offline", **views, expected="O-11")
    story.tell("outreach", "record_count", count_id="n-online", mode="online", **views)
    story.tell("outreach", "verify_count", count_id="n-online", by="reviewer")
    return story


def _cancelled() -> Story:
    story = Story("cancelled")
    story.tell(
        "outreach", "create_activity", activity_id="a-cancelled", title="广场活动（因雨取消）", format="plaza",
        delivery="on_site", lead_org_id="org-2", district="511181", days=[date(2011, 8, 21)],
    )  # fmt: skip
    story.tell("outreach", "schedule_activity", activity_id="a-cancelled", venue_id="v-511181-1")
    story.tell("outreach", "cancel_activity", activity_id="a-cancelled", reason="连日暴雨")
    story.tell(
        "outreach", "record_count", activity_id="a-cancelled", day=date(2011, 8, 21), mode="offline",
        method="headcount", person_times=500, expected="X-12",
    )  # fmt: skip
    return story
