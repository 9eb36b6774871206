"""Every invariant of the chaos campaign holds on sound data, and fails on data that are damaged in its way."""

import copy
import hashlib
import json
from collections import Counter
from dataclasses import replace

import eventlet
import pytest

from services.contract.event import cause_of
from tests.chaos.checks import invariants
from tests.chaos.checks.stored_state import Parked, Queue, StoredKind, expected_queues
from tests.chaos.log import expected_state
from tests.chaos.log.command_log import Command, CommandLog, Given, Outcome
from tests.chaos.world.world import Poison

GRANT, RECEIPT, POINT = "rural.fund_grant", "rural.fund_receipt", "rural.service_point"
VENUE, ACTIVITY, PRIZE = "outreach.venue", "outreach.activity", "awards.external_result"
KINDS = (GRANT, RECEIPT, POINT, VENUE, ACTIVITY, PRIZE)


class SoundData:
    """A log of commands and the records that are stored after them, as they should be."""

    def __init__(self):
        self.given = {}
        self.records = {kind: {} for kind in KINDS}

    def command(self, id_, method, view, **arguments):
        service = expected_state.OF[method][0].partition(".")[0]
        command = Command(id=id_, service=service, method=method, arguments=arguments, by="u-li")
        kind, record = expected_state.record_of(command)
        version = self.version(kind, record, because=id_, view=view)
        self.given[id_] = Given(command, [Outcome(state="done", record=record, version=version)])

    def version(self, kind, record, *, because, view, by="u-li"):
        stored = self.records[kind].setdefault(record, {"_id": record, "history": [], "hash": ""})
        entry = {
            "version": len(stored["history"]) + 1, "happened": "changed", "at": "2026-11-24T00:00:00.000+08:00",
            "by": by, "because": because, "reason": None, "view": view,
        }  # fmt: skip
        text = json.dumps(entry, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        entry["hash"] = hashlib.sha256((stored["hash"] + text).encode()).hexdigest()
        stored["history"].append(entry)
        stored |= {"version": entry["version"], "hash": entry["hash"], "published": entry["version"]}
        stored["state"] = {**view, "own": 1}
        return entry["version"]

    def kinds(self):
        return {kind: self.stored(kind) for kind in KINDS}

    def stored(self, kind):
        records = self.records[kind].values()
        views = {record["_id"]: view_of(record) for record in records}
        rows = {(record["_id"], entry["version"]): row_of(entry) for record in records for entry in record["history"]}
        return StoredKind(kind, *map(copy.deepcopy, (list(records), views, rows)))


def view_of(record):
    return {"version": record["version"], "data": record["history"][-1]["view"]}


def row_of(entry):
    return {
        "happened": entry["happened"], "time": entry["at"], "actor": entry["by"], "cause": cause_of(entry["because"]),
        "hash": entry["hash"], "data": entry["view"],
    }  # fmt: skip


def a_grant(*vouchers):
    names = ("voucher_no", "fen", "returned_fen", "received_on")
    paid = [dict(zip(names, voucher, strict=True)) for voucher in vouchers]
    return {"approved_fen": 900, "vouchers": paid, "state": "received" if vouchers else "approved"}


@pytest.fixture
def sound():
    """A grant with money that was partly returned, a station that lapsed, a prize, and one command refused."""
    world = SoundData()
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
    refused = Command(id="c-8", service="rural", method="receive_funds", arguments={**paid, "fen": 1}, by="u-li")
    world.given["c-8"] = Given(refused, [Outcome(state="refused", rule="R-10")])
    return world


def findings_in(world, kinds=None):
    """The findings of all invariants of stored data."""
    kinds = list((kinds or world.kinds()).values())
    findings = [
        *invariants.done_once(world.given, Counter(invariants.causes(world.given, kinds))),
        *invariants.ids_speak_for_one_act(world.given),
        *invariants.every_version_has_a_cause(world.given, kinds),
        *invariants.versions_are_as_ordered(world.given, kinds),
        *invariants.money_is_as_ordered(world.given, kinds),
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


def test_sound_data_have_no_finding(sound):
    assert findings_in(sound) == []


# --- I1 ---------------------------------------------------------------------------------------------------------------


def test_a_command_that_was_answered_and_is_not_there_is_lost(sound):
    sound.given["c-9"] = Given(
        Command(id="c-9", service="rural", method="receive_funds", arguments={"grant_id": "g"}, by="u-qian"),
        [Outcome(state="unknown"), Outcome(state="done", record="g", version=4)],
    )

    (finding,) = findings_in(sound)

    assert (finding.invariant, finding.lost, finding.doubled) == ("I1", 1, 0)
    assert "c-9" in finding.text


def test_a_command_that_was_done_twice_is_doubled(sound):
    sound.version(GRANT, "g", because="c-3", view=a_grant(("V", 300, 200, "2011-06-01")))

    assert ("I1", 1) in [(finding.invariant, finding.doubled) for finding in findings_in(sound)]


def test_a_command_that_was_refused_and_done_all_the_same_is_doubled(sound):
    sound.version(GRANT, "g", because="c-8", view=a_grant(("V", 300, 100, "2011-06-01")))

    assert ("I1", 1) in [(finding.invariant, finding.doubled) for finding in findings_in(sound)]


def test_a_version_that_nobody_asked_for_is_found(sound):
    sound.version(PRIZE, "r", because="c-77", view={"state": "reported", "grade": "second"})

    assert [(finding.invariant, finding.doubled) for finding in findings_in(sound)] == [("I1", 1)]


def test_an_event_that_was_followed_twice_is_found(sound):
    receipt = sound.records[RECEIPT]["x"]["history"][-1]["view"]
    sound.version(RECEIPT, "x", because="fund_grant/g/3", view=receipt)

    assert [(finding.invariant, finding.doubled) for finding in findings_in(sound)] == [("I1", 1)]


def test_a_version_at_another_record_than_its_commands_is_found(sound):
    sound.given["c-7"].command.arguments["result_id"] = "other"

    assert "I1" in {finding.invariant for finding in findings_in(sound)}


@pytest.fixture
def reused(sound):
    """Sound data in which the id of a prize was used again: for it, for another one, and by another person."""
    kind = {"grade": "second"}
    first = sound.given["c-7"]
    for id_, by, arguments, outcome in (
        ("c-10", "u-li", first.command.arguments, first.outcomes[0]),
        ("c-11", "u-li", {**kind, "result_id": "s"}, Outcome(state="refused", rule="command_id_reused")),
        ("c-12", "u-wang", kind, Outcome(state="done", record="t", version=1)),
    ):
        sent = replace(first.command, id=id_, by=by, arguments=arguments, key="c-7")
        sound.given[id_] = Given(sent, [outcome])
    sound.version(PRIZE, "t", because="c-7", view={"state": "reported", "grade": "second"}, by="u-wang")
    return sound


def test_an_id_that_is_used_again_has_one_act_for_each_who_uses_it(reused):
    assert findings_in(reused) == []


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        ("c-11", Outcome(state="done", record="r", version=1)),  # the first outcome, for another content
        ("c-12", Outcome(state="done", record="r", version=1)),  # another person's record
        ("c-10", Outcome(state="done", record="r", version=2)),
        ("c-10", Outcome(state="done", record="t", version=1)),
    ],
)
def test_an_answer_with_the_outcome_of_another_act_is_found(reused, command, answer):
    reused.given[command].outcomes[:] = [answer]

    assert findings_in(reused)


