"""Every invariant of the chaos campaign holds on whole data, and fails on data that are damaged in its way."""

import copy
import hashlib
import json
from collections import Counter
from dataclasses import dataclass

import eventlet
import pytest

from tests.chaos.checks import invariants
from tests.chaos.checks.stored_state import Held, Parked, Queue, expected_queues
from tests.chaos.log import expected_state
from tests.chaos.log.command_log import Command, CommandLog, Given, Outcome

GRANT, RECEIPT, POINT = "rural.fund_grant", "rural.fund_receipt", "rural.service_point"
VENUE, ACTIVITY, PRIZE = "outreach.venue", "outreach.activity", "awards.external_result"
KINDS = (GRANT, RECEIPT, POINT, VENUE, ACTIVITY, PRIZE)


@dataclass(frozen=True)
class Letter:
    id: str
    queue: str
    certain: bool = True


class Books:
    """A log of commands and what is stored after them, as they should be."""

    def __init__(self):
        self.given = {}
        self.records = {kind: {} for kind in KINDS}

    def command(self, id_, method, view, **arguments):
        command = Command(id=id_, service="rural", method=method, arguments=arguments, by="u-li")
        kind, record = expected_state.record_of(command)
        version = self.version(kind, record, because=id_, view=view)
        self.given[id_] = Given(command, [Outcome(state="done", record=record, version=version)])

    def version(self, kind, record, *, because, view):
        held = self.records[kind].setdefault(record, {"_id": record, "history": [], "hash": ""})
        entry = {
            "version": len(held["history"]) + 1, "happened": "changed", "at": "2026-11-24T00:00:00.000+08:00",
            "by": "u-li", "because": because, "reason": None, "view": view,
        }  # fmt: skip
        text = json.dumps(entry, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        entry["hash"] = hashlib.sha256((held["hash"] + text).encode()).hexdigest()
        held["history"].append(entry)
        held.update(version=entry["version"], hash=entry["hash"], published=entry["version"], state={**view, "own": 1})
        return entry["version"]

    def kinds(self):
        return {kind: self.held(kind) for kind in KINDS}

    def held(self, kind):
        records = self.records[kind].values()
        views = {one["_id"]: {"version": one["version"], "data": one["history"][-1]["view"]} for one in records}
        rows = {(one["_id"], entry["version"]): row(entry) for one in records for entry in one["history"]}
        return Held(kind, *map(copy.deepcopy, (list(records), views, rows)))


def row(entry):
    return {
        "happened": entry["happened"], "time": entry["at"], "actor": entry["by"], "cause": entry["because"],
        "hash": entry["hash"], "data": entry["view"],
    }  # fmt: skip


def a_grant(*vouchers):
    told = [dict(zip(("voucher_no", "fen", "returned_fen", "received_on"), one, strict=True)) for one in vouchers]
    return {"approved_fen": 900, "vouchers": told, "state": "received" if vouchers else "approved"}


@pytest.fixture
def whole():
    """A grant with money that was partly returned, a station that lapsed, a prize, and one command refused."""
    world = Books()
    paid = {"grant_id": "g", "voucher_no": "V", "fen": 300, "received_on": "2011-06-01"}
    world.command("c-1", "approve_grant", a_grant(), grant_id="g", approved_fen=900)
    world.command("c-2", "receive_funds", a_grant(("V", 300, 0, "2011-06-01")), **paid)
    world.command("c-3", "return_funds", a_grant(("V", 300, 100, "2011-06-01")), grant_id="g", voucher_no="V", fen=100)
    receipt = {"grant_id": "g", "voucher_no": "V", "fen": 300, "received_on": "2011-06-01"}
    world.version(RECEIPT, "x", because="fund_grant/g/2", view={**receipt, "returned_fen": 0})
    world.version(RECEIPT, "x", because="fund_grant/g/3", view={**receipt, "returned_fen": 100})

    complete = {"state": "complete", "completed_on": "2011-03-02"}
    world.command("c-4", "accept_part", complete, point_id="s", part="station")
    world.command("c-5", "lapse_part", {**complete, "state": "lapsed"}, point_id="s", part="station")
    world.version(VENUE, "station.s", because="service_point/s/1", view={"state": "available"})
    world.version(VENUE, "station.s", because="service_point/s/2", view={"state": "suspended"})
    at = {"state": "scheduled", "venue_id": "station.s"}
    world.command("c-6", "schedule_activity", {**at, "venue_suspended": False}, activity_id="a", venue_id="station.s")
    world.version(ACTIVITY, "a", because="venue/station.s/2", view={**at, "venue_suspended": True})

    world.command(
        "c-7", "report_external_result", {"state": "reported", "grade": "second"}, result_id="r", grade="second"
    )
    refused = Command(id="c-8", service="rural", method="receive_funds", arguments={**paid, "fen": 1}, by="u-qian")
    world.given["c-8"] = Given(refused, [Outcome(state="refused", rule="R-10")])
    return world


def found(world, kinds=None):
    """What the invariants of the stored data find, as (invariant, words)."""
    kinds = list((kinds or world.kinds()).values())
    causes = Counter(invariants.because(record for kind in kinds for record in kind.records))
    findings = [
        *invariants.done_once(world.given, causes),
        *invariants.every_event_has_a_cause(world.given, kinds),
        *invariants.states_are_what_was_ordered(world.given, kinds),
        *invariants.listeners_kept_step(kinds),
        *invariants.all_were_answered(world.given),
    ]
    for kind in kinds:
        findings += invariants.histories_are_whole(kind)
        findings += invariants.copies_are_equal(kind)
        findings += invariants.every_event_arrived(kind)
    return findings


def record_of(kinds, kind):
    return kinds[kind].records[0]


def test_whole_data_have_no_finding(whole):
    assert found(whole) == []


# --- I1 ---------------------------------------------------------------------------------------------------------------


def test_a_command_that_was_answered_and_is_not_there_is_lost(whole):
    whole.given["c-9"] = Given(
        Command(id="c-9", service="rural", method="receive_funds", arguments={"grant_id": "g"}, by="u-qian"),
        [Outcome(state="unknown"), Outcome(state="done", record="g", version=4)],
    )

    (finding,) = found(whole)

    assert (finding.invariant, finding.lost, finding.doubled) == ("I1", 1, 0)
    assert "c-9" in finding.text


def test_a_command_that_was_done_twice_is_doubled(whole):
    whole.version(GRANT, "g", because="c-3", view=a_grant(("V", 300, 200, "2011-06-01")))

    assert ("I1", 1) in [(one.invariant, one.doubled) for one in found(whole)]


def test_a_command_that_was_refused_and_done_all_the_same_is_doubled(whole):
    whole.version(GRANT, "g", because="c-8", view=a_grant(("V", 300, 100, "2011-06-01")))

    assert ("I1", 1) in [(one.invariant, one.doubled) for one in found(whole)]


def test_a_version_that_nobody_asked_for_is_found(whole):
    whole.version(PRIZE, "r", because="c-77", view={"state": "reported", "grade": "second"})

    assert [(one.invariant, one.doubled) for one in found(whole)] == [("I1", 1)]


def test_an_event_that_was_followed_twice_is_found(whole):
    receipt = whole.records[RECEIPT]["x"]["history"][-1]["view"]
    whole.version(RECEIPT, "x", because="fund_grant/g/3", view=receipt)

    assert [(one.invariant, one.doubled) for one in found(whole)] == [("I1", 1)]


def test_a_version_at_another_record_than_its_commands_is_found(whole):
    whole.given["c-7"].command.arguments["result_id"] = "other"

    assert "I1" in {one.invariant for one in found(whole)}


# --- I2 ---------------------------------------------------------------------------------------------------------------


def test_a_gap_in_a_history_is_found(whole):
    kinds = whole.kinds()
    del record_of(kinds, GRANT)["history"][1]

    assert "histories have gaps: rural.fund_grant/g" in " ".join(one.text for one in found(whole, kinds))


def test_an_altered_entry_breaks_the_chain(whole):
    kinds = whole.kinds()
    record_of(kinds, GRANT)["history"][1]["reason"] = "another"

    assert [one.text for one in found(whole, kinds)] == ["1 histories are not chained: rural.fund_grant/g"]


def test_a_record_that_is_not_its_last_version_is_found(whole):
    kinds = whole.kinds()
    record_of(kinds, PRIZE)["state"]["grade"] = "first"

    assert [one.invariant for one in found(whole, kinds)] == ["I2"]


def test_a_record_that_was_never_published_in_full_is_found(whole):
    kinds = whole.kinds()
    record_of(kinds, GRANT)["published"] = 2

    assert [one.invariant for one in found(whole, kinds)] == ["I5"]


def test_a_version_that_says_something_else_than_its_command_is_found(whole):
    whole.given["c-1"].command.arguments["approved_fen"] = 800

    assert [one.text for one in found(whole)] == [
        "1 versions are not what their command said: c-1 at rural.fund_grant/g (approved_fen)"
    ]


def test_a_command_that_is_stored_under_another_version_than_it_was_answered_is_found(whole):
    whole.given["c-2"].outcomes.append(Outcome(state="done", record="g", version=3))

    assert [one.invariant for one in found(whole)] == ["I2"]


def test_money_that_is_not_all_there_is_found(whole):
    whole.given["c-3"].command.arguments["fen"] = 50

    assert [one.text for one in found(whole)] == ["1 grants hold other money than was received and returned: g"]


def test_a_receipt_that_did_not_follow_its_grant_is_lost_and_one_without_voucher_doubled(whole):
    whole.records[RECEIPT]["x"]["history"][-1]["view"]["returned_fen"] = 0

    sums = Counter({"lost": 0, "doubled": 0})
    for finding in invariants.listeners_kept_step(whole.kinds().values()):
        sums.update(lost=finding.lost, doubled=finding.doubled)

    assert sums == {"lost": 1, "doubled": 1}


def test_two_receipts_of_one_voucher_are_doubled(whole):
    whole.version(RECEIPT, "y", because="fund_grant/g/3", view=whole.records[RECEIPT]["x"]["history"][-1]["view"])

    assert [(one.invariant, one.doubled) for one in found(whole)] == [("I2", 1)]


def test_a_station_and_an_activity_that_missed_an_event_are_lost(whole):
    whole.records[VENUE]["station.s"]["history"][-1]["view"]["state"] = "available"

    findings = list(invariants.listeners_kept_step(whole.kinds().values()))

    assert [one.lost for one in findings] == [1, 1]


# --- I3, I4 -----------------------------------------------------------------------------------------------------------


def test_a_view_that_is_missing_or_behind_is_lost(whole):
    kinds = whole.kinds()
    del kinds[PRIZE].views["r"]
    kinds[GRANT].views["g"]["version"] = 2

    assert [(one.invariant, one.lost) for one in found(whole, kinds)] == [("I3", 1), ("I3", 1)]


def test_a_view_that_is_altered_or_of_no_record_is_found(whole):
    kinds = whole.kinds()
    kinds[PRIZE].views["r"]["data"]["state"] = "verified"
    kinds[GRANT].views["nowhere"] = kinds[GRANT].views["g"]

    assert [(one.invariant, one.doubled) for one in found(whole, kinds)] == [("I3", 1), ("I3", 0)]


def test_an_event_that_never_arrived_never_happened_or_arrived_altered_is_found(whole):
    kinds = whole.kinds()
    del kinds[GRANT].rows["g", 2]
    kinds[PRIZE].rows["r", 2] = kinds[PRIZE].rows["r", 1]
    kinds[POINT].rows["s", 1]["hash"] = "other"

    findings = found(whole, kinds)

    assert {one.invariant for one in findings} == {"I4"}
    assert (sum(one.lost for one in findings), sum(one.doubled for one in findings), len(findings)) == (1, 1, 3)


# --- I5, I6, I8, I9 ---------------------------------------------------------------------------------------------------


def test_what_still_waits_is_found():
    assert [one.invariant for one in invariants.nothing_is_under_way(["7 messages"])] == ["I5"]
    assert list(invariants.nothing_is_under_way([])) == []


def test_poison_has_to_be_parked_and_nothing_else():
    poison = [Letter("p-1", "gateway.ledger"), Letter("p-2", "rpc-rural", certain=False)]
    parked = Parked("gateway", "gateway.ledger", "p-1", "NotAnEvent")

    assert list(invariants.only_poison_is_parked(poison, [parked, parked])) == []
    assert [one.lost for one in invariants.only_poison_is_parked(poison, [])] == [1]
    assert [one.lost for one in invariants.only_poison_is_parked([], [parked])] == [1]


def test_a_number_that_differs_by_one_is_found_and_so_is_a_gateway_that_is_silent():
    expected = {"K2": 100, "K5": 0}

    assert list(invariants.numbers_agree(expected, {"one": {"K2": 100, "K5": None}})) == []
    less, more = invariants.numbers_agree(expected, {"one": {"K2": 99, "K5": 0}, "two": {"K2": 101, "K5": 0}})
    assert (less.lost, less.doubled, more.lost, more.doubled) == (1, 0, 0, 1)
    assert [one.invariant for one in invariants.numbers_agree(expected, {"one": None})] == ["I8"]


def test_a_queue_without_consumer_is_found():
    queues = {name: Queue(name, 0, 0, 1) for name in expected_queues()}

    assert list(invariants.everybody_is_there(queues)) == []
    assert len(list(invariants.everybody_is_there(queues | {"rpc-rural": Queue("rpc-rural", 0, 0, 0)}))) == 1
    assert len(list(invariants.everybody_is_there({}))) == 1


def test_a_command_without_answer_is_found_and_counts_where_it_was_done(whole):
    whole.given["c-3"].outcomes[:] = [Outcome(state="unknown")]

    assert [one.invariant for one in found(whole)] == ["I9"]
    assert invariants.totals(whole.given, whole.kinds().values())["K5"] == 200


# --- the log and the arithmetic ---------------------------------------------------------------------------------------


def test_the_log_survives_a_death_within_its_last_line(tmp_path):
    log = CommandLog(tmp_path / "commands")
    command = Command(id="c-1", service="rural", method="approve_grant", arguments={"grant_id": "甲"}, by="u-li")
    log.send(command)
    log.answer("c-1", Outcome(state="done", record="g", version=1))
    log.close()
    with log.path.open("ab") as file:
        file.write(b'{"sent": {"id": "c-2"')

    assert log.read() == {"c-1": Given(command, [Outcome(state="done", record="g", version=1)])}


def test_many_write_the_log_at_once_and_every_line_is_on_disk_when_its_writer_goes_on(tmp_path):
    log, seen = CommandLog(tmp_path / "commands"), []

    def write(number):
        log.send(Command(id=f"c-{number}", service="rural", method="m", arguments={}, by="u-li"))
        seen.append(f"c-{number}" in log.read())

    for writer in [eventlet.spawn(write, number) for number in range(50)]:
        writer.wait()

    assert seen == [True] * 50
    log.close()


def test_the_arithmetic_takes_corrections_in_the_order_of_their_versions():
    def command(method, **arguments):
        return Command(id=method, service="outreach", method=method, arguments=arguments, by="u-wang")

    first, second = (command("correct_count", count_id="n", person_times=times) for times in (50, 70))
    begun = [command("record_count", count_id="n", person_times=9), command("verify_count", count_id="n")]

    assert expected_state.totals([*begun, first, second])["K2"] == 70
    assert expected_state.totals([*begun, second, first])["K2"] == 50


def test_a_prize_that_was_revoked_a_point_that_lapsed_and_money_that_went_back_do_not_count():
    def command(method, **arguments):
        return Command(id=method, service="rural", method=method, arguments=arguments, by="u-wang")

    parts = [
        command("accept_part", point_id=point, part=part) for point in "st" for part in ("station", "column", "officer")
    ]
    told = expected_state.totals(
        [
            *(command("verify_external_result", result_id=id_) for id_ in "ab"),
            command("revoke_external_result", result_id="a"),
            *parts,
            command("lapse_part", point_id="s", part="column"),
            command("receive_funds", grant_id="g", voucher_no="V", fen=300),
            command("return_funds", grant_id="g", voucher_no="V", fen=100),
            command("establish_organisation", organisation_id="u"),
        ]
    )

    assert told == {"K1": 1, "K2": 0, "K4": 1, "K5": 200, "K6": 1}
