"""Lists: every record of a filter exactly once, whatever the order and the page; a mistake is named."""

from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.chassis import lists
from services.chassis.field_classes import FieldClasses
from services.chassis.problem import InvalidInput, NotFound
from services.chassis.tokens import Actor
from services.contract import KINDS

VENUE = KINDS["outreach.venue"]
ACTIVITY = KINDS["outreach.activity"]
DISTRICTS = ("511102", "511111")


def anybody(kind):
    return FieldClasses(kind, kind.view).reader(Actor("u-1", frozenset({"viewer"})))


@pytest.fixture(scope="module")
def venues(shared):
    """Thirty-one venues, many of them alike, some with neither capacity nor service point."""
    collection = shared.database("lists")["venue"]
    collection.insert_many(
        {
            "_id": f"v-{number:02}",
            "version": number + 1,
            "state": {
                "venue_kind": ("hall", "school", "plaza")[number % 3],
                "capacity": None if number % 4 == 0 else number % 5,
                "district": DISTRICTS[number % 2],
                "service_point_id": None if number % 3 else f"p-{number // 6}",
                "state": "suspended" if number % 7 == 0 else "available",
                "name": f"王小明 {number}",
            },
        }
        for number in range(31)
    )
    return collection


def all_pages(collection, **asked):
    items, cursor = [], None
    while True:
        page = lists.page(collection, anybody(VENUE), {**asked, "cursor": cursor})
        items += page["items"]
        if (cursor := page["cursor"]) is None:
            return items


def test_an_item_is_the_view_with_id_and_version_and_nothing_private(venues):
    (item,) = lists.page(venues, anybody(VENUE), {"filter": {"id": "v-03"}})["items"]

    assert item == {
        "id": "v-03", "version": 4, "venue_kind": "hall", "capacity": 3, "district": "511111",
        "service_point_id": "p-0", "state": "available",
    }  # fmt: skip


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    order=st.sampled_from(["id", *VENUE.fields]),
    turned=st.booleans(),
    limit=st.integers(1, 35),
    wanted=st.sampled_from([{}, {"district": "511102"}, {"capacity": None}, {"venue_kind": ["hall", "plaza"]}]),
)
def test_the_pages_hold_every_record_once_in_order_whatever_their_size(venues, order, turned, limit, wanted):
    items = all_pages(venues, order=f"{'-' * turned}{order}", limit=limit, filter=wanted)

    everything = lists.page(venues, anybody(VENUE), {"filter": wanted, "limit": 1_000})
    assert sorted(item["id"] for item in items) == [item["id"] for item in everything["items"]]
    keys = [(item[order] is not None, item[order] or 0 if order == "capacity" else item[order] or "", item["id"])
            for item in items]  # fmt: skip
    assert keys == sorted(keys, reverse=turned)


def test_total_is_that_of_the_filter_and_not_of_the_page(venues):
    page = lists.page(venues, anybody(VENUE), {"filter": {"district": "511102"}, "limit": 2})

    assert (page["total"], len(page["items"])) == (16, 2)


@pytest.mark.parametrize(
    ("wanted", "count"),
    [
        ({}, 31),
        ({"district": "511102", "venue_kind": "hall"}, 6),
        ({"venue_kind": ["hall", "plaza"]}, 21),
        ({"venue_kind": []}, 0),
        ({"capacity": None}, 8),
        ({"capacity": [None, 1]}, 13),
        ({"capacity": 1}, 5),
        ({"capacity": "1"}, 0),
        ({"id": ["v-01", "v-02", "v-99"]}, 2),
        ({"district": "nowhere"}, 0),
    ],
)
def test_a_filter_holds_a_value_or_any_of_several_per_field(venues, wanted, count):
    assert lists.page(venues, anybody(VENUE), {"filter": wanted})["total"] == count


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"filter": {"colour": "red"}}, "filter.colour"),
        ({"filter": {"name": "王小明"}}, "filter.name"),
        ({"filter": {"state.name": "王小明"}}, "filter.state.name"),
        ({"filter": {"$where": "1"}}, "filter.$where"),
        ({"filter": {"district": {"$ne": "x"}}}, "filter.district"),
        ({"filter": {"district": [{"$ne": "x"}]}}, "filter.district"),
        ({"filter": {"capacity": 0.5}}, "filter.capacity"),
        ({"filter": ["district"]}, "filter"),
        ({"filter": "district"}, "filter"),
        ({"order": "colour"}, "order"),
        ({"order": "name"}, "order"),
        ({"order": "--id"}, "order"),
        ({"order": ""}, "order"),
        ({"order": 7}, "order"),
        ({"limit": 0}, "limit"),
        ({"limit": 1_001}, "limit"),
        ({"limit": "10"}, "limit"),
        ({"limit": True}, "limit"),
        ({"cursor": "x"}, "cursor"),
        ({"cursor": "王"}, "cursor"),
        ({"cursor": 7}, "cursor"),
        ({"cursor": "bnVsbA=="}, "cursor"),
        ({"cursor": "eyJhIjogMX0="}, "cursor"),
    ],
)
def test_what_cannot_be_asked_is_refused_by_the_parameter_that_is_wrong(venues, asked, field):
    with pytest.raises(InvalidInput) as invalid:
        lists.page(venues, anybody(VENUE), asked)

    assert [error.field for error in invalid.value.errors] == [field]


