"""2011 in Leshan: some hundred activities around the real campaigns, contests, associations, points and money.

A pure list from a fixed seed. Names of persons do not occur; what goes wrong in a year occurs: counts that are
corrected, rejected or replaced, a prize that is revoked, commands that are refused or sent twice.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random
from typing import Any

from deploy.demo.evaluations import evaluations
from deploy.demo.story import Story, sha256_of
from deploy.demo.youth import WON, youth
from services.contract.district import DISTRICTS

SEED = 2011


@dataclass(frozen=True)
class Brand:
    """A campaign, how many activities it brings and in which formats."""

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

ASSOCIATIONS = (
    "茶叶",
    "柑橘",
    "生猪养殖",
    "水产",
    "竹编",
    "中药材",
    "花椒",
    "蚕桑",
    "食用菌",
    "奶牛",
    "蔬菜",
    "核桃",
    "獭兔",
)
CROP_TOWNSHIPS = tuple(f"{district}{100 + place}" for place, district in enumerate(DISTRICTS))


def stories(seed: int = SEED) -> tuple[list[Story], ...]:
    """The parts of the year one after the other; the stories of a part can be told side by side."""
    random = Random(seed)
    return (
        [_venues(), _campaigns()],
        [
            youth(),
            *evaluations(),
            *_activities(random, Bookings()),
            *_results(),
            *_associations(random),
            *_points(random),
            *_grants(),
            *_organisations(),
        ],
        [_closing()],
    )


VENUES = (("plaza", 1_500), ("school", 500), ("school", 320), ("hall", 700), ("community", 260), ("community", 180))
"""Kind and capacity of the venues that each district has."""


class Bookings:
    """Which venue is taken when, so that no activity of the list asks for a taken one."""

    def __init__(self) -> None:
        self._taken: set[tuple[str, date, str]] = set()

    def find(self, district: str, kinds: tuple[str, ...], days: list[date]) -> tuple[str, str]:
        """A venue of one of these kinds in the district and a slot in which it is free on all these days."""
        for number, (kind, _) in enumerate(VENUES, start=1):
            for slot in ("morning", "afternoon", "evening") if kind in kinds else ():
                wanted = {(f"v-{district}-{number}", day, slot) for day in days}
                if not wanted & self._taken:
                    self._taken |= wanted
                    return f"v-{district}-{number}", slot
        raise LookupError(f"every {'/'.join(kinds)} of {district} is taken on {days[0]}")


def _venues() -> Story:
    story = Story("venues")
    for district, name in DISTRICTS.items():
        for number, (kind, capacity) in enumerate(VENUES, start=1):
            story.tell(
                "outreach", "register_venue", venue_id=f"v-{district}-{number}", venue_kind=kind,
                name=f"{name} {kind} {number}", district=district, capacity=capacity,
            )  # fmt: skip
    return story


def _campaigns() -> Story:
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


def _closing() -> Story:
    story = Story("closing")
    for brand in BRANDS:
        story.tell("outreach", "close_campaign", campaign_id=f"c-{brand.id}", by="chair")
    return story


def _activities(random: Random, bookings: Bookings) -> Iterator[Story]:
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
    """An activity from its draft to its verified report, with what may go wrong on the way."""
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


PRIZES = (("first", 6), ("second", 17), ("third", 29), ("none", 12))  # none: special prizes, which have no grade


def _results() -> Iterator[Story]:
    number = 0
    for grade, prizes in PRIZES:
        for _ in range(prizes):
            number += 1
            yield _result(number, grade)
    for other, kind in (("national", "graded"), ("province", "tutor"), ("province", "organisation")):
        number += 1
        story = Story(f"result-{number}")
        _report(story, number, grade="third" if kind == "graded" else "none", kind=kind, level=other)
        story.tell("awards", "verify_external_result", by="reviewer", result_id=f"r-{number:03}")
        yield story


def _result(number: int, grade: str) -> Story:
    """A prize of the 26th provincial contest: most are verified, one is revoked, some are not what they seemed."""
    story, result_id = Story(f"result-{number}"), f"r-{number:03}"
    _report(story, number, grade=grade, kind="special" if grade == "none" else "graded", level="province")
    if number == 12:
        _report(story, number, grade=grade, kind="graded", level="province", again=True)
    if number in (20, 40):
        story.tell("awards", "verify_external_result", by="clerk", result_id=result_id, expected="not_allowed")
    if number in (33, 50):
        story.tell("awards", "reject_external_result", by="reviewer", result_id=result_id, reason="文件中无此项目")
        return story
    story.tell("awards", "verify_external_result", by="reviewer", result_id=result_id)
    if number % 9 == 0:
        story.repeat()
    if number == 7:
        story.tell(
            "awards", "revoke_external_result", by="chair", result_id=result_id, document_no="川科协发〔2011〕88号",
            reason="作品系他人成果",
        )  # fmt: skip
        story.repeat()
        story.tell("awards", "verify_external_result", by="reviewer-2", result_id=result_id, expected="X-12")
    return story


def _report(story: Story, number: int, *, grade: str, kind: str, level: str, again: bool = False) -> None:
    story.tell(
        "awards", "report_external_result", result_id=f"r-{number:03}{'-again' if again else ''}",
        series="youth_contest", level=level, edition_no=26,
        category="innovation_project" if number % 4 else "science_idea", award_kind=kind, grade=grade,
        title=f"作品 {number}", first_entrant=f"entrant-{number}", awarded_on=date(2011, 4, 9 + number % 9),
        document_sha256=sha256_of("result", level), district=list(DISTRICTS)[number % len(DISTRICTS)],
        entry_id=WON.get(number), expected="A-26" if again else "done",
    )  # fmt: skip


def _associations(random: Random) -> Iterator[Story]:
    for number, industry in enumerate(ASSOCIATIONS, start=1):
        yield _association(random, number, industry)
    yield _renamed()


def _association(random: Random, number: int, industry: str) -> Story:
    story, association_id = Story(f"association-{number}"), f"rpta-{number:02}"
    township = CROP_TOWNSHIPS[number % len(CROP_TOWNSHIPS)]
    day = date(2011, 1, 20) + timedelta(days=25 * number)
    papers: dict[str, Any] = {"charter_doc": f"章程 {number}", "leader_person_id": f"p-leader-{number}"}
    _prepare(story, association_id, number, industry, township, random.randint(30, 240))
    if number % 3 == 0:
        story.tell(
            "rural", "file_association", association_id=association_id, filing_no=f"备{number:03}",
            filed_on=day - timedelta(days=20), **papers,
        )  # fmt: skip
    story.tell(
        "rural", "register_association", association_id=association_id, registration_no=f"川乐民社{number:03}",
        registered_on=day, **papers,
    )  # fmt: skip
    story.tell("rural", "activate_association", by="chair", association_id=association_id)
    if number == 4:
        _prepare(story, "rpta-04-double", number, industry, township, 50, expected="R-01")
    if number == 5:
        story.tell("rural", "suspend_association", by="chair", association_id=association_id, reason="账目未公开")
        story.tell("rural", "activate_association", by="chair", association_id=association_id)
    if number == 12:
        story.tell("rural", "dissolve_association", by="chair", association_id=association_id, reason="会员大会决议")
    return story


def _prepare(
    story: Story,
    association_id: str,
    number: int,
    industry: str,
    township: str,
    members: int,
    expected: str = "done",
) -> None:
    story.tell(
        "rural", "prepare_association", association_id=association_id, name=f"{DISTRICTS[township[:6]]}{industry}协会",
        industry=industry, township_code=township, members_count=members, households=members * 2 + number,
        expected=expected,
    )  # fmt: skip


def _renamed() -> Story:
    """An association that only changed its name is not a new one (R-02)."""
    story = Story("association-renamed")
    story.tell(
        "rural", "prepare_association", association_id="rpta-renamed", name="沙湾区优质茶叶协会", industry="茶叶",
        township_code="511111101", members_count=80, predecessor_ids=["rpta-of-1998"],
    )  # fmt: skip
    story.tell(
        "rural", "register_association", association_id="rpta-renamed", registration_no="川乐民社950",
        registered_on=date(2011, 6, 1), charter_doc="章程", leader_person_id="p-leader-50",
    )  # fmt: skip
    story.tell("rural", "activate_association", by="chair", association_id="rpta-renamed")
    return story


def _points(random: Random) -> Iterator[Story]:
    for number in range(1, 24):
        yield _point(random, number)


def _point(random: Random, number: int) -> Story:
    """A station, a column and an officer; 21 sets become complete, of which one lapses and one comes back."""
    story, point_id = Story(f"point-{number}"), f"sp-{number:02}"
    district = list(DISTRICTS)[number % len(DISTRICTS)]
    story.tell(
        "rural", "plan_point", point_id=point_id, name=f"{DISTRICTS[district]}科普惠农服务站 {number}",
        village_code=f"{district}1{number:02}201", host_id=f"rpta-{1 + number % 11:02}",
        capacity=random.randint(40, 120),
    )  # fmt: skip
    day = date(2011, 2, 15) + timedelta(days=12 * number)
    for place, part in enumerate(("station", "column", "officer")):
        if number in (8, 19) and part == "officer":
            return story  # two of three parts
        person: dict[str, Any] = {}
        if part == "officer":
            person = {"person_id": f"p-officer-{number}", "phone": "0833-2110000"}
        story.tell("rural", "build_part", point_id=point_id, part=part, **person)
        accepted: dict[str, Any] = {"point_id": point_id, "part": part, "accepted_on": day + timedelta(days=5 * place)}
        photo = [sha256_of("photo", number, part)]
        if number % 10 == 1 and part == "station":
            story.tell("rural", "accept_part", by="reviewer", **accepted, expected="R-17")
        story.tell(
            "rural", "accept_part", by="reviewer", **accepted, photo_ids=photo,
            content_on=day if part == "column" else None,
        )  # fmt: skip
    story.repeat()
    if number == 2:
        _village_evening(story, point_id, district)
    if number in (2, 3):
        story.tell("rural", "lapse_part", by="reviewer", point_id=point_id, part="column", reason="宣传栏半年未更新")
    if number == 3:
        story.tell(
            "rural", "recheck_part", by="reviewer", point_id=point_id, part="column", on=date(2011, 11, 20),
            photo_ids=[sha256_of("photo", number, "again")],
        )  # fmt: skip
    return story


def _village_evening(story: Story, point_id: str, district: str) -> None:
    """Flow F3: the complete point is a venue, and what waits for it is flagged when it lapses."""
    story.tell(
        "outreach", "create_activity", activity_id="a-village", title="田间课堂", format="training", delivery="on_site",
        lead_org_id="rpta-03", district=district, days=[date(2011, 12, 20)],
    )  # fmt: skip
    story.tell(
        "outreach", "schedule_activity", activity_id="a-village", venue_id=f"station.{point_id}", slots=["evening"],
        patient=True,
    )  # fmt: skip


GRANTS = (
    # id, level, approved yuan, document, issuer, original document, vouchers (no, yuan, day)
    ("g-central", "central", 600_000, "川财教〔2011〕62号", "province", "财教〔2011〕140号",
     (("V-1101", 400_000, date(2011, 5, 20)), ("V-1102", 200_000, date(2011, 8, 12)))),
    ("g-province", "province", 450_000, "川科协发〔2011〕37号", "province", None,
     (("V-1201", 250_000, date(2011, 6, 8)), ("V-1202", 180_000, date(2011, 10, 25)))),
    ("g-city", "city", 120_000, "乐财教〔2011〕15号", "city", None, (("V-1301", 120_000, date(2011, 4, 2)),)),
)  # fmt: skip


def _grants() -> Iterator[Story]:
    for grant_id, level, yuan, document, issuer, original, vouchers in GRANTS:
        story = Story(f"grant-{grant_id}")
        story.tell(
            "rural", "approve_grant", by="chair", grant_id=grant_id, source_level=level, approved_fen=yuan * 100,
            approved_on=date(2011, 3, 30), decision_doc_no=document, issuer_level=issuer, original_doc_no=original,
        )  # fmt: skip
        for voucher_no, amount, day in vouchers:
            story.tell(
                "rural", "receive_funds", by="accountant", grant_id=grant_id, voucher_no=voucher_no,
                fen=amount * 100, received_on=day,
            )  # fmt: skip
            story.repeat()
        yield _with_trouble(story, grant_id)
    mislabelled = Story("grant-mislabelled")
    mislabelled.tell(
        "rural", "approve_grant", by="chair", grant_id="g-mislabelled", source_level="province",
        approved_fen=5_000_000, approved_on=date(2011, 7, 1), decision_doc_no="乐财教〔2011〕20号", issuer_level="city",
        expected="R-21",
    )  # fmt: skip
    yield mislabelled


def _with_trouble(story: Story, grant_id: str) -> Story:
    if grant_id == "g-central":
        story.tell(
            "rural", "receive_funds", by="accountant", grant_id=grant_id, voucher_no="V-1101", fen=100,
            received_on=date(2011, 9, 1), expected="R-10",
        )  # fmt: skip
    if grant_id == "g-province":
        story.tell(
            "rural", "receive_funds", by="accountant", grant_id=grant_id, voucher_no="V-1299", fen=10_000_000,
            received_on=date(2011, 12, 1), expected="R-10",
        )  # fmt: skip
        story.tell(
            "rural", "return_funds", by="accountant", grant_id=grant_id, voucher_no="V-1202", fen=2_000_000,
            reason="培训少办一期",
        )  # fmt: skip
    return story


def _organisations() -> Iterator[Story]:
    yield _organisation("org-university", "乐山师范学院科学技术协会", "university", "lsnu", "511102", founded=True)
    yield _organisation("org-university-2", "乐山职业技术学院科协", "university", "lszyjs", "511102", founded=False)
    yield _organisation("org-enterprise", "东风电机厂科学技术协会", "enterprise", "dfem", "511112", founded=True)
    double = Story("organisation-double")
    double.tell(
        "members", "create_organisation", organisation_id="org-elsewhere", name="成都某大学科协",
        organisation_kind="university", institution_id="elsewhere", district="510104", workers_count=900,
        expected="M-08",
    )  # fmt: skip
    yield double


def _organisation(id: str, name: str, kind: str, institution: str, district: str, *, founded: bool) -> Story:  # noqa: A002
    story = Story(id)
    story.tell(
        "members", "create_organisation", organisation_id=id, name=name, organisation_kind=kind,
        institution_id=institution, district=district, workers_count=620,
    )  # fmt: skip
    story.tell("members", "apply_organisation", organisation_id=id)
    story.tell(
        "members",
        "approve_organisation",
        by="chair",
        organisation_id=id,
        approval_doc_no=f"乐市科协〔2011〕{len(id)}号",
    )
    established: dict[str, Any] = {"organisation_id": id, "established_on": date(2011, 11, 18)}
    story.tell("members", "establish_organisation", by="chair", **established, expected="M-07")
    if founded:
        story.tell(
            "members", "hold_founding_meeting", organisation_id=id, held_on=date(2011, 11, 10), called=120,
            attended=108, minutes_doc="成立大会纪要", charter_doc="章程", chair_person_id=f"p-chair-{institution}",
        )  # fmt: skip
        story.tell("members", "establish_organisation", by="chair", **established)
        story.repeat()
        story.tell("members", "activate_organisation", by="chair", organisation_id=id)
    return story
