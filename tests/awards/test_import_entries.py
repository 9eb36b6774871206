"""Entries that come as rows of a sheet: 300 at once, by the rules of a single one."""

import pytest

from services.awards.service import Awards
from tests.awards.test_entries import LAST_SECOND, Office

QUOTA = [{"nominating_unit_id": "o-society", "places": 300}]


class Sheet:
    """An import of entries, as the gateway gives it to awards, chunk by chunk."""

    def __init__(self, office, import_id="i-1"):
        self._office, self._import_id = office, import_id

    def check(self, *rows, first=2):
        """What is wrong with these rows, as (row, rule)."""
        numbered = [[number, row] for number, row in enumerate(rows, start=first)]
        return [(error["row"], error["code"]) for error in self._call("check_rows", rows=numbered)["errors"]]

    def write(self, after=0):
        written = self._call("write_rows", after=after)
        return written["rows"], [(error["row"], error["code"]) for error in written["errors"]]

    def _call(self, method, **given):
        said = {"import_id": self._import_id, "command": "import_entry", **given}
        return self._office.running.call("awards", method, **said)


@pytest.fixture
def office(running):
    running.start(Awards)
    return Office(running)


@pytest.fixture
def sheet(office):
    return Sheet(office)


def a_row(number, **cells):
    """By one pupil, who is called like the row."""
    usual = {
        "edition_id": "e-1",
        "category_code": "innovation",
        "title": f"作品{number}",
        "nominating_unit_id": "o-society",
        "first_person_ref": f"p-{number}",
        "first_minor": True,
        "form_sha256": "f" * 64,
        "originality_signed_on": "2011-02-28",
    }
    return {**usual, **cells}


def places(office):
    """Which places of the society's quota are taken."""
    entries = office.running.database("awards")["entry"].find({"state.nominating_unit_id": "o-society"})
    return sorted(one["state"]["nomination_place"] for one in entries)


@pytest.mark.rule("A-08", "X-10")
def test_a_society_s_300_entries_take_the_300_places_of_its_quota_and_one_more_is_refused(office, sheet):
    office.open(nomination_quotas=QUOTA)
    rows = [a_row(number) for number in range(299)]

    assert sheet.check(*rows[:200]) == []
    assert sheet.check(*rows[200:], first=202) == []

    assert sheet.check(a_row(299), a_row(300), first=501) == [(502, "A-08")]


@pytest.mark.rule("A-08", "X-10")
def test_rows_take_the_places_that_are_free_and_a_place_that_was_taken_meanwhile_is_found_before_anything_is_written(
    office, sheet
):
    office.open(nomination_quotas=QUOTA)
    office.submit("n-before", nominating_unit_id="o-society")
    rows = [a_row(number) for number in range(120)]
    assert sheet.check(*rows) == []

    office.submit("n-meanwhile", nominating_unit_id="o-society")
    assert sheet.write() == (0, [(2, "A-08")])
    assert sheet.check(*rows) == []
    assert sheet.write() == (120, [])
    assert places(office) == list(range(1, 123))
    assert office.submit("n-after", nominating_unit_id="o-society")["state"] == "submitted"


@pytest.mark.rule("A-01", "A-02", "A-03", "A-07")
def test_a_row_is_judged_by_the_rules_of_a_single_entry(office, sheet):
    office.open()
    office.submit("n-1", title="茶叶采摘器")
    wrong = [
        (a_row(1, form_sha256=None), "A-01"),
        (a_row(2, second_person_ref="p-two", second_minor=True), "A-03"),
        (a_row(3, first_person_ref="p-n-1"), "A-02"),
        (a_row(4, title="《茶叶 采摘器》", first_person_ref="p-n-1"), "A-07"),
        (a_row(5, category_code="painting"), "A-31"),
        (a_row(6, edition_id="e-9"), "not_found"),
        (a_row(7, first_minor=None), "A-03"),
        (a_row(8, first_person_ref="p-0"), "A-02"),
    ]

    found = sheet.check(a_row(0), *(row for row, _ in wrong))

    assert found == [(row, rule) for row, (_, rule) in enumerate(wrong, start=3)]
    assert [one["id"] for one in office.entries()] == ["n-1"]
    office.at(LAST_SECOND.replace(day=1, month=4))
    assert sheet.check(a_row(0)) == [(2, "A-01")]


@pytest.mark.rule("X-01")
def test_an_import_that_is_done_again_enters_nothing_new(office, sheet):
    office.open(nomination_quotas=QUOTA)
    rows = [a_row(number, entry_id=f"n-{number}") for number in range(3)]
    for _ in range(2):
        sheet.check(*rows)
        sheet.write()

    assert [one["id"] for one in office.entries()] == ["n-0", "n-1", "n-2"]
    assert places(office) == [1, 2, 3]
