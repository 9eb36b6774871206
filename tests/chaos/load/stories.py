"""The stories that clerks act out: the work of the association in a year, each time with new records."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection
from functools import partial
from random import Random
from typing import Protocol, Self

from tests.chaos.world.outside_bureau import NAME as BUREAU

PROGRAMS = ("program-1", "program-2", "program-3", "program-4", "program-5")
"""Callers who take the same command ids again and again, and each other's."""
PEOPLE = {
    "u-li": ("recorder",),
    "u-wang": ("verifier",),
    "u-sun": ("verifier",),
    "u-zhang": ("chair",),
    "u-qian": ("finance",),
    "u-viewer": ("viewer",),
    BUREAU: ("recorder",),
    **dict.fromkeys(PROGRAMS, ("recorder", "verifier", "finance")),
}
DISTRICT = "511102"
DAY = "2011-05-14"
CROWD = 20  # callers that send one command at once
AT_ONCE = 8  # clerks at one record
TURNS = 8  # of each of them
IDS = 200  # that programs take
REUSED = "command_id_reused"

Rules = Collection[str | None]
"""The rules and codes by which a command may be refused; None: it may be done."""


class Actor(Protocol):
    """A clerk as a story uses one; each method raises `StoryEnds` where the story cannot go on."""

    def do(self, by: str, service: str, method: str, /, **arguments: object) -> None:
        """Give a command until it is done."""

    def refused(self, rule: str, by: str, service: str, method: str, /, **arguments: object) -> None:
        """Give a command until it is refused by this rule."""

    def reuse(self, key: str, by: str, service: str, method: str, /, *, expected: Rules, **arguments: object) -> None:
        """Give a command under an id that others have, too; it is answered as expected, or the id was used before."""

    def wait_for(self, service: str, kind: str, record: str) -> None:
        """Wait until a record is there that another service's events bring about."""

    def together(self, *steps: Callable[[], None]) -> None:
        """Take these steps at once, and wait until all are done."""

    def many(self, callers: int) -> Self:
        """Return an actor whose commands are each sent by so many callers at once."""


Story = Callable[[Actor, int], None]
"""Acts out a story with a number that no other one has."""


def a_prize(actor: Actor, n: int) -> None:
    """Report a prize and verify it (K1); revoke every fifth."""
    prize = f"r-{n}"
    stated = {
        "series": "youth_contest", "level": "province", "edition_no": 26, "category": "science_idea",
        "award_kind": "graded", "grade": "second", "title": f"作品 {n}", "first_entrant": "p-1",
        "awarded_on": "2011-04-10", "document_sha256": _file("prize"),
    }  # fmt: skip
    actor.do("u-li", "awards", "report_external_result", result_id=prize, **stated)
    actor.do("u-wang", "awards", "verify_external_result", result_id=prize)
    if n % 5 == 0:
        actor.do("u-wang", "awards", "revoke_external_result", result_id=prize, document_no="川科", reason="撤销")


def a_crowd(actor: Actor, n: int) -> None:
    """Give the commands of a prize, each by many callers at once."""
    a_prize(actor.many(CROWD), n)


def an_audience(actor: Actor, n: int) -> None:
    """Count an audience and verify it (K2); correct every other count."""
    actor.do("u-li", "outreach", "register_venue", venue_id=f"v-{n}", venue_kind="hall", name="馆", district=DISTRICT)
    _an_activity(actor, f"a-{n}", venue=f"v-{n}")
    _a_count(actor, f"n-{n}", activity=f"a-{n}", person_times=100 + n)
    if n % 2:
        _a_letter(actor, f"a-{n}")
        _corrected(actor, "u-sun", f"n-{n}", f"a-{n}", 50 + n)


def a_bureaus_audience(actor: Actor, n: int) -> None:
    """Count the audience of another bureau, which says so through the door, and verify it (K2)."""
    hall = {"venue_kind": "hall", "name": "馆", "district": DISTRICT}
    actor.do(BUREAU, "outreach", "register_venue", venue_id=f"v-{n}", **hall)
    _an_activity(actor, f"a-{n}", venue=f"v-{n}", by=BUREAU)
    _a_count(actor, f"n-{n}", activity=f"a-{n}", person_times=30 + n, by=BUREAU)


