"""Prizes of the 26th provincial youth contest, as they are reported and verified."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from deploy.demo.story import Story, sha256_of
from deploy.demo.youth import WON
from services.contract.district import DISTRICTS

PRIZES = (("first", 6), ("second", 17), ("third", 29), ("none", 12))  # none: special prizes, which have no grade


def results() -> Iterator[Story]:
    """Yield the story of each prize."""
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
    """A prize of the 26th provincial contest: most are verified, one is revoked, some are rejected."""
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
