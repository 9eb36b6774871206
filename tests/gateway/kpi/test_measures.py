from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.kpi.ledger import count
from gateway.kpi.measures import Cell, Changes, Measure
from gateway.plans.periods import pieces, read
from tests.gateway.examples import COUNT, RECEIPT, kpi

K2 = Measure(kpi("K2").rule)


def counted(measure, *views):
    """The documents of counts after these views, as the database would hold them."""
    documents = {}
    for id_, changed in count(measure, [{"data": view} for view in views]).items():
        for path, by in changed.items():
            node = documents.setdefault(id_, {})
            *way, last = path.split(".")
            for name in way:
                node = node.setdefault(name, {})
            node[last] = node.get(last, 0) + by
    return documents


def total(measure, period, documents):
    return measure.total(list(pieces(read(period))), documents)


def groups(measure, by, period, documents):
    return measure.groups(by, list(pieces(read(period))), documents)


def test_a_record_is_counted_in_its_year_its_month_and_its_day():
    documents = counted(K2, COUNT | {"day": "2011-05-14"})

    for period in ("2011", "2011S1", "2011Q2", "201105", "2011W19", "20110514", "2011-05-01..2011-05-14"):
        assert total(K2, period, documents) == Cell(seen=1, n=1, sum=300), period
    for period in ("2010", "2011Q1", "20110513", "2011-05-15..2011-12-31"):
        assert total(K2, period, documents) == Cell(), period


def test_what_does_not_count_is_seen_so_that_nothing_counted_is_0_and_not_none():
    documents = counted(K2, COUNT | {"state": "recorded"}, COUNT | {"mode": "online"})

    assert total(K2, "2011", documents) == Cell(seen=2, n=0, sum=0)
    assert total(K2, "2012", documents) == Cell()


def test_a_record_without_a_day_is_in_no_period():
    k4 = Measure(kpi("K4").rule)

    assert counted(k4, {"state": "incomplete", "completed_on": None, "district": "511102"}) == {}


def test_a_rule_that_counts_records_has_their_number_as_its_sum():
    k1 = Measure(kpi("K1").rule)
    documents = counted(k1, *[dict(RESULTS, grade=grade) for grade in ("first", "second", "second")])

    assert total(k1, "2011", documents) == Cell(seen=3, n=3, sum=3)
    assert groups(k1, "grade", "2011", documents) == {"first": Cell(1, 1, 1), "second": Cell(2, 2, 2)}


RESULTS = {
    "series": "youth_contest", "level": "province", "edition_no": 26, "award_kind": "graded", "grade": "first",
    "district": None, "awarded_on": "2011-08-01", "state": "verified",
}  # fmt: skip


def test_records_without_the_field_are_a_group_of_their_own():
    k5 = Measure(kpi("K5").rule)
    documents = counted(k5, RECEIPT | {"district": None}, RECEIPT | {"district": "511102", "net_fen": 1})

    assert groups(k5, "district", "2011", documents) == {None: Cell(1, 1, 60_000_000), "511102": Cell(1, 1, 1)}


@pytest.mark.parametrize("value", ["a.b", "$a", "a%2Eb", "%", "a\0b", "a b", "乐山", "a|b", "12"])
def test_any_text_can_be_a_group(value):
    documents = counted(K2, COUNT | {"district": value})

    assert groups(K2, "district", "201105", documents) == {value: Cell(1, 1, 300)}
    (group,) = documents[f"{K2.key}|2011"]["by"]["district"]
    assert not set(group) & set(".$\0")


def test_a_view_that_takes_the_place_of_another_moves_what_it_counts():
    changes = Changes()
    changes.replace(K2, COUNT, COUNT | {"day": "2011-06-01", "person_times": 280})

    assert changes.increments() == {
        f"{K2.key}|2011": {
            "sum": -20,
            "by.district.511102.sum": -20,
            "by.format.plaza.sum": -20,
            "months.05.seen": -1,
            "months.05.n": -1,
            "months.05.sum": -300,
            "months.06.seen": 1,
            "months.06.n": 1,
            "months.06.sum": 280,
        },
        f"{K2.key}|2011-05": places("14", -1, -300),
        f"{K2.key}|2011-06": places("01", 1, 280),
    }


def places(day, n, amount):
    cells = ["", "by.district.511102.", "by.format.plaza."]
    cells += [f"days.{day}.{cell}" for cell in cells]
    return {f"{cell}{name}": by for cell in cells for name, by in (("seen", n), ("n", n), ("sum", amount))}


def test_a_view_that_counts_the_same_changes_nothing():
    changes = Changes()
    changes.replace(K2, COUNT, COUNT | {"activity_id": "a-2"})

    assert changes.increments() == {}


def test_the_key_of_a_rule_is_the_same_however_its_conditions_are_ordered():
    rule = kpi("K1").rule
    turned = replace(rule, where=tuple(reversed(rule.where)))

    assert Measure(turned).key == Measure(rule).key
    assert Measure(kpi("K1").reported).key != Measure(rule).key


def test_while_a_rule_is_being_counted_it_covers_the_records_counted_so_far():
    assert K2.covers("outreach.audience_count/z")

    underway = Measure(K2.rule, upto="outreach.audience_count/c")
    assert underway.covers("outreach.audience_count/c")
    assert not underway.covers("outreach.audience_count/d")


VIEWS = st.builds(
    lambda day, district, format_, person_times, state: COUNT | {
        "day": day.isoformat(), "district": district, "format": format_, "person_times": person_times, "state": state,
    },
    st.dates(read("2010").first, read("2012").last),
    st.sampled_from(["511102", "511111", ""]),
    st.sampled_from(["plaza", "lecture"]),
    st.integers(0, 2**40),
    st.sampled_from(["recorded", "verified"]),
)  # fmt: skip


@given(st.lists(VIEWS, max_size=30), st.dates(read("2010").first, read("2012").last), st.integers(0, 800))
def test_a_number_is_the_sum_of_its_records_and_of_its_groups_in_any_period(views, first, length):
    period = f"{first}..{first.fromordinal(first.toordinal() + length)}"

    documents = counted(K2, *views)

    inside = [view for view in views if first <= first.fromisoformat(view["day"]) <= read(period).last]
    verified = [view for view in inside if view["state"] == "verified"]
    whole = total(K2, period, documents)
    assert whole == Cell(len(inside), len(verified), sum(view["person_times"] for view in verified))
    for by in ("district", "format"):
        assert sum(groups(K2, by, period, documents).values(), start=Cell()) == whole
