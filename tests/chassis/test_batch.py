"""Rows of a sheet: judged like single commands, staged, and written chunk by chunk when all of them are good."""

import eventlet
import pytest

from services.chassis import batch
from services.chassis.problem import InvalidInput, NotAllowed, NotFound
from tests.chassis.conftest import a_hall, held, register
from tests.stack import until


class Import:
    """An import of halls, as the gateway gives it to a service."""

    def __init__(self, world, command="register_hall", **who):
        self.world, self.command, self.who = world, command, who
        self.id = world.a_new_id()

    def check(self, *halls, first=2):
        """What `check_rows` answers for these halls, which stand in rows from `first` on."""
        rows = [[number, hall] for number, hall in enumerate(halls, start=first)]
        return self._call("check_rows", rows=rows)

    def write(self, after=0):
        return self._call("write_rows", after=after)

    def forget(self):
        return self._call("forget_rows")

    def _call(self, method, **given):
        said = {"import_id": self.id, "command": self.command, **given}
        return self.world.call("outreach", method, **self.who, **said)


def a_row(world, **stated):
    return {"name": f"hall {world.a_new_id()}", "district": "511102", "capacity": 100, **stated}


def named(world, name):
    return list(world.database("outreach")["venue"].find({"state.name": name}))


def staged(world):
    return world.database("outreach")["venue_staged"].count_documents({})


def errors(answer):
    return [(error["row"], error["field"], error["code"]) for error in answer["errors"]]


@pytest.fixture
def halls(shared):
    return Import(shared)


@pytest.mark.rule("X-10")
def test_every_row_that_is_wrong_is_named_and_nothing_is_written(shared, halls):
    good = a_row(shared)
    taken = a_hall(shared)
    wrong = [
        a_row(shared, district="510000"),
        a_row(shared, capacity=-1, name=""),
        a_row(shared, colour="red"),
        a_row(shared, name=held(shared, taken)["state"]["name"]),
        a_row(shared, hall_id=taken),
        a_row(shared, name=good["name"]),
    ]

    answer = halls.check(good, *wrong)

    assert errors(answer) == [
        (3, "district", "invalid_input"), (4, "name", "invalid_input"), (4, "capacity", "X-06"),
        (5, "colour", "invalid_input"), (6, None, "T-01"), (7, None, "conflict"), (8, None, "T-01"),
    ]  # fmt: skip
    assert all(error["zh"] and error["en"] for error in answer["errors"])
    assert answer["staged"] == 1
    assert named(shared, good["name"]) == []


def test_rows_become_records_with_one_event_each_as_single_commands_do(shared, halls):
    rows = [a_row(shared, hall_id=f"h-{halls.id}"), a_row(shared), a_row(shared)]

    halls.check(*rows)
    assert held(shared, f"h-{halls.id}") is None
    assert halls.write() == {"through": 4, "rows": 3, "errors": []}
    assert halls.write(after=4) == {"through": None, "rows": 0, "errors": []}

    (first, *_) = [named(shared, row["name"])[0] for row in rows]
    assert (first["_id"], first["version"], first["state"]["district"]) == (f"h-{halls.id}", 1, "511102")
    assert first["history"][0]["by"] == "u-li"
    until(lambda: held(shared, first["_id"]).get("published") == 1)
    assert shared.call("outreach", "histories", kind="venue", after=None, limit=None, roles=["operator"])["records"]


@pytest.mark.rule("X-01")
def test_a_row_that_was_written_speaks_for_its_content_and_its_command(shared, halls):
    rows = [a_row(shared), a_row(shared)]
    halls.check(*rows)
    halls.write()

    answer = halls.check(rows[0], a_row(shared), a_row(shared))
    halls.command = "register_only_hall"
    other = halls.check(*rows)

    assert (errors(answer), answer["staged"]) == ([(3, None, "command_id_reused")], 1)
    assert errors(other) == [(2, None, "command_id_reused"), (3, None, "command_id_reused")]
    assert all(error["zh"] and error["en"] for error in answer["errors"])


def test_rows_of_an_earlier_release_are_known_by_their_numbers(shared, halls):
    rows = [a_row(shared), a_row(shared)]
    halls.check(*rows)
    shared.database("outreach")["venue_staged"].update_many({}, {"$unset": {"digest": ""}})
    assert halls.write() == {"through": 3, "rows": 2, "errors": []}

    assert halls.check(rows[0], a_row(shared)) == {"staged": 0, "errors": []}


@pytest.mark.rule("X-01")
def test_whatever_is_done_again_does_nothing_new(shared, halls):
    rows = [a_row(shared), a_row(shared, hall_id=f"h-{halls.id}")]
    halls.check(*rows)
    halls.check(*rows)
    halls.write()
    before = [named(shared, row["name"]) for row in rows]

    assert halls.write() == {"through": 3, "rows": 2, "errors": []}
    assert halls.check(*rows) == {"staged": 0, "errors": []}
    assert [[one["_id"] for one in found] for found in before] == [
        [one["_id"] for one in named(shared, row["name"])] for row in rows
    ]
    assert all(len(found) == 1 and found[0]["version"] == 1 for found in before)


