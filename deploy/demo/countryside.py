"""Associations, service points and grants of the countryside in the demo year."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from random import Random
from typing import Any

from deploy.demo.story import Story, sha256_of
from services.contract.district import DISTRICTS

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


def associations(random: Random) -> Iterator[Story]:
    """Yield new associations, and one that is not new."""
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
    """An association that only changed its name, and is not a new one (R-02)."""
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


def points(random: Random) -> Iterator[Story]:
    """Yield the service points of the year."""
    for number in range(1, 24):
        yield _point(random, number)


def _point(random: Random, number: int) -> Story:
    """A station, a column and an officer: 21 sets become complete, of which one lapses and one comes back."""
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
    """Flow F3: a complete point is a venue, and activities there are flagged when it lapses."""
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


def grants() -> Iterator[Story]:
    """Yield grants with their receipts, some refused and one partly returned, and a grant with a wrong level."""
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
