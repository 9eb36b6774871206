from datetime import UTC, datetime

import pytest

from gateway.kpi import answers
from gateway.kpi.completeness import Completeness
from gateway.kpi.figures import Figures, documents_needed
from gateway.kpi.measures import Cell
from gateway.kpi.plan_answers import describe, outline
from gateway.kpi.plan_index import PlanIndex, resolve_period
from gateway.kpi.record_answers import record
from services.contract.topology import SERVICES
from tests.gateway.examples import COUNT, GRANT, PLAN, RECEIPT, a_plan
from tests.gateway.kpi.test_measures import counted

PLAN_INDEX = PlanIndex({2011: PLAN})
NUMBERED = {"K1", "K2", "K3", "K4", "K5", "K6"}
NOW = datetime(2011, 10, 31, 12, tzinfo=UTC)


def figures_of(line, *views, beside=(), on=NOW):
    """The figures when these records are all there are."""
    documents = {}
    for measure in (*line.parts.values(), line.reported):
        documents |= counted(measure, *views) if measure else {}
    for measure in (line.scheduled, *(measure for _, measure in line.beside)):
        documents |= counted(measure, *beside) if measure else {}
    return Figures(documents, frozenset(measure.key for measure in line.measures), not_read, on.date())


def not_read(*question):
    raise AssertionError(f"nothing here needs a look at the records: {question}")


def kpi_answer(code, *views, period="2011", beside=(), plan_index=PLAN_INDEX, on=NOW, district=None, by=None):
    """The answer about a KPI when these records are all there are."""
    line = plan_index.kpi_line(code)
    filters = {"district": district} if district else {}
    figures = figures_of(line, *views, beside=beside, on=on)
    return answers.kpi(line, resolve_period(period), figures, filters=filters, by=by)


def test_no_data_is_none_and_what_does_not_count_is_0():
    assert (kpi_answer("K2")["value"], kpi_answer("K2")["state"]) == (None, "none")
    recorded = kpi_answer("K2", COUNT | {"state": "recorded"})
    assert (recorded["value"], recorded["state"]) == (0, "zero")
    nobody_came = kpi_answer("K2", COUNT | {"person_times": 0})
    assert (nobody_came["value"], nobody_came["state"], nobody_came["records"]) == (0, "zero", 1)


def test_reported_and_verified_are_two_numbers_and_only_verified_meets_the_target():
    answer = kpi_answer("K2", COUNT | {"person_times": 50_000}, COUNT | {"person_times": 150_000, "state": "recorded"})

    assert (answer["value"], answer["reported"]["value"]) == (50_000, 200_000)
    assert (answer["target"], answer["percent"]) == (200_000, 25.0)


def test_percent_is_not_clamped_and_none_of_a_target_of_0():
    assert kpi_answer("K2", COUNT | {"person_times": 300_000})["percent"] == 150.0

    nothing_to_do = PlanIndex({2011: a_plan(("value: 200000", "value: 0"))})
    assert kpi_answer("K2", COUNT, plan_index=nothing_to_do)["target"] == 0
    assert kpi_answer("K2", COUNT, plan_index=nothing_to_do)["percent"] is None


def test_money_is_whole_fen_and_what_was_approved_is_shown_beside_what_was_received():
    received = [
        RECEIPT,
        RECEIPT | {"voucher_no": "v-2", "source_level": "province", "net_fen": 36_000_000},
        RECEIPT | {"voucher_no": "v-3", "source_level": "county"},
    ]
    approved = [GRANT, GRANT | {"source_level": "province", "approved_fen": 45_000_000}]

    answer = kpi_answer("K5", *received, beside=approved)

    assert (answer["value"], answer["target"], answer["percent"]) == (96_000_000, 100_000_000, 96.0)
    assert answer["unit"] == {"zh": "元", "en": "yuan", "scale": 100}
    assert answer["text"] == {"zh": "960,000.00元", "en": "960,000.00 yuan"}
    assert [(one["title"]["en"], one["value"]) for one in answer["beside"]] == [
        ("Central and provincial funds approved", 105_000_000)
    ]


def test_the_target_of_the_year_says_nothing_about_another_year_or_one_district():
    assert kpi_answer("K2", COUNT, period="2011Q2")["target"] == 200_000
    assert kpi_answer("K2", COUNT, period="2010")["target"] is None
    assert kpi_answer("K2", COUNT, period="2010-12-31..2011-12-31")["target"] is None
    assert kpi_answer("K2", COUNT, district="511102")["target"] is None


