"""The plan's items that awards works on: which of its records make which number and reach which milestone."""

import json
from pathlib import Path

import pytest

from services.contract import KINDS
from services.contract.event import Event, read
from tests.contract import samples

SAMPLES = Path(samples.__file__).parent

PAPER = {"programme_kind": "paper", "level": "city", "edition_no": 9, "granted_on": "2011-10-20", "state": "granted"}
BRIDGE = {**PAPER, "programme_kind": "golden_bridge", "award_kind": "graded", "benefit_fen": 1_200_000_00}
YOUTH = {**PAPER, "programme_kind": "youth", "edition_no": 10, "granted_on": "2011-05-20"}
NOMINATED = {
    "to_series": "youth_contest", "to_level": "province", "to_edition_no": 26, "year": 2011, "sealed_on": "2011-05-30",
    "sent_on": "2011-06-02", "result_id": None, "state": "sent_up",
}  # fmt: skip
PRIZE = {
    "series": "youth_contest", "level": "province", "edition_no": 26, "award_kind": "graded",
    "awarded_on": "2011-08-01", "state": "verified",
}  # fmt: skip
TOPIC = {"registered_on": "2011-02-10", "completed_on": None, "benefit_fen": None, "state": "registered"}
COMPLETED = {**TOPIC, "completed_on": "2011-09-10", "benefit_fen": 300_000_00, "state": "completed"}
RECOMMENDED = {"submitted_up_on": "2011-04-01", "answered_on": None, "state": "submitted_up"}


def said(kind, record, version=1, **changes):
    """An event with a view like the pinned sample."""
    known = KINDS[f"awards.{kind}"]
    sample = json.loads((SAMPLES / f"{known.key}.json").read_text())["events"][0]["data"]
    event = Event(
        kind=known, record=record, version=version, happened=known.happenings[0], actor="u-li", cause=f"c-{record}",
        time="2011-11-01T10:00:00.000+08:00", hash="0" * 64, data={**sample, "district": "511102", **changes},
    )  # fmt: skip
    return read(event.write())


def lines(query_service):
    """The numbers by code, each with those beside it, and the days on which the milestones were reached."""
    items = query_service.progress("2011", {})["items"]
    numbers = {
        kpi["code"]: (kpi["value"], *(one["value"] for one in kpi["beside"])) for item in items for kpi in item["kpis"]
    }
    return numbers, {one["code"]: one["reached_on"] for item in items for one in item["milestones"]}


def test_prizes_that_were_granted_count_by_their_programme_and_reach_its_milestone(query_service):
    query_service.take_events(
        [
            said("award", "p-1", **PAPER, edition_id="paper-9", person_count=3),
            said("award", "p-2", **PAPER, edition_id="paper-9", person_count=2),
            said("award", "b-1", **BRIDGE, edition_id="bridge-1", person_count=4),
            said("award", "b-2", **{**BRIDGE, "award_kind": "special"}, edition_id="bridge-1", person_count=4),
            said("award", "y-1", **YOUTH, edition_id="youth-10", person_count=1),
            said("award", "j-1", **{**PAPER, "programme_kind": "jiangbi"}, edition_id="jiangbi-1", person_count=0),
            said("award", "h-1", **{**PAPER, "programme_kind": "home"}, edition_id="home-1", person_count=0),
            said("award", "w-1", **{**PAPER, "programme_kind": "worker"}, edition_id="worker-1", person_count=1),
        ]
    )

    numbers, reached = lines(query_service)

    assert (numbers["N3"], numbers["N4"], numbers["N4b"]) == ((2,), (1,), (1_200_000_00,))
    assert (numbers["N27"][1], numbers["N9"][2], numbers["N52"][0]) == (1, 1, 1)
    assert (numbers["N53"], numbers["N53b"], numbers["N53c"]) == ((1,), (14,), (6,))
    assert {code: reached[code] for code in ("M-PAPER9", "M-BRIDGE", "M-YOUTH10", "M-JIANGBI", "M-HOME")} == {
        "M-PAPER9": "2011-10-20", "M-BRIDGE": "2011-10-20", "M-YOUTH10": "2011-05-20", "M-JIANGBI": "2011-10-20",
        "M-HOME": "2011-10-20",
    }  # fmt: skip


@pytest.mark.parametrize(
    "changes", [{"state": "revoked"}, {"level": "province"}, {"edition_no": 8}, {"programme_kind": "home"}]
)
def test_a_revoked_prize_and_one_of_another_edition_are_none_of_the_ninth_paper_evaluation(query_service, changes):
    query_service.take_events([said("award", "p-1", **{**PAPER, **changes})])

    numbers, reached = lines(query_service)

    assert (numbers["N3"], reached["M-PAPER9"]) == ((0,), None)


def test_a_delegation_is_there_when_it_was_sent_and_not_by_what_it_wins(query_service):
    query_service.take_events([said("nomination", "n-1", **{**NOMINATED, "state": "sealed", "sent_on": None})])
    query_service.take_events([said("external_result", "r-1", **PRIZE)])
    before = lines(query_service)

    query_service.take_events([said("nomination", "n-1", 2, **NOMINATED)])
    after = lines(query_service)

    assert (before[0]["K1"], before[1]["M-YOUTH26-DELEGATION"]) == ((1, None), None)
    assert (after[0]["K1"], after[1]["M-YOUTH26-DELEGATION"]) == ((1, 1), "2011-06-02")


def test_national_prizes_and_those_of_other_provincial_contests_stand_apart_from_k1(query_service):
    others = [{"level": "national"}, {"level": "national", "series": "other"}, {"series": "other"}]
    query_service.take_events(
        [said("external_result", f"r-{number}", **{**PRIZE, **other}) for number, other in enumerate(others)]
    )

    numbers, _ = lines(query_service)

    assert (numbers["K1"][0], numbers["K1b"]) == (0, (2, 1))


def test_topics_count_when_registered_and_again_with_their_benefit_when_completed(query_service):
    query_service.take_events([said("topic", "t-1", **TOPIC), said("topic", "t-2", **COMPLETED)])
    query_service.take_events([said("topic", "t-3", **{**TOPIC, "state": "abandoned"})])

    numbers, _ = lines(query_service)

    assert (numbers["N9"][:2], numbers["N9b"]) == ((2, 1), (300_000_00,))


def test_an_entry_takes_part_once_it_was_found_eligible(query_service):
    youth = {"programme_kind": "youth", "submitted_on": "2011-03-01"}
    states = ("submitted", "returned", "ineligible", "withdrawn", "disqualified", "eligible", "awarded")
    query_service.take_events([said("entry", f"e-{state}", **youth, state=state) for state in states])

    numbers, _ = lines(query_service)

    assert numbers["N27"][0] == 2


def test_a_recommendation_counts_once_it_was_submitted_up(query_service):
    query_service.take_events([said("recommendation", "a-1", **RECOMMENDED)])
    query_service.take_events(
        [said("recommendation", "a-2", **{**RECOMMENDED, "answered_on": "2011-11-01", "state": "selected"})]
    )
    query_service.take_events(
        [said("recommendation", "a-3", **{**RECOMMENDED, "submitted_up_on": None, "state": "publicised"})]
    )

    numbers, _ = lines(query_service)

    assert numbers["N50"] == (2, 1)
