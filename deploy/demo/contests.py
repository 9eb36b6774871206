"""A contest of the demo year: the call, the entries, the juries, the list and its prizes.

Every work has a merit, and each judge scores it at that, a little more or a little less: so the list of commands shows
which works have to win.
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
MAX_LOAD = 100  # entries that a judge of a small contest may get
GRADES = ("first", "second", "third")
LEANINGS = (0, -2, 2)  # points of a fair, a strict and a lenient judge


@dataclass(frozen=True)
class Work:
    """A work that is entered, in a category, with its merit of at most 100 points."""

    id: str
    category: str
    merit: int
    material: Mapping[str, Any]
    unit: str  # nominates the work
    district: str | None = None


@dataclass(frozen=True)
class Days:
    """The days of a contest, from its call to its grants."""

    called: date
    opens: date
    closes: date
    checks: date
    rounds: tuple[date, ...]  # the first day of each; the last one is the day of the committee, too
    ends: date  # judging
    publishes: date
    grants: date


def a_category(code: str, *, prizes: Sequence[int] = (), participation: str = "individual", **changes: Any) -> Any:
    """Return a category with so many first, second and third prizes."""
    quotas = [{"grade": grade, "places": places} for grade, places in zip(GRADES, prizes, strict=False)]
    usual = {
        "category_code": code, "participation": participation, "max_team": 1, "blind": False, "min_scores": 2,
        "rubric": list(RUBRIC), "quotas": quotas,
    }  # fmt: skip
    return usual | changes


@dataclass
class Contest:
    """An edition of a contest, whose methods add its commands to a story."""

    story: Story
    id: str
    days: Days
    jury: Mapping[str, tuple[str, ...]]  # by category
    works: list[Work] = field(default_factory=list)

    @property
    def notice_id(self) -> str:
        """The id of its list of prizes."""
        return f"{self.id}.list"

    @property
    def judges(self) -> list[str]:
        """All judges, by id."""
        return sorted({judge_id for judges in self.jury.values() for judge_id in judges})

    def call(self, programme_kind: str, edition_no: int, categories: Sequence[Any], **rules: Any) -> None:
        """Create and announce the edition; `rules` change the usual ones."""
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
        """Register the judges, with the loads that they accept and their employers where these matter."""
        for judge_id in self.judges:
            self._tell(
                "register_judge", judge_id=judge_id, max_load=loads[judge_id],
                discipline_codes=[code for code, judges in self.jury.items() if judge_id in judges],
                affiliations=[{"org_id": employers.get(judge_id, f"org-of-{judge_id}")}],
            )  # fmt: skip
            self._tell("activate_judge", judge_id=judge_id)

    def open(self) -> None:
        """Open the edition for entries, on its first day."""
        self.story.on(self.days.opens)
        self._tell("open_edition", edition_id=self.id)

    def submit(self, work: Work, **how: Any) -> None:
        """Submit a work as an entry."""
        self._tell(
            "submit_entry", entry_id=work.id, edition_id=self.id, nominating_unit_id=work.unit, district=work.district,
            **how, **work.material,
        )  # fmt: skip

    def close(self) -> None:
        """Close the edition for entries, on the day after the last one."""
        self.story.on(self.days.checks)
        self._tell("close_edition", by="chair", edition_id=self.id)

    def check(self, work: Work, **how: Any) -> None:
        """Find an entry eligible, unless `how` says otherwise."""
        self._tell("check_eligibility", by="reviewer", entry_id=work.id, **{"eligible": True, **how})

    def assign(self, round_no: int, *, per_entry: int = 3) -> None:
        """Assign judges to every entry of a round."""
        self.story.on(self.days.rounds[round_no - 1])
        self._tell(
            "propose_assignment", by="chair", edition_id=self.id, round_no=round_no, judge_ids=self.judges,
            per_entry=per_entry, seed=2011, due_on=self.days.ends,
        )  # fmt: skip
        self._tell("confirm_assignment", by="chair", assignment_id=f"{self.id}.{round_no}")

    def start(self, round_no: int) -> None:
        """Start a round, as soon as all score sheets exist."""
        self._tell(
            "start_round", by="chair", round_id=f"{self.id}.r{round_no}", edition_id=self.id, round_no=round_no,
            patient=True,
        )  # fmt: skip

    def score(self, round_no: int, judge_id: str, work: Work) -> None:
        """Have a judge accept a work and score it by its merit and the judge's leaning."""
        sheet = self.sheet(round_no, judge_id, work)
        self._tell("accept_sheet", by=judge_id, sheet_id=sheet, patient=True)
        lean = LEANINGS[self.judges.index(judge_id) % len(LEANINGS)]
        points = {"originality": work.merit + lean, "practicality": work.merit - lean}
        scores = [{"criterion_code": code, "points": str(value)} for code, value in points.items()]
        self._tell("submit_score", by=judge_id, sheet_id=sheet, scores=scores)

    def score_all(self, round_no: int, works: Iterable[Work], *, but: Iterable[tuple[str, str]] = ()) -> None:
        """Have all judges score the works of their categories, but for these pairs of judge and work."""
        for work in works:
            for judge_id in self.jury[work.category]:
                if (judge_id, work.id) not in but:
                    self.score(round_no, judge_id, work)

    def sheet(self, round_no: int, judge_id: str, work: Work) -> str:
        """Return the id of a judge's score sheet for a work."""
        return sheet_id(edition_id=self.id, round_no=round_no, entry_id=work.id, judge_id=judge_id)

    def end(self, round_no: int, works: Iterable[Work], *, became: Mapping[str, str]) -> None:
        """Close a round, and wait until the last of its works by id became what `became` says."""
        self._tell("close_round", by="chair", round_id=f"{self.id}.r{round_no}")
        last = max(work.id for work in works)
        self.story.wait("awards", "entry", last, until=became[last])

    def judge_once(self) -> None:
        """Hold the only round of a small contest, in which every judge scores every work."""
        self.assign(1)
        self.start(1)
        self.score_all(1, self.works)
        self.end(1, self.works, became={work.id: "proposed" for work in self.works})

    def publish(self, *, other_awards: Sequence[Any] = (), **how: Any) -> None:
        """Publish the list of prizes for objections."""
        self.story.on(self.days.publishes)
        self._tell(
            "publish_list", by="chair", notice_id=self.notice_id, edition_id=self.id, minute_no="评审委员会纪要",
            minute_sha256=sha256_of("minute", self.id), starts_on=self.days.publishes,
            url=f"https://lskx.example/{self.id}", office_line="0833-2442121", other_awards=list(other_awards), **how,
        )  # fmt: skip

    def grant(self, document_no: str, **how: Any) -> None:
        """Grant the prizes of the list."""
        self._tell("grant", by="chair", notice_id=self.notice_id, document_no=document_no, **how)

    def certify(self, line_no: int, *names: str) -> None:
        """Issue a certificate for a line of the list, as soon as the award exists."""
        self._tell(
            "issue_certificate", award_id=f"{self.notice_id}.{line_no}", names=list(names), patient=True,
        )  # fmt: skip

    def of(self, category: str) -> list[Work]:
        """Return the works of a category, the best first."""
        return sorted((work for work in self.works if work.category == category), key=lambda work: -work.merit)

    def _tell(self, command: str, **how: Any) -> None:
        self.story.tell("awards", command, **how)


def signed(title: str, on: date, *, seed: str, **more: Any) -> dict[str, Any]:
    """Return the material of an entry: its signed form and the work."""
    files = (("signed_form", "form"), ("work", "work"))
    attachments = [{"attachment_kind": kind, "sha256": sha256_of(seed, name)} for kind, name in files]
    return {"title": title, "originality_signed_on": on, "attachments": attachments, **more}


def in_one_round(contest: Contest) -> None:
    """Take all works of a small contest from submission to the committee, with nothing going wrong."""
    contest.invite(dict.fromkeys(contest.judges, MAX_LOAD), {})
    contest.open()
    for work in contest.works:
        contest.submit(work)
    contest.close()
    for work in contest.works:
        contest.check(work)
    contest.judge_once()


def lines(contest: Contest, prizes: Mapping[str, int]) -> Iterator[tuple[int, Work]]:
    """Return the graded lines of a list with their numbers: so many of the best of each category."""
    graded = [work for category in sorted(prizes) for work in contest.of(category)[: prizes[category]]]
    return enumerate(graded, start=1)
