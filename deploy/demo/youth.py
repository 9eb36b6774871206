"""The 10th youth contest of the city (27), and its entries in the 26th of the province (28).

Two rounds, the second one on site. What goes wrong in such a contest occurs: an entry too late, a student in two, a
consent that is missing, a judge whose own school competes and one who steps back, a tie, objections, a copied work.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from itertools import count
from typing import Any

from deploy.demo.contests import Contest, Days, Work, a_category, lines, signed
from deploy.demo.story import Story, sha256_of
from services.contract.district import DISTRICTS

EDITION = "youth-10"
PROVINCE = "youth-10.province"
PRIZES = {"innovation_project": (1, 2, 4), "practice_activity": (1, 1, 1), "science_idea": (1, 2, 3)}
MERITS = {
    "innovation_project": (95, 92, 88, 88, 85, 83, 80, 77, 74, 71, 65, 60, 50, 45),
    "practice_activity": (93, 87, 81, 75, 69),
    "science_idea": (94, 91, 89, 86, 82, 79, 76, 72, 68, 62),
}
GO_ON = {"innovation_project": 9, "practice_activity": 4, "science_idea": 8}  # three of four, a broken one too
JURY = {
    "innovation_project": ("judge-1", "judge-2", "judge-3"),
    "practice_activity": ("judge-1", "judge-4", "judge-7"),
    "science_idea": ("judge-4", "judge-5", "judge-6"),
}
LOADS = {"judge-1": 16, "judge-2": 12, "judge-3": 12, "judge-4": 15, "judge-5": 10, "judge-6": 10, "judge-7": 6}
"""Loads of the judges in the first round that leave one assignment only: the last takes what the first may not."""

DAYS = Days(
    called=date(2010, 12, 20), opens=date(2011, 1, 4), closes=date(2011, 1, 20), checks=date(2011, 1, 21),
    rounds=(date(2011, 1, 24), date(2011, 2, 15)), ends=date(2011, 2, 17), publishes=date(2011, 2, 18),
    grants=date(2011, 2, 25),
)  # fmt: skip

INNOVATION, COPIED, TAKEN_BACK = "youth-i-{:02}", "youth-i-13", "youth-i-14"
UNSURE, MENDED = "youth-i-12", "youth-s-02"
OWN_SCHOOL, HELD, STRUCK, LOST = "youth-i-11", "youth-i-06", "youth-s-05", "youth-p-03"
TIED = ("youth-i-03", "youth-i-04")
SLOTS = ("youth-i-01", "youth-i-02", "youth-i-03", "youth-i-04", "youth-s-01", "youth-i-05", "youth-s-02", "youth-p-01")
WON = dict(zip((1, 2, 3, 4, 5, 20), SLOTS, strict=False))
"""Prizes that entries of the city won at the province, by their numbers in the year."""


def youth() -> Story:
    """Return the story of both contests."""
    contest = Contest(Story("youth"), EDITION, DAYS, JURY, list(_works()))
    _call(contest)
    _collect(contest)
    _check(contest)
    _first_round(contest)
    _second_round(contest)
    _publish(contest)
    _grant(contest)
    _nominate(contest.story)
    _revoke(contest)
    return contest.story


def _works() -> Iterator[Work]:
    people = count(1)
    for category, merits in MERITS.items():
        members = 3 if category == "practice_activity" else 1
        for number, merit in enumerate(merits, start=1):
            entry_id = f"youth-{category[0]}-{number:02}"
            district = list(DISTRICTS)[(number + len(merits)) % len(DISTRICTS)]
            entrants = [_student(next(people), entry_id, district) for _ in range(members)]
            material = signed(
                f"青少年作品 {entry_id}", date(2010, 12, 28), seed=entry_id, category_code=category, entrants=entrants,
                tutor_refs=[f"p-tutor-{number}"], exhibition_consent=number % 2 == 1,
            )  # fmt: skip
            yield Work(entry_id, category, merit, material, unit=f"org-edu-{district}", district=district)


def _student(number: int, entry_id: str, district: str) -> dict[str, Any]:
    return {
        "person_ref": f"p-student-{number}", "unit_id": f"org-school-of-{entry_id}", "district": district,
        "stage": "junior", "minor": True, "consent_ref": f"consent-{number}",
    }  # fmt: skip


def _call(contest: Contest) -> None:
    contest.call(
        "youth", 10,
        [
            a_category("innovation_project", prizes=PRIZES["innovation_project"], blind=True),
            a_category("science_idea", prizes=PRIZES["science_idea"]),
            a_category("practice_activity", prizes=PRIZES["practice_activity"], participation="team", max_team=3),
        ],
        rounds=[
            {"judge_from": DAYS.rounds[0].isoformat(), "judge_to": "2011-02-10", "weight": 1, "advance_percent": 75},
            {"judge_from": DAYS.rounds[1].isoformat(), "judge_to": DAYS.ends.isoformat(), "weight": 2},
        ],
    )  # fmt: skip
    contest.invite(LOADS, {"judge-1": f"org-school-of-{OWN_SCHOOL}"})


def _collect(contest: Contest) -> None:
    """Submissions: all but one in time, and none twice (A-02)."""
    contest.open()
    late = contest.works[0]
    for work in contest.works:
        contest.submit(_without_consent(work) if work.id == MENDED else work)
    twice = Work("youth-twice", late.category, 0, {**late.material, "title": "又一作品"}, late.unit, late.district)
    contest.submit(twice, expected="A-02", expected_later="A-01")
    contest.story.on(date(2011, 1, 21))
    contest.submit(Work("youth-late", late.category, 0, late.material, late.unit, late.district), expected="A-01")


def _without_consent(work: Work) -> Work:
    entrants = [
        {name: value for name, value in entrant.items() if name != "consent_ref"}
        for entrant in work.material["entrants"]
    ]
    return Work(
        work.id, work.category, work.merit, {**work.material, "entrants": entrants}, work.unit, work.district
    )  # fmt: skip


def _check(contest: Contest) -> None:
    """Checks: one entry is returned and mended (A-29), one is a copy, one is withdrawn."""
    tell, (mended,) = contest.story.tell, [work for work in contest.works if work.id == MENDED]
    tell("awards", "check_eligibility", by="reviewer", entry_id=MENDED, eligible=True, expected="A-29")
    tell(
        "awards", "return_entry", by="reviewer", entry_id=MENDED, shortcomings=["consent_missing"],
        correct_by=date(2011, 1, 23),
    )  # fmt: skip
    tell("awards", "resubmit_entry", by="clerk", entry_id=MENDED, **mended.material)
    tell("awards", "withdraw_entry", entry_id=TAKEN_BACK, reason="作者转学")
    contest.close()
    for work in contest.works:
        if work.id == COPIED:
            contest.check(work, eligible=False, shortcomings=["copied"])
        elif work.id != TAKEN_BACK:
            contest.check(work, anonymous_title=True if work.category == "innovation_project" else None)


def _judged(contest: Contest) -> list[Work]:
    return [work for work in contest.works if work.id not in (COPIED, TAKEN_BACK)]


def _finalists(contest: Contest) -> list[Work]:
    return [work for category, number in GO_ON.items() for work in contest.of(category)[:number]]


def _first_round(contest: Contest) -> None:
    """Juries: one judge's own school competes, so another has that entry; one judge resigns and is replaced."""
    works = {work.id: work for work in _judged(contest)}
    contest.assign(1)
    tell = contest.story.tell
    contest.start(1)
    contest.score_all(1, works.values(), but=(("judge-1", OWN_SCHOOL), ("judge-2", UNSURE)))
    contest.score(1, "judge-7", works[OWN_SCHOOL])
    left = contest.sheet(1, "judge-2", works[UNSURE])
    tell("awards", "recuse", by="judge-2", sheet_id=left, conflict_type="advisor", reason="曾指导该项目", patient=True)
    tell("awards", "replace_judge", by="chair", sheet_id=left, judge_id="judge-5")
    contest.score(1, "judge-5", works[UNSURE])
    finalists = {work.id for work in _finalists(contest)}
    became = {work: "shortlisted" if work in finalists else "eliminated" for work in works}
    contest.end(1, works.values(), became=became)


