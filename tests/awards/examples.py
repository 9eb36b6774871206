"""Named examples for the tests of awards; what a test does not say stands here."""

from dataclasses import replace
from datetime import date

from services.awards.domain import external_result

LATER = date(2011, 12, 31)  # today, where a test does not say which day it is

A_PRIZE = {
    "series": "youth_contest",
    "level": "province",
    "edition_no": 26,
    "category": "innovation_project",
    "award_kind": "graded",
    "grade": "second",
    "title": "可调节茶叶采摘器",
    "first_entrant": "小明",
    "awarded_on": date(2011, 3, 27),
    "document_sha256": "a" * 64,
    "district": "511102",
}


def a_report(**changes):
    """The change that reporting a prize answers."""
    return external_result.report(**{**A_PRIZE, "today": LATER, "by": "u-li", **changes})


def a_result(*, state="reported", **changes):
    """A prize in any of its states, reported by u-li."""
    return replace(a_report(**changes).record, state=state)
