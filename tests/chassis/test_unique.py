"""Invariants across records: the index that keeps one, also after the rule has come to hold for other records."""

import pytest
from pymongo.errors import DuplicateKeyError

from services.chassis.mongo import client
from services.chassis.records import Unique
from tests.chassis.toy import NameTaken


@pytest.fixture
def halls(settings):
    return client(settings.mongo_uri)[settings.database("outreach")]["venue"]


def of(*states):
    return Unique("name", refusal=NameTaken, among={"state": states})


def a_hall(state):
    return {"state": {"name": "学术厅", "state": state}}


def test_an_invariant_that_comes_to_hold_for_other_records_replaces_its_index(halls):
    halls.create_index(of("available").key, unique=True, partialFilterExpression=of("available").only)  # as it was
    halls.insert_one(a_hall("suspended"))
    halls.insert_one(a_hall("available"))

    with pytest.raises(DuplicateKeyError):
        of("available", "suspended").keep(halls)
    halls.delete_one({"state.state": "suspended"})
    of("available", "suspended").keep(halls)

    assert len(halls.index_information()) == 2  # of the ids, and this one
    with pytest.raises(DuplicateKeyError):
        halls.insert_one(a_hall("suspended"))


def test_an_index_that_is_there_stays_as_it_is(halls):
    of("available").keep(halls)
    before = halls.index_information()

    of("available").keep(halls)

    assert halls.index_information() == before


def test_an_index_by_its_default_name_stays_where_it_says_the_same(halls):
    halls.create_index(of("available").key, unique=True, partialFilterExpression=of("available").only)
    before = halls.index_information()

    of("available").keep(halls)

    assert halls.index_information() == before


def test_a_field_with_several_values_is_looked_at_value_by_value_as_it_is_made_and_as_it_is_kept():
    each = Unique("site", "names", refusal=NameTaken)

    for names in (("学术厅", "报告厅"), ["学术厅", "报告厅"]):
        assert each.values({"site": "a", "names": names}) == {("a", "学术厅"), ("a", "报告厅")}