def _second_round(contest: Contest) -> None:
    works = _finalists(contest)
    contest.assign(2)
    contest.start(2)
    contest.score_all(2, works)
    contest.end(2, works, became={work.id: "proposed" for work in works})


def _publish(contest: Contest) -> None:
    """A tie at the edge of the second prize, which waits for the committee's vote (A-19)."""
    prizes = [
        {"award_kind": "organisation", "subject_type": "organisation", "subject_id": "org-school-of-youth-i-01"},
        {"award_kind": "tutor", "subject_type": "person", "subject_id": "p-tutor-1"},
    ]
    contest.publish(other_awards=prizes, expected="A-19")
    contest.story.tell(
        "awards", "resolve_tie", by="chair", round_id=f"{EDITION}.r2", category_code="innovation_project",
        order=list(TIED), minute_no="评审委员会纪要第2号",
    )  # fmt: skip
    contest.publish(other_awards=prizes)


def _grant(contest: Contest) -> None:
    """Objections: those entries wait for a decision, the ones rightly objected to lose, the others are granted."""
    line_of = {work.id: line_no for line_no, work in _lines(contest)}
    story, tell = contest.story, contest.story.tell
    story.on(date(2011, 2, 20))
    _object(story, "held", line_of[HELD], patient=True)
    _object(story, "struck", line_of[STRUCK])
    tell(
        "awards", "file_objection", objection_id="objection-anonymous", notice_id=contest.notice_id, line_no=1,
        grounds="匿名来信",
    )  # fmt: skip
    contest.grant("乐科协发〔2011〕9号", expected="A-21")
    story.on(date(2011, 2, 23))
    _decide(story, "struck", "upheld", "作品系他人成果，异议成立")
    story.on(DAYS.grants)
    contest.grant("乐科协发〔2011〕9号")
    story.repeat()
    story.on(date(2011, 2, 28))
    _decide(story, "held", "dismissed", "经查与来信所述不符")
    contest.grant("乐科协发〔2011〕11号")
    story.on(date(2011, 3, 1))
    for line_no, work in list(_lines(contest))[:5]:
        contest.certify(line_no, f"作者 {work.id}")
    contest.certify(line_of[LOST], "作者甲", "作者乙", "作者丙")
    tell("awards", "archive_edition", edition_id=EDITION, by="chair", expected="A-34", patient=True)


