"""The other evaluations of 2011: papers (3), Golden Bridge (4), ideals and contribution (9), homes (52), workers (53).

And who is recommended above (50).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

from deploy.demo.contests import MAX_LOAD, Contest, Days, Work, a_category, in_one_round, lines, signed
from deploy.demo.story import Story, sha256_of
from services.contract.district import DISTRICTS

ALL = list(DISTRICTS)
YUAN = 100  # fen
PAPERS = {"agriculture": (92, 89, 84, 80, 77, 71, 66, 60), "engineering": (90, 87, 79, 74, 70, 63)}
PAPER_PRIZES = (1, 1, 2)
PROJECTS = (93, 86, 81, 72, 64)
PROJECT_PRIZES = (1, 1, 1)
TOPICS = 7
COMMENDED = 3  # enterprises, homes and workers each


def evaluations() -> Iterator[Story]:
    """Yield the stories of these evaluations."""
    yield _papers()
    yield _golden_bridge()
    yield _ideals()
    yield _homes()
    yield _workers()
    yield from _recommendations()


def _papers() -> Story:
    """Issue every certificate, and archive the edition."""
    contest = _contest("paper-9", month=5, categories=list(PAPERS))
    contest.call(
        "paper", 9, [a_category(code, prizes=PAPER_PRIZES, participation="team", max_team=3) for code in PAPERS],
        work_from=date(2009, 1, 1), work_to=date(2010, 12, 31),
    )  # fmt: skip
    for category, merits in PAPERS.items():
        for number, merit in enumerate(merits, start=1):
            entry_id = f"paper-{category[0]}-{number}"
            material = signed(
                f"论文 {entry_id}", date(2011, 3, 20), seed=entry_id, category_code=category,
                entrants=[_adult(f"{entry_id}-{place}") for place in (1, 2)], work_on=date(2009 + number % 2, 6, 1),
            )  # fmt: skip
            contest.works.append(Work(entry_id, category, merit, material, unit=f"org-society-{number}"))
    in_one_round(contest)
    contest.publish()
    _grant_and_archive(contest, lines_of=[f"作者 {work.id}" for _, work in lines(contest, dict.fromkeys(PAPERS, 4))])
    return contest.story


def _golden_bridge() -> Story:
    """Projects ranked by a benefit that its receiver verified (A-28); one has none and is not judged."""
    contest = _contest("bridge-2011", month=6, categories=["project"])
    contest.call("golden_bridge", 5, [a_category("project", prizes=PROJECT_PRIZES, participation="organisation")])
    contest.works += [_project(number, merit) for number, merit in enumerate(PROJECTS, start=1)]
    contest.invite(dict.fromkeys(contest.judges, MAX_LOAD), {})
    contest.open()
    unverified = _project(len(PROJECTS) + 1, 0, verified_by_id=None)
    for work in (*contest.works, unverified):
        contest.submit(work)
    contest.close()
    for work in contest.works:
        contest.check(work)
    contest.check(unverified, expected="A-28")
    contest.check(unverified, eligible=False, shortcomings=["incomplete"])
    contest.judge_once()
    contest.publish()
    _grant_and_archive(contest, lines_of=[f"项目 {work.id}" for _, work in lines(contest, {"project": 3})])
    return contest.story


def _project(number: int, merit: int, **claim: Any) -> Work:
    entry_id = f"bridge-{number}"
    claimed = {
        "benefit_fen": merit * 10_000 * YUAN, "verified_by_id": f"org-base-{number}",
        "proof_sha256": sha256_of("benefit", number),
    }  # fmt: skip
    present = {name: value for name, value in (claimed | claim).items() if value is not None}
    material = signed(
        f"金桥工程项目 {number}", date(2011, 4, 10), seed=entry_id, category_code="project",
        organisation_id=f"org-bridge-{number}", benefit_claim=present,
    )  # fmt: skip
    return Work(entry_id, "project", merit, material, unit=f"org-kexie-{ALL[number]}", district=ALL[number])


def _ideals() -> Story:
    """Topics of enterprises, from their registration to the commendation of the best."""
    contest = _contest("ideals-2011", month=10, categories=["collective"])
    contest.works += [_collective(number) for number in range(1, 5)]
    contest.story.on(date(2011, 2, 20))
    for number in range(1, TOPICS + 1):
        contest.story.tell(
            "awards", "register_topic", topic_id=f"topic-{number}", enterprise_org_id=_enterprise(number),
            title=f"技术攻关 {number}", participant_ids=[f"p-engineer-{number}"], year=2011,
            registered_on=date(2011, 2, 15), district=ALL[number],
        )  # fmt: skip
    _work_on_topics(contest.story)
    contest.call("jiangbi", 2011 - 1986, [a_category("collective", participation="organisation")])
    in_one_round(contest)
    for number, work in enumerate(contest.works, start=1):
        contest.story.tell("awards", "enter_topic", topic_id=f"topic-{number}", entry_id=work.id)
    _commend(contest)
    return contest.story


def _work_on_topics(story: Story) -> None:
    """The topics' ends: one is abandoned, and the benefit of another is not verified at first (A-28)."""
    story.on(date(2011, 3, 10))
    for number in range(1, TOPICS):
        story.tell("awards", "start_topic", topic_id=f"topic-{number}")
    story.tell("awards", "abandon_topic", topic_id=f"topic-{TOPICS}", reason="设备未到")
    story.on(date(2011, 8, 30))
    for number in range(1, TOPICS - 1):
        done: dict[str, Any] = {"topic_id": f"topic-{number}", "completed_on": date(2011, 8, 20 + number)}
        benefit: dict[str, Any] = {"benefit_fen": number * 120_000 * YUAN}
        if number == 2:
            story.tell("awards", "complete_topic", **done, **benefit, expected="A-28")
        proof: dict[str, Any] = {"verified_by_id": f"org-client-{number}", "proof_sha256": sha256_of("topic", number)}
        story.tell("awards", "complete_topic", **done, **benefit, **proof)
        story.tell("awards", "accept_topic", by="reviewer", topic_id=f"topic-{number}", accepted_on=date(2011, 8, 29))


