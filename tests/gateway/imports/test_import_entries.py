"""A society's entries, as a clerk fills them into a sheet and uploads it."""

import csv
import io

import pytest

from gateway.imports import import_runner, sheets
from services.awards.schemas.entries import ImportEntry
from services.awards.service import Awards
from services.chassis.fields import json_schema
from tests.awards.test_entries import Office, a_category
from tests.stack import until

COLUMNS = {one.name: one.header() for one in sheets.columns(json_schema(ImportEntry()), of="awards.import_entry")}
PATH = "/api/v1/imports/awards/import_entry?dry_run=false&filename=entries.csv"


@pytest.fixture(autouse=True)
def _soon(monkeypatch):
    monkeypatch.setattr(import_runner, "LOOK", 0.05)


@pytest.fixture
def office(gateway):
    gateway.running.start(Awards)
    office = Office(gateway.running)
    places = [{"nominating_unit_id": "o-society", "places": 300}]
    office.open(categories=[a_category(), a_category("team", participation="team")], nomination_quotas=places)
    return office


def a_row(number, **cells):
    """As a clerk writes it."""
    usual = {
        "edition_id": "e-1",
        "category_code": "innovation",
        "title": f"作品{number}",
        "nominating_unit_id": "o-society",
        "district": "市中区",
        "first_person_ref": f"p-{number}",
        "first_minor": "是",
        "first_consent_ref": f"c-{number}",
        "stage": "小学组",
        "tutor_refs": "p-tutor；p-other",
        "form_sha256": "f" * 64,
        "originality_signed_on": "2011年2月28日",
    }
    return {**usual, **cells}


def a_team(number):
    """Of two, a minor and one of age."""
    second = {"second_person_ref": f"q-{number}", "second_minor": "否"}
    return a_row(number, category_code="team", **second)


def ended(gateway, rows):
    """What became of a file with these rows."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS.values())
    writer.writerows([row.get(name, "") for name in COLUMNS] for row in rows)
    answered = gateway.post(PATH, text.getvalue().encode("utf-8-sig"))
    assert answered.status == 202, answered.content

    def look():
        told = gateway.get(f"/api/v1/imports/{answered.body['id']}", roles=("recorder",))
        assert told.status == 200, told.content
        return told.body if told.body["ended_at"] else None

    return until(look)


@pytest.mark.rule("A-08", "X-10")
def test_300_entries_of_a_sheet_are_entered_and_a_sheet_of_301_is_refused_as_a_whole(gateway, office):
    rows = [a_row(number) if number % 10 else a_team(number) for number in range(301)]

    refused = ended(gateway, rows)
    assert (refused["state"], refused["wrong_rows"]) == ("refused", 1)
    assert [(error["row"], error["code"]) for error in refused["first_errors"]] == [(302, "A-08")]
    assert office.entries() == []

    assert ended(gateway, rows[:300])["state"] == "done"
    held = [one["state"] for one in gateway.running.database("awards")["entry"].find()]
    assert sorted(one["nomination_place"] for one in held) == list(range(1, 301))
    assert sum(one["category_code"] == "team" for one in held) == 30
    assert {(one["district"], one["minor"], one["submitted_on"]) for one in held} == {("511102", True, "2011-03-01")}
    (first,) = [one["material"] for one in held if one["material"]["title"] == "作品0"]
    assert [(one["person_ref"], one["minor"], one["stage"]) for one in first["entrants"]] == [
        ("p-0", True, "primary"), ("q-0", False, "primary"),
    ]  # fmt: skip
    assert first["tutor_refs"] == ["p-tutor", "p-other"]