def _object(story: Story, name: str, line_no: int, **how: Any) -> None:
    story.tell(
        "awards", "file_objection", objection_id=f"objection-{name}", notice_id=f"{EDITION}.list", line_no=line_no,
        objector_name="来信人", id_number="511102XXXXXXXX", unit="某中学", phone="0833-2110000", grounds="原创性存疑",
        evidence_ids=[sha256_of("objection", name)], **how,
    )  # fmt: skip
    story.tell("awards", "accept_objection", by="reviewer-2", objection_id=f"objection-{name}")
    story.tell("awards", "investigate_objection", by="chair", objection_id=f"objection-{name}", handler_id="reviewer-2")


def _decide(story: Story, name: str, outcome: str, reason: str) -> None:
    common: dict[str, Any] = {"by": "reviewer-2", "objection_id": f"objection-{name}"}
    story.tell("awards", "decide_objection", outcome=outcome, reason=reason, **common)
    story.tell("awards", "notify_objection", **common)
    story.tell("awards", "close_objection", **common)


def _lines(contest: Contest) -> Iterator[tuple[int, Work]]:
    return lines(contest, {category: sum(prizes) for category, prizes in PRIZES.items()})


def _nominate(story: Story) -> None:
    """Eight nominations to the province: six win, one is returned and mended before, one wins nothing."""
    story.on(date(2011, 3, 2))
    story.tell(
        "awards", "open_nomination_call", by="chair", call_id=PROVINCE, from_edition_id=EDITION,
        to_series="youth_contest", to_level="province", to_edition_no=26, year=2011, places=len(SLOTS),
        document_no="川科协发〔2011〕12号",
    )  # fmt: skip
    _draft(story, "withdrawn", "youth-i-07", 1)
    story.tell("awards", "withdraw_nomination", nomination_id=f"{PROVINCE}.withdrawn", reason="作者不能参加")
    _draft(story, "without-prize", "youth-i-08", 1, expected="A-08")
    _draft(story, "beyond", "youth-i-07", len(SLOTS) + 1, expected="A-08")
    for slot_no, entry_id in enumerate(SLOTS, start=1):
        nomination_id = f"{PROVINCE}.{slot_no}"
        _draft(story, str(slot_no), entry_id, slot_no)
        story.tell("awards", "seal_nomination", by="chair", nomination_id=nomination_id)
        story.tell("awards", "send_nomination", nomination_id=nomination_id)
        if entry_id == MENDED:
            story.tell("awards", "return_nomination", nomination_id=nomination_id, reason="缺查新报告")
            story.tell("awards", "send_nomination", nomination_id=nomination_id)
        story.tell("awards", "accept_nomination", nomination_id=nomination_id)
    story.on(date(2011, 4, 20))
    story.tell("awards", "close_nomination_call", by="chair", call_id=PROVINCE, reason="省赛已结束")
    for slot_no, entry_id in enumerate(SLOTS, start=1):
        if entry_id not in WON.values():
            story.tell("awards", "conclude_nomination", by="reviewer", nomination_id=f"{PROVINCE}.{slot_no}")


def _draft(story: Story, name: str, entry_id: str, slot_no: int, **how: Any) -> None:
    story.tell(
        "awards", "nominate_entry", nomination_id=f"{PROVINCE}.{name}", call_id=PROVINCE, entry_id=entry_id,
        slot_no=slot_no, **{"patient": True, **how},
    )  # fmt: skip


def _revoke(contest: Contest) -> None:
    """A third prize that turns out to be a copy, half a year later (A-24)."""
    line_of = {work.id: line_no for line_no, work in _lines(contest)}
    contest.story.on(date(2011, 9, 5))
    contest.story.tell(
        "awards", "revoke_award", by="chair", award_id=f"{contest.notice_id}.{line_of[LOST]}",
        document_no="乐科协发〔2011〕40号", reason_code="plagiarism", reason="作品系他人成果",
    )  # fmt: skip
    contest.story.repeat()
