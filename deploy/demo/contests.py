"""How a contest of the demo year goes on: the call, the entries, the juries, the list and its prizes.

Every work has a merit, and whoever judges it gives that, a little more or a little less: so anybody can see from the
list of commands who has to win.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from deploy.demo.story import Story, sha256_of
from services.awards.domain.score_sheet import sheet_id

RUBRIC = tuple(
    {
        "criterion_code": code, "weight": weight, "max": "100", "step": "1", "required": True, "independent": False,
    }
    for code, weight in (("originality", "60"), ("practicality", "40"))
)  # fmt: skip
EASILY = 100  # entries that a judge of a small contest could score
GRADES = ("first", "second", "third")
LEANINGS = (0, -2, 2)  # points: of an even, a strict and a lenient judge


@dataclass(frozen=True)
class Work:
    """What is entered: its category, and what it is worth, of 100."""

    id: str
    category: str
    merit: int
    material: Mapping[str, Any]
    unit: str  # which nominates it
    district: str | None = None


@dataclass(frozen=True)
class Days:
    """When a contest is called, takes entries, is judged, and puts its list on display and grants."""

    called: date
    opens: date
    closes: date
    checks: date
    rounds: tuple[date, ...]  # the first day of each; the last one is the day of the committee, too
    ends: date  # judging
    publishes: date
    grants: date


def a_category(code: str, *, prizes: Sequence[int] = (), participation: str = "individual", **changes: Any) -> Any:
    """A category with so many first, second and third prizes."""
    quotas = [{"grade": grade, "places": places} for grade, places in zip(GRADES, prizes, strict=False)]
    usual = {
        "category_code": code, "participation": participation, "max_team": 1, "blind": False, "min_scores": 2,
        "rubric": list(RUBRIC), "quotas": quotas,
    }  # fmt: skip
    return usual | changes


@dataclass
class Contest:
    """One edition from its call to its prizes, told into a story."""

    story: Story
    id: str
    days: Days
    jury: Mapping[str, tuple[str, ...]]  # by category
    works: list[Work] = field(default_factory=list)

    @property
    def notice_id(self) -> str:
        return f"{self.id}.list"

    @property
    def judges(self) -> list[str]:
        return sorted({judge_id for judges in self.jury.values() for judge_id in judges})

    def call(self, programme_kind: str, edition_no: int, categories: Sequence[Any], **rules: Any) -> None:
        """Plan and announce it, with a jury that knows its categories."""
        self.story.on(self.days.called)
        usual = {
            "submit_from": self.days.opens, "submit_to": self.days.closes, "judge_from": self.days.rounds[0],
            "judge_to": self.days.ends, "award_cap_percent": 60, "tie_break": ["adjusted_mean", "committee"],
            "tie_policy": "committee", "normalisation": "mean", "publicity_days": 7, "publicity_unit": "calendar",
            "revocation_days": 365,
        }  # fmt: skip
        self._tell(
            "create_edition", edition_id=self.id, programme_kind=programme_kind, level="city", edition_no=edition_no,
            year=2011, host_org_id="org-kexie", categories=list(categories), **usual | rules,
        )  # fmt: skip
        self._tell("announce_edition", by="chair", edition_id=self.id)

    def invite(self, loads: Mapping[str, int], employers: Mapping[str, str]) -> None:
        for judge_id in self.judges:
            self._tell(
                "register_judge", judge_id=judge_id, max_load=loads[judge_id],
                discipline_codes=[code for code, judges in self.jury.items() if judge_id in judges],
                affiliations=[{"org_id": employers.get(judge_id, f"org-of-{judge_id}")}],
            )  # fmt: skip
            self._tell("activate_judge", judge_id=judge_id)

    def open(self) -> None:
        self.story.on(self.days.opens)
        self._tell("open_edition", edition_id=self.id)

    def submit(self, work: Work, **how: Any) -> None:
        self._tell(
            "submit_entry", entry_id=work.id, edition_id=self.id, nominating_unit_id=work.unit, district=work.district,
            **how, **work.material,
        )  # fmt: skip

    def close(self) -> None:
        """On the day after the last one."""
        self.story.on(self.days.checks)
        self._tell("close_edition", by="chair", edition_id=self.id)

    def check(self, work: Work, **how: Any) -> None:
        self._tell("check_eligibility", by="reviewer", entry_id=work.id, **{"eligible": True, **how})

    def assign(self, round_no: int, *, per_entry: int = 3) -> None:
        """Give every entry its judges, as the plan has it."""
        self.story.on(self.days.rounds[round_no - 1])
        self._tell(
            "propose_assignment", by="chair", edition_id=self.id, round_no=round_no, judge_ids=self.judges,
            per_entry=per_entry, seed=2011, due_on=self.days.ends,
        )  # fmt: skip
        self._tell("confirm_assignment", by="chair", assignment_id=f"{self.id}.{round_no}")

    def start(self, round_no: int) -> None:
        """Once all sheets are there."""
        self._tell(
            "start_round", by="chair", round_id=f"{self.id}.r{round_no}", edition_id=self.id, round_no=round_no,
            patient=True,
        )  # fmt: skip

    def score(self, round_no: int, judge_id: str, work: Work) -> None:
        """A judge takes a work on, and gives what it is worth."""
        sheet = self.sheet(round_no, judge_id, work)
        self._tell("accept_sheet", by=judge_id, sheet_id=sheet, patient=True)
        lean = LEANINGS[self.judges.index(judge_id) % len(LEANINGS)]
        points = {"originality": work.merit + lean, "practicality": work.merit - lean}
        scores = [{"criterion_code": code, "points": str(given)} for code, given in points.items()]
        self._tell("submit_score", by=judge_id, sheet_id=sheet, scores=scores)

    def score_all(self, round_no: int, works: Iterable[Work], *, but: Iterable[tuple[str, str]] = ()) -> None:
        """Everybody scores what is given to them, but these pairs of judge and work."""
        for work in works:
            for judge_id in self.jury[work.category]:
                if (judge_id, work.id) not in but:
                    self.score(round_no, judge_id, work)

    def sheet(self, round_no: int, judge_id: str, work: Work) -> str:
        return sheet_id(edition_id=self.id, round_no=round_no, entry_id=work.id, judge_id=judge_id)

    def end(self, round_no: int, works: Iterable[Work], *, became: Mapping[str, str]) -> None:
        """Close a round; it is over once the last of its works, in the order of their ids, became what it did."""
        self._tell("close_round", by="chair", round_id=f"{self.id}.r{round_no}")
        last = max(work.id for work in works)
        self.story.wait("awards", "entry", last, until=became[last])

    def judge_once(self) -> None:
        """The one round of a small contest, in which everybody scores everything."""
        self.assign(1)
        self.start(1)
        self.score_all(1, self.works)
        self.end(1, self.works, became={work.id: "proposed" for work in self.works})

    def publish(self, *, other_awards: Sequence[Any] = (), **how: Any) -> None:
        self.story.on(self.days.publishes)
        self._tell(
            "publish_list", by="chair", notice_id=self.notice_id, edition_id=self.id, minute_no="评审委员会纪要",
            minute_sha256=sha256_of("minute", self.id), starts_on=self.days.publishes,
            url=f"https://lskx.example/{self.id}", office_line="0833-2442121", other_awards=list(other_awards), **how,
        )  # fmt: skip

    def grant(self, document_no: str, **how: Any) -> None:
        self._tell("grant", by="chair", notice_id=self.notice_id, document_no=document_no, **how)

    def certify(self, line_no: int, *names: str) -> None:
        """Print a certificate, once the award is there."""
        self._tell(
            "issue_certificate", award_id=f"{self.notice_id}.{line_no}", names=list(names), patient=True,
        )  # fmt: skip

    def of(self, category: str) -> list[Work]:
        """The works of a category, the best first."""
        return sorted((work for work in self.works if work.category == category), key=lambda work: -work.merit)

    def _tell(self, command: str, **how: Any) -> None:
        self.story.tell("awards", command, **how)


def signed(title: str, on: date, *, seed: str, **more: Any) -> dict[str, Any]:
    """What every entry brings: its form, signed and sealed, and the work."""
    files = (("signed_form", "form"), ("work", "work"))
    attachments = [{"attachment_kind": kind, "sha256": sha256_of(seed, name)} for kind, name in files]
    return {"title": title, "originality_signed_on": on, "attachments": attachments, **more}


def in_one_round(contest: Contest) -> None:
    """All works of a small contest from their submission to the committee, when nothing goes wrong on the way."""
    contest.invite(dict.fromkeys(contest.judges, EASILY), {})
    contest.open()
    for work in contest.works:
        contest.submit(work)
    contest.close()
    for work in contest.works:
        contest.check(work)
    contest.judge_once()


def lines(contest: Contest, prizes: Mapping[str, int]) -> Iterator[tuple[int, Work]]:
    """The graded lines of a list: by category, and in it so many of the best."""
    graded = [work for category in sorted(prizes) for work in contest.of(category)[: prizes[category]]]
    return enumerate(graded, start=1)