def a_disputed_audience(actor: Actor, n: int) -> None:
    """Let many correct one count at once: its last version counts."""
    actor.do("u-li", "outreach", "register_venue", venue_id=f"v-{n}", venue_kind="hall", name="馆", district=DISTRICT)
    _an_activity(actor, f"a-{n}", venue=f"v-{n}")
    _a_count(actor, f"n-{n}", activity=f"a-{n}", person_times=1_000 + n)
    _a_letter(actor, f"a-{n}")

    def corrects(clerk: int) -> None:
        for turn in range(TURNS):
            _corrected(actor, ("u-wang", "u-sun")[clerk % 2], f"n-{n}", f"a-{n}", 1_000 + 10 * clerk + turn)

    actor.together(*(partial(corrects, clerk) for clerk in range(AT_ONCE)))


def some_money(actor: Actor, n: int) -> None:
    """Grant money, receive it by three vouchers, and return a part of it (K5)."""
    _a_grant(actor, n, fen=900)
    for part in range(3):
        _a_voucher(actor, n, f"V-{n}-{part}", fen=300)
    actor.refused(
        "R-10", "u-qian", "rural", "receive_funds",
        grant_id=f"g-{n}", voucher_no=f"V-{n}-0", fen=1, received_on="2011-06-02",
    )  # fmt: skip
    back = {"voucher_no": f"V-{n}-1", "fen": 300 if n % 2 else 100, "reason": "退回"}
    actor.do("u-qian", "rural", "return_funds", grant_id=f"g-{n}", **back)


def a_shared_grant(actor: Actor, n: int) -> None:
    """Let many pay into one grant at once."""
    _a_grant(actor, n, fen=1_000_000)

    def pays(clerk: int) -> None:
        for turn in range(TURNS):
            _a_voucher(actor, n, f"V-{n}-{clerk}-{turn}", fen=100 + turn)

    actor.together(*(partial(pays, clerk) for clerk in range(AT_ONCE)))


def a_university(actor: Actor, n: int) -> None:
    """Take a university's association from the application to the founding (K6)."""
    of = {"organisation_id": f"u-{n}"}
    stated = {"name": f"大学 {n}", "organisation_kind": "university", "institution_id": f"i-{n}"}
    meeting = {"held_on": "2011-11-10", "called": 90, "attended": 80, "minutes_doc": "纪要", "charter_doc": "章程"}
    actor.do("u-li", "members", "create_organisation", **of, **stated, district=DISTRICT, workers_count=300)
    actor.do("u-li", "members", "apply_organisation", **of)
    actor.do("u-zhang", "members", "approve_organisation", **of, approval_doc_no=f"乐市科协{n}号")
    actor.do("u-li", "members", "hold_founding_meeting", **of, **meeting, chair_person_id="p-1")
    actor.do("u-zhang", "members", "establish_organisation", **of, established_on="2011-11-18")


def a_station(actor: Actor, n: int) -> None:
    """Complete a service point (K4), which becomes a venue; let every other one lapse, as its activity has to show."""
    point, village = f"s-{n}", f"{DISTRICT}{n:06d}"
    actor.do("u-li", "rural", "plan_point", point_id=point, name="站", village_code=village, host_id="h-1", capacity=90)
    for part in ("station", "column", "officer"):
        _a_part(actor, n, part)
    actor.wait_for("outreach", "venue", f"station.{point}")
    _an_activity(actor, f"a-{n}", venue=f"station.{point}", starts=n % 2 == 0)
    if n % 2:
        actor.do("u-wang", "rural", "lapse_part", point_id=point, part="column", reason="无人管理")
    else:
        _a_count(actor, f"n-{n}", activity=f"a-{n}", person_times=20)


def reused_ids(actor: Actor, n: int) -> None:
    """Let programs give commands under ids that they, and others, have used for something else."""
    decision = {"source_level": "province", "issuer_level": "province", "decision_doc_no": "川科协发1号"}
    granted = {"approved_fen": 900_000_000, "approved_on": "2011-03-01", "district": DISTRICT}
    for program in PROGRAMS:
        grant = {"grant_id": f"g-{program}", **decision, **granted}
        actor.reuse(f"grant-{program}", "u-zhang", "rural", "approve_grant", expected=(None,), **grant)
    chances = [Random(f"{n}/{clerk}") for clerk in range(AT_ONCE)]
    actor.together(*(partial(_takes_ids, actor, random) for random in chances))