def test_a_cursor_of_another_order_is_refused(venues):
    cursor = lists.page(venues, anybody(VENUE), {"order": "district", "limit": 5})["cursor"]

    with pytest.raises(InvalidInput, match="Not a cursor of this list"):
        lists.page(venues, anybody(VENUE), {"order": "capacity", "cursor": cursor})


def test_a_field_with_several_values_can_be_filtered_and_not_ordered_by(shared):
    activities = shared.database("lists")["activity"]
    activities.insert_one({"_id": "a-1", "version": 1, "state": {"key_groups": ["minors", "farmers"]}})

    assert lists.page(activities, anybody(ACTIVITY), {"filter": {"key_groups": "farmers"}})["total"] == 1
    assert lists.page(activities, anybody(ACTIVITY), {"filter": {"key_groups": "urban"}})["total"] == 0
    with pytest.raises(InvalidInput, match="key_groups has several values"):
        lists.page(activities, anybody(ACTIVITY), {"order": "key_groups"})


def test_a_list_is_called_by_name_and_an_unknown_parameter_is_named(shared, hall):
    page = shared.call("outreach", "list_venues", filter={"id": hall})
    assert [item["id"] for item in page["items"]] == [hall]

    with pytest.raises(InvalidInput) as invalid:
        shared.call("outreach", "list_venues", page=2, size=10)
    assert [error.field for error in invalid.value.errors] == ["page", "size"]


def test_one_record_is_got_by_its_id_and_nothing_else(shared, hall):
    assert shared.call("outreach", "get_venue", id=hall)["id"] == hall

    with pytest.raises(NotFound):
        shared.call("outreach", "get_venue", id="h-nowhere")
    for wrong in ({}, {"id": 7}, {"id": None}, {"hall_id": hall}):
        with pytest.raises(InvalidInput):
            shared.call("outreach", "get_venue", **wrong)


# --- fields that only staff read --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Named:
    name: str


HALLS = FieldClasses(VENUE, Named, office=("name",))


def reading(*roles, district=None):
    return HALLS.reader(Actor("u-1", frozenset(roles), district))


def names(page):
    return [item["name"] for item in page["items"]]


def test_staff_filter_search_and_sort_by_office_fields(venues):
    clerk = reading("recorder")

    assert [one["id"] for one in lists.page(venues, clerk, {"filter": {"name": "王小明 7"}})["items"]] == ["v-07"]
    assert names(lists.page(venues, clerk, {"search": "小明 3"})) == ["王小明 3", "王小明 30"]
    assert names(lists.page(venues, clerk, {"order": "-name", "limit": 2})) == ["王小明 9", "王小明 8"]
    assert lists.page(venues, clerk, {"search": ".*"})["total"] == 0
    assert lists.page(venues, clerk, {"search": "V-0"})["total"] == 10


def test_a_list_sorted_by_an_office_field_has_every_record_once(venues):
    clerk, ids, cursor = reading("recorder"), [], None
    while page := lists.page(venues, clerk, {"order": "name", "limit": 7, "cursor": cursor}):
        ids += [one["id"] for one in page["items"]]
        if (cursor := page["cursor"]) is None:
            break

    assert (len(ids), len(set(ids))) == (31, 31)


@pytest.mark.parametrize("asked", [{"filter": {"name": "王小明 7"}}, {"order": "name"}, {"order": "-name"}])
def test_to_others_an_office_field_is_unknown(venues, asked):
    for reader in (reading("viewer"), reading("system"), reading("recorder", "judge")):
        with pytest.raises(InvalidInput, match="Unknown field"):
            lists.page(venues, reader, asked)

    assert lists.page(venues, reading("viewer"), {"search": "王小明"})["total"] == 0


def test_no_question_about_an_office_field_tells_of_another_district(venues):
    clerk = reading("recorder", district="511102")

    assert lists.page(venues, clerk, {"filter": {"name": "王小明 7"}})["total"] == 0
    assert names(lists.page(venues, clerk, {"search": "小明 3"})) == ["王小明 30"]
    by_name = lists.page(venues, clerk, {"order": "name"})
    assert by_name["total"] == 16
    assert {one["district"] for one in by_name["items"]} == {"511102"}
    assert lists.page(venues, clerk, {})["total"] == 31


@pytest.mark.parametrize("search", ["", 7, "\x00", "x" * 101])
def test_a_search_is_for_a_text(venues, search):
    with pytest.raises(InvalidInput, match="search"):
        lists.page(venues, reading("recorder"), {"search": search})
