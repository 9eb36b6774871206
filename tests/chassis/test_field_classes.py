"""Field classes: every field of every record has one, and each caller gets what its classes allow."""

import ast
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

import services
from gateway.identity.api_tokens import IssuedTokens
from services.awards.service import Awards
from services.awards.store import Entries
from services.chassis.document import Cause, entry, first_version, flaw, state_of
from services.chassis.field_classes import FieldClasses, for_roles
from services.chassis.problem import InvalidInput, NotAllowed
from services.chassis.records import Records
from services.chassis.tokens import READERS, ROLES, STAFF, Actor
from services.contract import KINDS, wire
from services.kernel import Change
from services.members.service import Members
from services.outreach.service import Outreach
from services.rural.service import Rural

VENUE = KINDS["outreach.venue"]


@dataclass(frozen=True, kw_only=True)
class Keeper:
    name: str
    phone: str | None = None


@dataclass(frozen=True, kw_only=True)
class Hall:
    name: str
    name_norm: str
    keeper: Keeper
    rooms: tuple[str, ...] = ("101", "102")
    opened_on: date | None = None
    district: str = "511102"
    capacity: int | None = None
    venue_kind: str = "hall"
    service_point_id: str | None = None
    state: str = "available"


HALLS = FieldClasses(
    VENUE,
    Hall,
    office=("name", "opened_on", "rooms", "keeper.name"),
    personal=for_roles(("chair",), "keeper.phone"),
    internal=("name_norm",),
)
HALL = Hall(name="文化馆", name_norm="wenhuaguan", keeper=Keeper(name="王", phone="13800000000"))
STORED = {"_id": "v-1", "version": 3, "state": state_of(VENUE, HALL)}
VIEW = {"id": "v-1", "version": 3, **VENUE.write(HALL)}
OFFICE = {"name": "文化馆", "opened_on": None, "rooms": ("101", "102"), "keeper": {"name": "王"}}


def every_store():
    """The records of all services, and of the gateway, by the name of their kind."""
    of_services = [one for service in (Awards, Members, Outreach, Rural) for one in vars(service).values()]
    return [type(one) for one in of_services if isinstance(one, Records)] + [IssuedTokens]


def who(*roles, district=None):
    return Actor("u-1", frozenset(roles), district)


# --- the declarations -------------------------------------------------------------------------------------------------


def test_every_field_of_every_record_is_in_exactly_one_class():
    stores = every_store()

    assert {store.kind.key for store in stores} >= set(KINDS)
    for store in stores:
        assert list(store.field_classes().flaws()) == [], store.__name__


def test_every_store_that_there_is_is_looked_at():
    files = Path(services.__file__).parent.glob("*/store.py")
    declared = {
        one.name for file in files for one in ast.walk(ast.parse(file.read_text())) if isinstance(one, ast.ClassDef)
    }

    assert declared == {store.__name__ for store in every_store()} - {"IssuedTokens"}


def test_who_reads_a_personal_field_is_staff():
    for store in every_store():
        for path, roles in store.personal.items():
            assert set(roles) <= set(STAFF), (store.__name__, path)
            assert roles, (store.__name__, path)


@pytest.mark.parametrize(
    ("changed", "flaw_"),
    [
        ({"office": ("name", "rooms", "keeper.name")}, "opened_on is in no class"),
        ({"internal": ()}, "name_norm is in no class"),
        ({"personal": {}}, "keeper.phone is in no class"),
        ({"internal": ("name_norm", "name")}, "name is in two classes"),
        ({"internal": ("name_norm", "title")}, "title is no field, or public, or inside another one"),
        ({"internal": ("name_norm", "capacity")}, "capacity is no field, or public, or inside another one"),
        ({"internal": ("name_norm", "keeper")}, "keeper is no field, or public, or inside another one"),
    ],
)
def test_a_field_in_no_class_or_two_and_one_that_there_is_not_are_named(changed, flaw_):
    assert list(HALLS.flaws()) == []
    assert flaw_ in replace(HALLS, **changed).flaws()


# --- who reads what ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", STAFF)
def test_staff_read_office_fields_and_no_personal_or_internal_ones(role):
    assert HALLS.reader(who(role)).item(STORED) == {**VIEW, **OFFICE}


@pytest.mark.parametrize("role", [role for role in ROLES if role not in STAFF])
def test_others_read_the_view_only(role):
    assert HALLS.reader(who(role)).item(STORED) == VIEW


@pytest.mark.rule("A-12", "A-13")
@pytest.mark.parametrize("outside", ["judge", "system"])
def test_who_judges_and_outside_systems_read_the_view_only_whatever_else_they_are(outside):
    for role in STAFF:
        assert HALLS.reader(who(role, outside)).item(STORED) == VIEW

    with pytest.raises(NotAllowed):
        HALLS.reader(who("chair", outside), personal=True)