def _takes_ids(actor: Actor, random: Random) -> None:
    for _ in range(TURNS):
        by, key, size = random.choice(PROGRAMS), f"{random.randrange(IDS)}", random.randrange(1, 4)
        match random.randrange(4):
            case 0:
                venue = {"venue_kind": "hall", "name": f"馆 {size}", "district": DISTRICT, "capacity": size}
                actor.reuse(key, by, "outreach", "register_venue", expected=(None,), **venue)
            case 1:
                plan = {"title": "讲座", "format": "lecture", "delivery": "on_site", "lead_org_id": f"o-{size}"}
                days = {"days": [DAY], "district": DISTRICT}
                actor.reuse(key, by, "outreach", "create_activity", expected=(None,), **plan, **days)
            case 2:
                voucher = {"voucher_no": f"{by}/{key:0>3}/{size}", "fen": size, "received_on": "2011-06-01"}
                actor.reuse(key, by, "rural", "receive_funds", expected=(None,), grant_id=f"g-{by}", **voucher)
            case _:
                actor.reuse(key, by, "outreach", "verify_count", expected=("not_found",), count_id=f"no-such-{size}")


def _a_part(actor: Actor, n: int, part: str) -> None:
    """Build a part of a service point and accept it."""
    officer = {"person_id": f"p-{n}", "phone": "0833-2100000"} if part == "officer" else {}
    actor.do("u-li", "rural", "build_part", point_id=f"s-{n}", part=part, **officer)
    content = {"content_on": "2011-03-01"} if part == "column" else {}
    photo = {"accepted_on": "2011-03-02", "photo_ids": [_file(f"{part} {n}")]}
    actor.do("u-wang", "rural", "accept_part", point_id=f"s-{n}", part=part, **photo, **content)


STORIES: tuple[Story, ...] = (
    a_prize, an_audience, some_money, a_university, a_station, a_shared_grant, a_disputed_audience, a_crowd,
    a_bureaus_audience, reused_ids,
)  # fmt: skip


def _an_activity(actor: Actor, activity: str, *, venue: str, starts: bool = True, by: str = "u-li") -> None:
    plan = {"title": "讲座", "format": "lecture", "delivery": "on_site", "lead_org_id": "o-1", "days": [DAY]}
    actor.do(by, "outreach", "create_activity", activity_id=activity, **plan, district=DISTRICT)
    actor.do(by, "outreach", "schedule_activity", activity_id=activity, venue_id=venue)
    if starts:
        actor.do(by, "outreach", "start_activity", activity_id=activity)


def _a_count(actor: Actor, count: str, *, activity: str, person_times: int, by: str = "u-li") -> None:
    audience = {"day": DAY, "mode": "offline", "method": "sign_in", "person_times": person_times}
    actor.do(by, "outreach", "record_count", count_id=count, activity_id=activity, **audience)
    actor.do("u-wang", "outreach", "verify_count", count_id=count)


def _a_letter(actor: Actor, activity: str) -> None:
    letter = {"evidence_kind": "letter", "taken_on": DAY}
    actor.do("u-li", "outreach", "attach_evidence", evidence_id=_file(activity), activity_id=activity, **letter)


def _corrected(actor: Actor, by: str, count: str, activity: str, person_times: int) -> None:
    correction = {"person_times": person_times, "evidence_ids": [_file(activity)], "reason": "更正"}
    actor.do(by, "outreach", "correct_count", count_id=count, **correction)


def _a_grant(actor: Actor, n: int, *, fen: int) -> None:
    decision = {"source_level": "province", "issuer_level": "province", "decision_doc_no": f"川科协发{n}号"}
    granted = {"approved_fen": fen, "approved_on": "2011-03-01", "district": DISTRICT}
    actor.do("u-zhang", "rural", "approve_grant", grant_id=f"g-{n}", **decision, **granted)


def _a_voucher(actor: Actor, n: int, number: str, *, fen: int) -> None:
    voucher = {"voucher_no": number, "fen": fen, "received_on": "2011-06-01"}
    actor.do("u-qian", "rural", "receive_funds", grant_id=f"g-{n}", **voucher)


def _file(content: str) -> str:
    """The SHA-256 by which a file is known."""
    return hashlib.sha256(content.encode()).hexdigest()
