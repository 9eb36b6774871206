"""Invariants across records: the index that keeps one, also after the rule has come to hold for other records."""

import pytest
from pymongo.errors import DuplicateKeyError

from services.chassis.mongo import client
from services.chassis.records import Unique, drop_earlier_revisions
from tests.chassis.toy import NameTaken


@pytest.fixture
def halls(settings):
    return client(settings.mongo_uri)[settings.database("outreach")]["venue"]


def of(*states, revision=1):
    return Unique("name", refusal=NameTaken, among={"state": states}, revision=revision)


def a_hall(state):
    return {"state": {"name": "学术厅", "state": state}}


def keep(unique, halls):
    """As a service does when it starts."""
    halls.create_indexes([unique.index])
    drop_earlier_revisions(halls, [unique])


def keep_as_before(halls):
    """As a version did that knew of no revisions."""
    first = of("available")
    halls.create_index(first.key, unique=True, partialFilterExpression=first.only)


def test_an_invariant_that_comes_to_hold_for_other_records_replaces_its_index(halls):
    keep_as_before(halls)
    halls.insert_one(a_hall("suspended"))
    halls.insert_one(a_hall("available"))
    second = of("available", "suspended", revision=2)

    with pytest.raises(DuplicateKeyError):
        keep(second, halls)
    halls.delete_one({"state.state": "suspended"})
    keep(second, halls)

    assert len(halls.index_information()) == 2  # of the ids, and this one
    with pytest.raises(DuplicateKeyError):
        halls.insert_one(a_hall("suspended"))


def test_a_version_from_before_finds_its_index_or_makes_it_beside_a_later_revision(halls):
    keep(of("available"), halls)
    before = halls.index_information()
    keep_as_before(halls)
    assert halls.index_information() == before

    keep(of("available", "suspended", revision=2), halls)
    keep_as_before(halls)

    assert len(halls.index_information()) == 3


def test_an_index_that_is_there_stays_as_it_is(halls):
    keep(of("available"), halls)
    before = halls.index_information()

    keep(of("available"), halls)

    assert halls.index_information() == before