def test_the_groups_and_the_unassigned_add_up_to_the_number():
    views = [RECEIPT | {"district": code, "net_fen": fen} for code, fen in (("511102", 5), ("511181", 7), (None, 11))]

    answer = kpi_answer("K5", *views, by="district")

    assert [group["key"] for group in answer["groups"]] == list(PLAN.districts)
    assert {group["name"]: group["value"] for group in answer["groups"] if group["value"]} == {
        "市中区": 5,
        "峨眉山市": 7,
    }
    assert answer["unassigned"]["value"] == 11
    assert answer["value"] == 23


def test_a_value_that_the_plan_does_not_know_is_a_group_after_the_known_ones():
    answer = kpi_answer("K2", COUNT, COUNT | {"district": "510100"}, by="district")

    assert answer["groups"][-1] == {"key": "510100", "name": "510100", "value": 300, "state": "value", "records": 1}
    assert sum(group["value"] or 0 for group in answer["groups"]) == answer["value"]


def test_a_closed_list_is_grouped_in_its_own_order_with_the_empty_ones():
    answer = kpi_answer("K2", COUNT, by="format")

    assert [group["key"] for group in answer["groups"]][:2] == ["plaza", "lecture"]
    assert [group["state"] for group in answer["groups"]][:2] == ["value", "none"]


def test_one_district_is_its_group_of_the_whole():
    views = [COUNT, COUNT | {"district": "511111", "person_times": 7}]

    assert kpi_answer("K2", *views, district="511111")["value"] == 7
    line = PLAN_INDEX.kpi_line("K2")
    figures, (measure,) = figures_of(line, *views), line.parts.values()
    assert answers.total(line, resolve_period("2011"), figures, measure, filters={"district": "511111"}) == {
        "value": 7, "state": "value", "total": 1,
    }  # fmt: skip


def test_progress_has_every_item_of_the_plan():
    kpis = {code: {"code": code} for code in PLAN_INDEX.codes}
    milestones = {one.code: {} for one in PLAN_INDEX.milestones(2011)}

    items = answers.progress(PLAN, kpis, milestones)

    assert [item["no"] for item in items] == list(range(1, 63))
    numbered = [kpi["code"] for item in items for kpi in item["kpis"] if kpi["code"] in NUMBERED]
    assert numbered == ["K3", "K1", "K2", "K4", "K5", "K6"]
    assert all(item["kpis"] or item["milestones"] or item["unmeasured"] for item in items)


def test_a_plan_describes_its_rules_so_that_they_can_be_counted_again():
    answer = describe(PLAN, [])

    (k1,) = [kpi for item in answer["items"] for kpi in item["kpis"] if kpi["code"] == "K1"]
    (counts,) = k1["counts"]
    assert counts["rule"]["where"]["award_kind"] == ["graded", "special"]
    assert "已核实" in counts["words"]["zh"]
    assert k1["reported"]["where"]["state"] == ["reported", "verified"]
    (target,) = k1["targets"]
    assert (target["value"], target["decided_on"], target["baseline"]) == (60, "2011-01-01", None)
    assert outline(PLAN)["items"] == 62


def test_a_record_says_what_it_adds_to_the_number():
    view = {"_id": "outreach.audience_count/c/1", "version": 3, "data": COUNT}

    assert record(PLAN_INDEX.kpi_line("K2").kpi.rule, view) == {
        "service": "outreach", "kind": "audience_count", "id": "c/1", "version": 3, "state": "verified",
        "day": "2011-05-14", "amount": 300, "district": "511102", "format": "plaza",
        "history": "/api/v1/records/outreach/audience_count/c%2F1/history",
    }  # fmt: skip


def test_a_question_about_a_year_reads_one_document_for_each_of_its_numbers():
    assert len(documents_needed([PLAN_INDEX.kpi_line("K2")], resolve_period("2011"))) == 2
    assert (
        len(documents_needed([PLAN_INDEX.kpi_line("K2")], resolve_period("2011S1"))) == 13
    )  # six months of both, and the year for its outlook


def test_the_kpi_of_a_year_without_a_plan_is_that_of_the_last_plan():
    later = PlanIndex({2011: PLAN, 2012: a_plan(("year: 2011", "year: 2012"))})

    assert later.kpi_line("K2", 2011).plan.year == 2011
    assert later.kpi_line("K2", 2013).plan.year == 2012
    assert later.kpi_line("K9") is None
    assert set(later.codes) >= NUMBERED


def completeness(**changes):
    every = frozenset(measure.key for line in PLAN_INDEX.kpi_lines(2011) for measure in line.measures)
    usual = {
        "as_of": NOW, "revision": 7, "heard": {}, "counted": every, "compared": dict.fromkeys(SERVICES, 0),
        "is_rebuilding": False, "parked": {}, "parked_there": {},
    }  # fmt: skip
    return Completeness(**usual | changes)