def test_two_at_once_write_every_row_once(shared, halls):
    rows = [a_row(shared) for _ in range(40)]
    halls.check(*rows)

    answers = [one.wait() for one in [eventlet.spawn(halls.write) for _ in range(4)]]

    assert answers == [{"through": 41, "rows": 40, "errors": []}] * 4
    assert [len(named(shared, row["name"])) for row in rows] == [1] * 40


@pytest.mark.rule("X-10")
def test_rows_that_exclude_each_other_are_found_however_far_apart_they_stand(shared, halls):
    twin = a_row(shared)

    assert halls.check(twin, a_row(shared)) == {"staged": 2, "errors": []}
    later = halls.check(a_row(shared), twin, a_row(shared, hall_id="h-a"), a_row(shared, hall_id="h-a"), first=900)

    assert errors(later) == [(901, None, "T-01"), (903, None, "conflict")]
    assert "Another row" in later["errors"][0]["en"]
    assert "重复" in later["errors"][0]["zh"]


@pytest.mark.rule("X-10")
def test_a_chunk_that_somebody_else_has_made_impossible_is_not_written_at_all(shared, halls):
    rows = [a_row(shared) for _ in range(3)]
    halls.check(*rows)
    register(shared, name=rows[1]["name"])

    stopped = halls.write()

    assert (stopped["through"], errors(stopped)) == (None, [(3, None, "T-01")])
    assert [len(named(shared, row["name"])) for row in rows] == [0, 1, 0]


def test_a_row_that_was_mended_takes_the_place_of_the_wrong_one(shared, halls):
    wrong, mended = a_row(shared, district="510000"), a_row(shared)
    halls.check(a_row(shared), wrong)

    halls.check(mended, first=3)
    assert halls.write()["rows"] == 2
    assert len(named(shared, mended["name"])) == 1


def test_what_a_rule_finds_by_looking_is_refused_as_for_a_single_command(shared):
    name = held(shared, a_hall(shared))["state"]["name"]

    answer = Import(shared, "register_only_hall").check(a_row(shared, name=name), a_row(shared))

    assert errors(answer) == [(2, None, "T-02")]


def test_a_row_sees_what_the_other_rows_of_its_import_add_and_nobody_else_does(shared):
    only = Import(shared, "register_only_hall")
    row, later = a_row(shared), a_row(shared)

    assert errors(only.check(row, row)) == [(3, None, "T-02")]
    assert only.check(later, first=900)["errors"] == []
    assert errors(only.check(row, later)) == [(3, None, "T-02")]
    assert only.check(row)["errors"] == []
    assert Import(shared, "register_only_hall").check(row)["errors"] == []


def test_a_district_s_recorder_imports_for_that_district_only(shared):
    theirs = Import(shared, at="511102")

    assert errors(theirs.check(a_row(shared), a_row(shared, district="511111"))) == [(3, None, "not_allowed")]


def test_only_who_may_give_the_command_may_import_it(shared):
    for do in ("check", "write", "forget"):
        with pytest.raises(NotAllowed):
            getattr(Import(shared, roles=["viewer"]), do)(*([a_row(shared)] if do == "check" else []))


def test_nobody_writes_or_forgets_what_another_one_has_staged(shared, halls):
    row = a_row(shared)
    halls.check(row)
    stranger = Import(shared, by="u-chen")
    stranger.id = halls.id

    assert stranger.write()["rows"] == 0
    assert stranger.forget() == {"forgotten": 0}
    assert halls.forget() == {"forgotten": 1}
    assert named(shared, row["name"]) == []


@pytest.mark.parametrize("command", ["suspend_hall", "add_seats", "paint_hall", "ping", "get_venue"])
def test_what_adds_no_record_cannot_be_imported_and_what_does_is_named(shared, command):
    with pytest.raises(NotFound, match="adds a record can be imported: register_hall, register_only_hall") as refused:
        Import(shared, command).check({"hall_id": "h-1"})

    assert refused.value.involved == {"command": command}


def test_a_service_says_what_of_its_commands_adds_a_record(shared):
    commands = shared.call("outreach", "describe")["commands"]

    assert [name for name, one in commands.items() if one["adds"]] == ["register_hall", "register_only_hall"]


@pytest.mark.parametrize(
    "rows", [[], {}, [[0, {}]], [[True, {}]], [[2, []]], [[2]], [[3, {}], [2, {}]], [[2, {}], [2, {}]], [["2", {}]]]
)
def test_rows_that_are_none_are_refused(shared, rows):
    with pytest.raises(InvalidInput) as invalid:
        shared.call("outreach", "check_rows", import_id="i-1", command="register_hall", rows=rows)

    assert [error.field for error in invalid.value.errors] == ["rows"]


def test_a_chunk_has_a_limit_and_pages_of_writing_follow_one_another(shared, halls, monkeypatch):
    with pytest.raises(InvalidInput):
        halls.check(*[a_row(shared)] * (batch.ROWS + 1))
    monkeypatch.setattr(batch, "ROWS", 2)
    for first in (2, 4):
        halls.check(a_row(shared), a_row(shared), first=first)
    halls.check(a_row(shared), first=6)

    assert [halls.write(after)["through"] for after in (0, 3, 5, 6)] == [3, 5, 6, None]


def test_what_is_forgotten_is_gone(shared, halls):
    before = staged(shared)
    halls.check(a_row(shared), a_row(shared))

    assert staged(shared) == before + 2
    assert halls.forget() == {"forgotten": 2}
    assert staged(shared) == before
