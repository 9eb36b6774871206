"""The plan's items that outreach works on: which of its records make which number."""

import json
from pathlib import Path

import pytest

from gateway.plans import plan_file
from gateway.reporting.plan_history import PLANS
from tests.contract import samples

FILE = PLANS / "2011.yaml"
PLAN = plan_file.read(FILE.name, FILE.read_bytes())
RULES = {kpi.code: next(iter(kpi.parts.values())) for _, kpi in PLAN.kpis()}
SAMPLES = Path(samples.__file__).parent


def amount(code, **changes):
    """What a record adds to this number of the plan: None where it does not count."""
    rule = RULES[code]
    view = json.loads((SAMPLES / f"{rule.of.key}.json").read_text())["events"][0]["data"] | changes
    return rule.amount(view) if rule.counts(view) else None


def counting(code, **changes):
    """The states in which a record counts."""
    return {state for state in RULES[code].of.states if amount(code, **changes, state=state) is not None}


DAY = "2011-05-14"


@pytest.mark.parametrize(
    ("code", "given", "states"),
    [
        ("N19", {"published_on": DAY}, {"published"}),
        ("N20", {"out_on": DAY}, {"out", "returned", "lost"}),
        ("N21", {"opened_on": DAY}, {"open"}),
        ("N21b", {"measured_on": DAY}, {"verified"}),
        ("N23", {"enrolled_on": DAY}, {"active"}),
        ("N24b", {"delivered_on": DAY}, {"delivered", "evaluated"}),
        ("N36", {"day": DAY}, {"covered"}),
        ("N38", {"published_on": DAY}, {"verified"}),
        ("N47", {"published_on": DAY}, {"published"}),
    ],
)
def test_a_record_counts_in_these_states_alone(code, given, states):
    assert counting(code, **given) == states


@pytest.mark.rule("O-11")
def test_reach_is_a_number_of_its_own_and_no_part_of_k2():
    assert amount("N21b", measured_on=DAY, reach=48_000, state="verified") == 48_000
    assert [code for code, rule in RULES.items() if rule.of.name == "reach_report"] == ["N21b"]
    assert RULES["K2"].of.name == "audience_count"


def test_nothing_that_outreach_owns_is_unmeasured():
    assert {item.no for item in PLAN.items if item.service == "outreach" and item.unmeasured} == set()
