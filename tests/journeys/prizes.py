"""Prizes as clerks report them, and what the gateway and awards make of them."""

import itertools

from tests.journeys.whole import eventually

PRIZE = {
    "series": "youth_contest", "level": "province", "edition_no": 26, "category": "science_idea",
    "award_kind": "graded", "grade": "second", "first_entrant": "p-1", "awarded_on": "2011-04-10",
    "document_sha256": "b" * 64,
}  # fmt: skip
TITLES = itertools.count(1)


def a_prize():
    return PRIZE | {"title": f"作品 {next(TITLES)}"}


def reported_so_far(whole):
    """How many prizes earlier tests of the module have left, once gateway and awards agree."""
    return eventually(lambda: (counts := reported(whole))[0] == counts[1] and counts)[0]


def reported(whole):
    """How many prizes the gateway counts as reported, and awards itself."""
    told = whole.kpi("K1")["reported"]
    status, page = whole.get("/api/v1/awards/external_results?limit=1", whole.token())
    assert status == 200, page
    return told["value"] or 0, page["total"]