def test_an_answer_says_how_far_it_can_be_trusted():
    answer = completeness(heard={"outreach": datetime(2011, 10, 30, tzinfo=UTC)}).answer(PLAN_INDEX.kpi_lines(2011))

    assert answer == {
        "as_of": "2011-10-31T12:00:00.000+00:00",
        "revision": 7,
        "freshness": {
            "awards": None,
            "outreach": "2011-10-30T00:00:00+00:00",
            "rural": None,
            "members": None,
        },
        "complete": True,
        "reasons": [],
    }


@pytest.mark.parametrize(
    ("exchange", "code", "is_complete"),
    [
        ("outreach.events", "K2", False),
        ("outreach.events", "K1", True),
        ("rural.events", "K5", False),
        ("", "K2", False),  # nobody knows whose it was
    ],
)
def test_a_parked_message_makes_the_numbers_of_its_service_incomplete(exchange, code, is_complete):
    answer = completeness(parked={exchange: 2}).answer([PLAN_INDEX.kpi_line(code)])

    assert answer["complete"] is is_complete
    assert [reason["messages"] for reason in answer["reasons"]] == ([] if is_complete else [2])


def test_what_a_service_parked_itself_makes_its_own_numbers_incomplete_and_no_others():
    answer = completeness(parked_there={"rural": 3})

    (reason,) = answer.answer([PLAN_INDEX.kpi_line("K5")])["reasons"]
    assert (reason["code"], reason["service"], reason["at"], reason["messages"]) == ("parked", "rural", "rural", 3)
    assert answer.answer([PLAN_INDEX.kpi_line("K1")])["complete"]
    assert completeness(parked={"rural.events": 1}).answer([PLAN_INDEX.kpi_line("K5")])["reasons"][0]["at"] == "gateway"


def test_a_rule_that_is_still_being_counted_makes_its_number_incomplete():
    underway = completeness(
        counted=completeness().counted - {measure.key for measure in PLAN_INDEX.kpi_line("K2").parts.values()}
    )

    assert [reason["kpi"] for reason in underway.answer(PLAN_INDEX.kpi_lines(2011))["reasons"]] == ["K2"]
    assert underway.answer([PLAN_INDEX.kpi_line("K1")])["complete"]


@pytest.mark.parametrize(
    ("outreach", "is_rebuilding", "code"),
    [
        ({}, False, "not_compared"),
        ({}, True, "rebuilding"),
        ({"outreach": 2}, False, "behind"),
        ({"outreach": 2}, True, "rebuilding"),
        ({"outreach": 0}, True, None),  # what serves is whole
    ],
)
def test_what_is_not_whole_makes_the_numbers_of_its_service_incomplete(outreach, is_rebuilding, code):
    others = dict.fromkeys(set(SERVICES) - {"outreach"}, 0)
    answer = completeness(compared=others | outreach, is_rebuilding=is_rebuilding)

    assert [reason["code"] for reason in answer.answer([PLAN_INDEX.kpi_line("K2")])["reasons"]] == (
        [code] if code else []
    )
    assert all(
        "一" <= reason["zh"][0] <= "鿿" or "2" in reason["zh"]
        for reason in answer.answer(PLAN_INDEX.kpi_lines(2011))["reasons"]
    )
    assert answer.answer([PLAN_INDEX.kpi_line("K1")])["complete"]


def test_a_milestone_is_as_complete_as_the_numbers_of_its_service():
    (spring,) = [one for one in PLAN_INDEX.milestones(2011) if one.code == "M-SPRING"]
    every = completeness().counted | {one.measure.key for one in PLAN_INDEX.milestones(2011)}

    assert completeness(counted=every).answer([spring])["complete"]
    assert not completeness(counted=every, parked={"outreach.events": 1}).answer([spring])["complete"]
    assert [reason["kpi"] for reason in completeness().answer([spring])["reasons"]] == ["M-SPRING"]


def test_a_stock_is_what_it_was_when_it_was_told_last_also_in_a_period_in_which_nobody_told_it():
    unit = "unit: {zh: 人次, en: person-times}\n        targets"
    stock = a_plan(
        (unit, f"nature: stock\n        {unit}"),
        ("measure: {sum: person_times}", "measure: {last: person_times}"),
    )
    line = PlanIndex({2011: stock}).kpi_line("K2")
    readings = []

    def read_number(rule, period, among):
        readings.append((rule.measure, period.last.isoformat(), dict(among)))
        return 280

    seen = figures_of(line, COUNT | {"day": "2011-03-01"})
    answer = answers.kpi(line, resolve_period("2011Q3"), Figures(seen.documents, seen.counted, read_number, NOW.date()))

    assert (answer["value"], answer["state"], answer["nature"]) == (280, "value", "stock")
    assert all(one == ("last", "2011-09-30", {}) for one in readings)
    assert readings


def test_cells_add_up():
    assert Cell(1, 1, 5) + Cell(2, 1, 7) == Cell(3, 2, 12)