def _enterprise(number: int) -> str:
    return f"org-enterprise-{number}"


def _collective(number: int) -> Work:
    entry_id = f"ideals-{number}"
    material = signed(
        f"先进集体 {number}", date(2011, 8, 31), seed=entry_id, category_code="collective",
        organisation_id=_enterprise(number),
    )  # fmt: skip
    return Work(entry_id, "collective", 90 - 5 * number, material, unit=f"org-kexie-{ALL[number]}")


def _homes() -> Story:
    """Homes of science and technology workers."""
    contest = _contest("home-2011", month=11, categories=["home"])
    contest.call("home", 3, [a_category("home", participation="organisation")])
    for number in range(1, 6):
        material = signed(
            f"科技工作者之家 {number}", date(2011, 9, 20), seed=f"home-{number}", category_code="home",
            organisation_id=f"org-home-{number}",
        )  # fmt: skip
        contest.works.append(Work(f"home-{number}", "home", 95 - 4 * number, material, unit=f"org-kexie-{ALL[number]}"))
    in_one_round(contest)
    _commend(contest)
    return contest.story


def _workers() -> Story:
    """Outstanding workers of science and technology."""
    contest = _contest("worker-2011", month=11, categories=["worker"])
    contest.call("worker", 4, [a_category("worker")])
    for number in range(1, 7):
        entry_id = f"worker-{number}"
        material = signed(
            f"优秀科技工作者 {number}", date(2011, 9, 20), seed=entry_id, category_code="worker",
            entrants=[_adult(entry_id)],
        )  # fmt: skip
        contest.works.append(Work(entry_id, "worker", 95 - 3 * number, material, unit=f"org-society-{number}"))
    in_one_round(contest)
    _commend(contest)
    return contest.story