def test_an_act_that_was_done_for_one_who_was_refused_is_found(reused):
    reused.given["c-12"].outcomes[:] = [Outcome(state="refused", rule="command_id_reused")]

    assert ("I1", 1) in [(finding.invariant, finding.doubled) for finding in findings_in(reused)]


# --- I2 ---------------------------------------------------------------------------------------------------------------


def test_a_gap_in_a_history_is_found(sound):
    kinds = sound.kinds()
    del record_of(kinds, GRANT)["history"][1]

    assert "histories have gaps: rural.fund_grant/g" in " ".join(finding.text for finding in findings_in(sound, kinds))


def test_an_altered_entry_breaks_the_chain(sound):
    kinds = sound.kinds()
    record_of(kinds, GRANT)["history"][1]["reason"] = "another"

    assert [finding.text for finding in findings_in(sound, kinds)] == [
        "1 histories are not chained: rural.fund_grant/g"
    ]


def test_a_record_that_is_not_its_last_version_is_found(sound):
    kinds = sound.kinds()
    record_of(kinds, PRIZE)["state"]["grade"] = "first"

    assert [finding.invariant for finding in findings_in(sound, kinds)] == ["I2"]


def test_a_record_that_was_never_published_in_full_is_found(sound):
    kinds = sound.kinds()
    record_of(kinds, GRANT)["published"] = 2

    assert [finding.invariant for finding in findings_in(sound, kinds)] == ["I5"]


def test_a_version_that_says_something_else_than_its_command_is_found(sound):
    sound.given["c-1"].command.arguments["approved_fen"] = 800

    assert [finding.text for finding in findings_in(sound)] == [
        "1 versions are not what their command said: c-1 at rural.fund_grant/g (approved_fen)"
    ]


def test_a_command_that_is_stored_under_another_version_than_it_was_answered_is_found(sound):
    sound.given["c-2"].outcomes.append(Outcome(state="done", record="g", version=3))

    assert [finding.invariant for finding in findings_in(sound)] == ["I2"]


def test_money_that_is_not_all_there_is_found(sound):
    sound.given["c-3"].command.arguments["fen"] = 50

    assert [finding.text for finding in findings_in(sound)] == [
        "1 grants hold other money than was received and returned: g"
    ]