def test_who_is_bound_to_a_district_reads_office_fields_of_that_district_only():
    assert HALLS.reader(who("recorder", district="511102")).item(STORED) == {**VIEW, **OFFICE}
    assert HALLS.reader(who("recorder", district="511111")).item(STORED) == VIEW


def test_a_personal_field_is_shown_on_request_to_its_roles():
    assert HALLS.reader(who("chair")).item(STORED) == {**VIEW, **OFFICE}

    asked = HALLS.reader(who("chair"), personal=True).item(STORED)
    assert asked == {**VIEW, **OFFICE, "keeper": {"name": "王", "phone": "13800000000"}}


@pytest.mark.parametrize("role", [role for role in READERS if role != "chair"])
def test_any_other_role_that_asks_for_personal_fields_is_refused(role):
    with pytest.raises(NotAllowed) as refused:
        HALLS.reader(who(role), personal=True)

    assert refused.value.involved["needs"] == "chair"


def test_personal_fields_of_another_district_are_refused():
    reader = HALLS.reader(who("chair", district="511111"), personal=True)

    assert reader.item(STORED) == VIEW
    with pytest.raises(NotAllowed):
        reader.require_within(STORED["state"])


def test_to_ask_for_personal_fields_of_records_without_any_is_a_mistake():
    with pytest.raises(InvalidInput, match="personal"):
        replace(HALLS, personal={}).reader(who("chair"), personal=True)


def test_what_an_older_release_did_not_store_is_none():
    state = {name: value for name, value in STORED["state"].items() if name not in ("opened_on", "keeper")}

    shown = HALLS.reader(who("chair")).item({**STORED, "state": state})
    assert shown == {**VIEW, **OFFICE, "keeper": {"name": None}}


def test_staff_filter_by_office_fields_and_others_by_the_view():
    assert set(HALLS.reader(who("recorder")).fields) == {*VENUE.fields, *HALLS.office}
    assert set(HALLS.reader(who("viewer")).fields) == set(VENUE.fields)
    assert HALLS.reader(who("recorder", district="511102")).limits("keeper.name") == {"state.district": "511102"}
    assert HALLS.reader(who("recorder", district="511102")).limits("capacity") == {}


def test_an_entry_is_described_with_the_class_and_the_readers_of_each_field():
    described = Entries.field_classes().described

    assert described["material.title"]["class"] == "office"
    assert described["material.title"]["roles"] == sorted(STAFF)
    assert described["material.title"]["schema"] == {"title": "题目", "type": "string"}
    assert described["material.entrants"]["roles"] == ["chair", "recorder", "verifier"]
    assert "person_ref" in str(described["material.entrants"]["schema"])
    assert described["blind_code"] == {"class": "internal", "roles": []}


# --- histories --------------------------------------------------------------------------------------------------------


def changed(before, after):
    """A document of two versions, as the database returns it."""
    cause = Cause(because="c", actor=who("recorder"), at=datetime(2011, 5, 14, tzinfo=UTC))
    first = entry(VENUE, Change(before, "registered"), cause, version=1, after="")
    document = first_version("v-1", state_of(VENUE, before), first, traceparent=None)
    state = state_of(VENUE, after)
    kept = HALLS.changed(wire.decode(wire.encode(document["state"])), state)
    second = entry(VENUE, Change(after, "restored"), cause, version=2, after=first["hash"], before=kept)
    history = [first, second]
    return {**document, "state": state, "version": 2, "history": history, "hash": second["hash"]}


def test_a_history_keeps_what_office_fields_were_before_and_nothing_of_the_others():
    moved = replace(HALL, name="科技馆", name_norm="kejiguan", capacity=9, keeper=Keeper(name="李", phone="139"))

    first, second = changed(HALL, moved)["history"]
    assert "before" not in first
    assert second["before"] == {"name": "文化馆", "keeper": {"name": "王"}}
    assert changed(HALL, replace(HALL, rooms=("101",)))["history"][1]["before"] == {"rooms": ["101", "102"]}
    assert "文化馆" not in str(second["view"])


def test_a_change_of_the_view_alone_keeps_the_entry_as_it_was():
    _, second = changed(HALL, replace(HALL, capacity=9))["history"]

    assert list(second) == ["version", "happened", "at", "by", "because", "reason", "view", "hash"]


def test_what_was_before_is_part_of_the_chain():
    document = changed(HALL, replace(HALL, name="科技馆"))
    assert flaw(document) is None

    document["history"][1]["before"]["name"] = "图书馆"
    assert flaw(document) == (2, "altered")


def test_staff_of_the_district_see_what_was_before_and_who_judges_does_not():
    document = changed(HALL, replace(HALL, name="科技馆"))
    second = document["history"][1]

    assert HALLS.reader(who("recorder")).before(second, document["state"]) == second
    hidden = {name: value for name, value in second.items() if name != "before"}
    assert HALLS.reader(who("recorder", "judge")).before(second, document["state"]) == hidden
    assert HALLS.reader(who("recorder", district="511111")).before(second, document["state"]) == hidden