def _recommendations() -> Iterator[Story]:
    """Recommendations: one selected, one not, one taken back, and one without the required document."""
    for number, became in enumerate(("selected", "not_selected", "withdrawn"), start=1):
        story, recommendation_id = Story(f"recommendation-{number}"), f"recommendation-{number}"
        story.on(date(2011, 6, 1))
        recommendation: dict[str, Any] = {
            "recommendation_id": recommendation_id, "candidate_id": f"p-candidate-{number}",
            "target_kind": "science_award", "target_level": "province", "target_title": "四川省优秀科技工作者",
            "proposer_org_ids": [f"org-society-{number}"], "misconduct_checked_on": date(2011, 5, 25),
            "district": ALL[number],
        }  # fmt: skip
        if number == 1:
            story.tell("awards", "recommend_talent", **recommendation, expected="A-27")
        story.tell("awards", "recommend_talent", **recommendation, worker_document_sha256=sha256_of("worker", number))
        story.tell("awards", "verify_recommendation", by="reviewer", recommendation_id=recommendation_id)
        if became == "withdrawn":
            story.tell("awards", "withdraw_recommendation", recommendation_id=recommendation_id, reason="本人放弃")
        else:
            _decide(story, recommendation_id, became)
        yield story


def _decide(story: Story, recommendation_id: str, answer: str) -> None:
    common: dict[str, Any] = {"by": "chair", "recommendation_id": recommendation_id}
    story.on(date(2011, 6, 8))
    story.tell("awards", "vote_recommendation", votes_for=7, votes_against=1, minute_no="常委会纪要第3号", **common)
    story.tell(
        "awards", "publicise_recommendation", starts_on=date(2011, 6, 9), publicity_days=5, publicity_unit="working",
        **common,
    )  # fmt: skip
    story.tell("awards", "submit_recommendation_up", **common, expected="X-07")
    story.on(date(2011, 6, 20))
    story.tell("awards", "submit_recommendation_up", **common)
    story.on(date(2011, 10, 12))
    story.tell("awards", "answer_recommendation", answer=answer, answered_on=date(2011, 10, 10), **common)


def _contest(edition_id: str, *, month: int, categories: list[str]) -> Contest:
    """A small contest that three judges score completely, in this month."""
    days = Days(
        called=date(2011, month - 2, 1), opens=date(2011, month - 1, 1), closes=date(2011, month - 1, 25),
        checks=date(2011, month - 1, 27), rounds=(date(2011, month, 3),), ends=date(2011, month, 9),
        publishes=date(2011, month, 10), grants=date(2011, month, 17),
    )  # fmt: skip
    jury = tuple(f"judge-{edition_id}-{number}" for number in (1, 2, 3))
    return Contest(Story(edition_id), edition_id, days, dict.fromkeys(categories, jury))


def _commend(contest: Contest) -> None:
    """Commend the best: a prize without a grade."""
    best = sorted(contest.works, key=lambda work: -work.merit)[:COMMENDED]
    contest.publish(
        other_awards=[{"award_kind": "commendation", "subject_type": "entry", "subject_id": work.id} for work in best]
    )
    _grant_and_archive(contest, lines_of=[f"{work.id} 获得者" for work in best])


def _grant_and_archive(contest: Contest, *, lines_of: list[str]) -> None:
    contest.story.on(contest.days.grants)
    contest.grant(f"乐科协发〔2011〕{20 + contest.days.grants.month}号")
    for line_no, name in enumerate(lines_of, start=1):
        contest.certify(line_no, name)
    contest.story.tell("awards", "archive_edition", by="chair", edition_id=contest.id, patient=True)


def _adult(name: str) -> dict[str, Any]:
    return {"person_ref": f"p-{name}", "unit_id": f"org-of-{name}", "minor": False}