def test_a_receipt_that_did_not_follow_its_grant_is_lost_and_one_without_voucher_doubled(sound):
    sound.records[RECEIPT]["x"]["history"][-1]["view"]["returned_fen"] = 0

    sums = Counter({"lost": 0, "doubled": 0})
    for finding in invariants.listeners_kept_step(sound.kinds().values()):
        sums.update(lost=finding.lost, doubled=finding.doubled)

    assert sums == {"lost": 1, "doubled": 1}


def test_two_receipts_of_one_voucher_are_doubled(sound):
    sound.version(RECEIPT, "y", because="fund_grant/g/3", view=sound.records[RECEIPT]["x"]["history"][-1]["view"])

    assert [(finding.invariant, finding.doubled) for finding in findings_in(sound)] == [("I2", 1)]


def test_a_station_and_an_activity_that_missed_an_event_are_lost(sound):
    sound.records[VENUE]["station.s"]["history"][-1]["view"]["state"] = "available"

    findings = list(invariants.listeners_kept_step(sound.kinds().values()))

    assert [finding.lost for finding in findings] == [1, 1]


# --- I3, I4 -----------------------------------------------------------------------------------------------------------


def test_a_view_that_is_missing_or_behind_is_lost(sound):
    kinds = sound.kinds()
    del kinds[PRIZE].views["r"]
    kinds[GRANT].views["g"]["version"] = 2

    assert [(finding.invariant, finding.lost) for finding in findings_in(sound, kinds)] == [("I3", 1), ("I3", 1)]


def test_a_view_that_is_altered_or_of_no_record_is_found(sound):
    kinds = sound.kinds()
    kinds[PRIZE].views["r"]["data"]["state"] = "verified"
    kinds[GRANT].views["nowhere"] = kinds[GRANT].views["g"]

    assert [(finding.invariant, finding.doubled) for finding in findings_in(sound, kinds)] == [("I3", 1), ("I3", 0)]


def test_an_event_that_never_arrived_never_happened_or_arrived_altered_is_found(sound):
    kinds = sound.kinds()
    del kinds[GRANT].rows["g", 2]
    kinds[PRIZE].rows["r", 2] = kinds[PRIZE].rows["r", 1]
    kinds[POINT].rows["s", 1]["hash"] = "other"

    findings = findings_in(sound, kinds)

    assert {finding.invariant for finding in findings} == {"I4"}
    assert (sum(finding.lost for finding in findings), sum(finding.doubled for finding in findings), len(findings)) == (
        1,
        1,
        3,
    )


# --- I5, I6, I8, I9 ---------------------------------------------------------------------------------------------------


def test_what_still_waits_is_found():
    assert [finding.invariant for finding in invariants.nothing_is_under_way(["7 messages"])] == ["I5"]
    assert list(invariants.nothing_is_under_way([])) == []


def test_poison_has_to_be_parked_and_nothing_else():
    poison = [Poison("p-1", "gateway.ledger", b"", certain=True), Poison("p-2", "rural.from.awards", b"")]
    parked = Parked("gateway", "gateway.ledger", "p-1", "NotAnEvent")

    assert list(invariants.only_poison_is_parked(poison, [parked, parked])) == []
    assert [finding.lost for finding in invariants.only_poison_is_parked(poison, [])] == [1]
    assert [finding.lost for finding in invariants.only_poison_is_parked([], [parked])] == [1]


def test_a_number_that_differs_by_one_is_found_and_so_is_a_gateway_that_is_silent():
    expected = {"K2": 100, "K5": 0}

    assert list(invariants.numbers_agree(expected, {"one": {"K2": 100, "K5": None}})) == []
    less, more = invariants.numbers_agree(expected, {"one": {"K2": 99, "K5": 0}, "two": {"K2": 101, "K5": 0}})
    assert (less.lost, less.doubled, more.lost, more.doubled) == (1, 0, 0, 1)
    assert [finding.invariant for finding in invariants.numbers_agree(expected, {"one": None})] == ["I8"]


def test_a_queue_without_consumer_is_found():
    queues = {name: Queue(name, 0, 0, 1) for name in expected_queues()}

    assert list(invariants.every_queue_is_consumed(queues)) == []
    assert len(list(invariants.every_queue_is_consumed(queues | {"rpc-rural": Queue("rpc-rural", 0, 0, 0)}))) == 1
    assert len(list(invariants.every_queue_is_consumed({}))) == 1


def test_a_command_without_answer_is_found_and_counts_where_it_was_done(sound):
    sound.given["c-3"].outcomes[:] = [Outcome(state="unknown")]

    assert [finding.invariant for finding in findings_in(sound)] == ["I9"]
    assert invariants.totals(sound.given, sound.kinds().values())["K5"] == 200


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
    totals = expected_state.totals(
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

    assert totals == {"K1": 1, "K2": 0, "K4": 1, "K5": 200, "K6": 1}
