"""Problems: written as plain JSON and read again, each under the name that is documented."""

import pytest

from services.chassis.problem import (
    PROBLEMS,
    Conflict,
    FieldError,
    InvalidInput,
    Malfunction,
    NotFound,
    RefusedByRule,
    read_problem,
    say,
)
from services.chassis.records import RecordFull
from services.contract import wire
from services.kernel import ForbiddenMove

STATUS = {
    "InvalidInput": 400, "NotAuthenticated": 401, "NotAllowed": 403, "NotFound": 404, "Conflict": 409,
    "TooLarge": 413, "RefusedByRule": 422, "TooManyRequests": 429, "Malfunction": 500, "Unavailable": 503,
    "Overloaded": 503,
}  # fmt: skip


def over_the_wire(error):
    return read_problem(wire.decode(wire.encode(say(error))))


def test_every_problem_has_its_status_and_its_name():
    assert {name: kind.status for name, kind in PROBLEMS.items()} == STATUS


@pytest.mark.parametrize(
    "kind", [kind for name, kind in PROBLEMS.items() if name not in ("InvalidInput", "RefusedByRule")]
)
def test_a_problem_is_heard_as_it_was_said(kind):
    again = over_the_wire(kind("The roof leaks.", "屋顶漏水。", hall="h-1", seats=100))

    assert type(again) is kind
    assert (again.en, again.zh, again.involved) == ("The roof leaks.", "屋顶漏水。", {"hall": "h-1", "seats": 100})
    assert (over_the_wire(kind()).en, over_the_wire(kind()).zh) == (kind.title_en, kind.title_zh)


def test_what_is_wrong_with_each_field_is_heard():
    errors = [FieldError("seats", "X-06: A number.", "X-06：数字。", "X-06"), FieldError("name", "Needed.", "必填。")]

    assert over_the_wire(InvalidInput(*errors)).errors == errors


def test_a_refusal_is_heard_as_refused_by_its_rule():
    again = over_the_wire(ForbiddenMove(state="verified", to="rejected"))

    assert type(again) is RefusedByRule
    assert (again.status, again.code) == (422, "X-12")
    assert again.involved == {"state": "verified", "to": "rejected"}


def test_a_full_record_is_heard_as_a_conflict_with_its_own_code():
    again = over_the_wire(RecordFull(id="h-1", version=1_000))

    assert type(again) is Conflict
    assert (again.status, again.code) == (409, "record_full")


def test_any_other_error_is_a_malfunction_that_says_nothing_of_it():
    assert say(KeyError("王小明")) == Malfunction().say()


def test_what_is_involved_is_said_as_text_unless_it_is_a_number_a_truth_or_nothing():
    involved = say(NotFound(days=("a", "b"), left=None, open=True, seats=3, name="x"))["involved"]

    assert involved == {"days": "('a', 'b')", "left": None, "open": True, "seats": 3, "name": "x"}
