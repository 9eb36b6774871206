"""The invariants: what has to hold once everything runs again and nothing is under way (design 5.2).

Each is a small function over plain data that yields what it finds; `check` reads the data and asks them all.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import chain
from subprocess import CalledProcessError
from typing import TYPE_CHECKING, Any

import eventlet
from pymongo.errors import PyMongoError

from services.contract import KINDS
from tests.chaos.checks import stored_state
from tests.chaos.checks.stored_state import Document, Held, Numbers, Parked, Queue
from tests.chaos.log import expected_state
from tests.chaos.log.command_log import Command, CommandLog, Given
from tests.chaos.log.finding import Finding, found

if TYPE_CHECKING:
    from tests.chaos.world.world import Poison, World

__all__ = ["Finding", "check", "quiet"]

QUIET_WITHIN = 90.0  # seconds
SETTLED_WITHIN = 10.0  # seconds, once it was quiet: the system asks itself something now and then
LOOK = 1.0  # seconds between two looks

Log = Mapping[str, Given]


def quiet(world: World, log: CommandLog, *, within: float = QUIET_WITHIN) -> list[str]:  # noqa: ARG001
    """Wait until nothing is under way; what still is when the time is over."""
    deadline = time.monotonic() + within
    while (waits := _waits(world)) and time.monotonic() < deadline:
        eventlet.sleep(LOOK)
    return waits


def check(world: World, log: CommandLog) -> list[Finding]:
    """Everything that does not hold."""
    given = log.read()
    kinds = [stored_state.held(world, kind) for kind in KINDS]
    causes = Counter(cause for kind in kinds for cause in because(kind.records))
    findings = chain(
        done_once(given, causes),
        every_event_has_a_cause(given, kinds),
        *(histories_are_whole(kind) for kind in kinds),
        states_are_what_was_ordered(given, kinds),
        listeners_kept_step(kinds),
        *(copies_are_equal(kind) for kind in kinds),
        *(every_event_arrived(kind) for kind in kinds),
        nothing_is_under_way(quiet(world, log, within=SETTLED_WITHIN)),
        only_poison_is_parked(world.poison, stored_state.parked(world)),
        numbers_agree(totals(given, kinds), {url: stored_state.told(world, url) for url in world.gateway_urls}),
        everybody_is_there(stored_state.queues_now(world)),
        all_were_answered(given),
    )
    return list(findings)


# --- I1: a command is done once ---------------------------------------------------------------------------------------


def because(records: Iterable[Document]) -> Iterator[str]:
    """The cause of every version."""
    return (entry["because"] for record in records for entry in record["history"])


def done_once(given: Log, causes: Mapping[str, int]) -> Iterator[Finding]:
    """Whatever was answered as done is there once, nothing twice, and nothing that was refused."""
    lost = [id_ for id_, one in given.items() if one.done and not causes.get(id_)]
    twice = [id_ for id_ in given if causes.get(id_, 0) > 1]
    all_the_same = [id_ for id_, one in given.items() if one.is_refused and causes.get(id_)]
    yield from found("I1", "commands were answered as done and are not there", lost, lost=True)
    yield from found("I1", "commands were done more than once", twice, doubled=True)
    yield from found("I1", "commands were answered as refused and done all the same", all_the_same, doubled=True)


def every_event_has_a_cause(given: Log, kinds: Collection[Held]) -> Iterator[Finding]:
    """Each version came by the command that was given for it, or once by an event that there is."""
    names = {kind.kind: kind.kind.partition(".")[2] for kind in kinds}
    events = {
        f"{names[kind.kind]}/{record['_id']}/{entry['version']}"
        for kind in kinds
        for record in kind.records
        for entry in record["history"]
    }
    strange, misplaced, followed_twice = [], [], []
    for kind in kinds:
        for record in kind.records:
            for cause, times in Counter(entry["because"] for entry in record["history"]).items():
                if cause in given:
                    if expected_state.record_of(given[cause].command) != (kind.kind, record["_id"]):
                        misplaced.append(f"{cause} at {kind.kind}/{record['_id']}")
                elif cause not in events:
                    strange.append(f"{cause} at {kind.kind}/{record['_id']}")
                elif times > 1:
                    followed_twice.append(f"{cause} at {kind.kind}/{record['_id']}")
    yield from found("I1", "versions came by no command and no event", strange, doubled=True)
    yield from found("I1", "versions stand at another record than their command's", misplaced)
    yield from found("I1", "events were followed more than once", followed_twice, doubled=True)


# --- I2: histories ----------------------------------------------------------------------------------------------------


def histories_are_whole(kind: Held) -> Iterator[Finding]:
    """Versions 1 to n without a gap, chained by their hashes, the last one being the record."""
    gaps, broken, not_last, unpublished = [], [], [], []
    for record in kind.records:
        name, history = f"{kind.kind}/{record['_id']}", record["history"]
        if [entry["version"] for entry in history] != list(range(1, record["version"] + 1)):
            gaps.append(name)
            continue
        if not _is_chained(history):
            broken.append(name)
        last = history[-1]
        if record["hash"] != last["hash"] or any(record["state"].get(k) != v for k, v in last["view"].items()):
            not_last.append(name)
        if record["published"] != record["version"] or "pending" in record:
            unpublished.append(name)
    yield from found("I2", "histories have gaps", gaps, lost=True)
    yield from found("I2", "histories are not chained", broken)
    yield from found("I2", "records are not what their last version says", not_last)
    yield from found("I5", "records were never published in full", unpublished)


def _is_chained(history: Iterable[Document]) -> bool:
    after = ""
    for entry in history:
        said = {name: value for name, value in entry.items() if name != "hash"}
        text = json.dumps(said, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        after = hashlib.sha256((after + text).encode()).hexdigest()
        if entry["hash"] != after:
            return False
    return True


def states_are_what_was_ordered(given: Log, kinds: Collection[Held]) -> Iterator[Finding]:
    """Every version says what its command said, was answered under its number, and money is all there."""
    wrong, misnumbered, money = [], [], []
    for kind in kinds:
        for record in kind.records:
            commands = []
            for entry in record["history"]:
                one = given.get(entry["because"])
                if one is None:
                    continue
                commands.append(one.command)
                if one.command.method in expected_state.OF and (
                    fields := expected_state.differences(one.command, entry["view"])
                ):
                    wrong.append(f"{one.command.id} at {kind.kind}/{record['_id']} ({', '.join(fields)})")
                answers = {(done.record, done.version) for done in one.outcomes if done.state == "done"}
                if answers - {(record["_id"], entry["version"])}:
                    misnumbered.append(f"{one.command.id}: {answers}, stored as version {entry['version']}")
            if kind.kind == "rural.fund_grant" and expected_state.vouchers(commands) != _vouchers(
                record["history"][-1]["view"]
            ):
                money.append(record["_id"])
    yield from found("I2", "versions are not what their command said", wrong)
    yield from found("I2", "commands were answered as another version", misnumbered)
    yield from found("I2", "grants hold other money than was received and returned", money)


def _vouchers(grant: Document) -> expected_state.Vouchers:
    return {one["voucher_no"]: (one["fen"], one["returned_fen"]) for one in grant["vouchers"]}


def listeners_kept_step(kinds: Collection[Held]) -> Iterator[Finding]:
    """What follows other records by their events: receipts, stations, and activities at stations that lapsed."""
    views = {kind.kind: {one["_id"]: one["history"][-1]["view"] for one in kind.records} for kind in kinds}
    grants, points = views["rural.fund_grant"], views["rural.service_point"]
    venues, receipts = views["outreach.venue"], views["rural.fund_receipt"]

    due = {(grant, *voucher.values()) for grant, view in grants.items() for voucher in map(_voucher, view["vouchers"])}
    kept = Counter((one["grant_id"], *_voucher(one).values()) for one in receipts.values())
    yield from found("I2", "vouchers have no receipt that says the same", due - kept.keys(), lost=True)
    yield from found("I2", "receipts stand for no voucher", kept.keys() - due, doubled=True)
    yield from found("I2", "vouchers have several receipts", [one for one, n in kept.items() if n > 1], doubled=True)

    stations = {f"station.{point}": view for point, view in points.items() if view["completed_on"]}
    wanted = {id_: "available" if view["state"] == "complete" else "suspended" for id_, view in stations.items()}
    missing = [id_ for id_, state in wanted.items() if venues.get(id_, {}).get("state") != state]
    yield from found("I2", "stations are not what their service points are", missing, lost=True)

    unflagged = [
        id_
        for id_, view in views["outreach.activity"].items()
        if view["state"] == "scheduled"
        and view["venue_suspended"] != (venues.get(view["venue_id"], {}).get("state") == "suspended")
    ]
    yield from found("I2", "activities do not know of their venue", unflagged, lost=True)


def _voucher(said: Mapping[str, Any]) -> dict[str, Any]:
    return {name: said[name] for name in ("voucher_no", "fen", "returned_fen", "received_on")}


# --- I3, I4: the gateway's copies -------------------------------------------------------------------------------------


def copies_are_equal(kind: Held) -> Iterator[Finding]:
    """The gateway has the last version of every record, and nothing else."""
    records = {record["_id"]: record for record in kind.records}
    missing, other = [], []
    for id_, record in records.items():
        view = kind.views.get(id_)
        if view is None or view["version"] < record["version"]:
            missing.append(f"{kind.kind}/{id_}")
        elif view["version"] > record["version"] or view["data"] != record["history"][-1]["view"]:
            other.append(f"{kind.kind}/{id_}")
    yield from found("I3", "views are missing or behind", missing, lost=True)
    yield from found("I3", "views are not what their record is", other)
    yield from found("I3", "views have no record", kind.views.keys() - records.keys(), doubled=True)


def every_event_arrived(kind: Held) -> Iterator[Finding]:
    """The gateway has one row for each version, which says the same."""
    entries = {(record["_id"], entry["version"]): entry for record in kind.records for entry in record["history"]}
    other = [key for key, row in kind.rows.items() if key in entries and not _is_row_of(row, entries[key])]
    yield from found("I4", f"events of {kind.kind} never arrived", entries.keys() - kind.rows.keys(), lost=True)
    yield from found("I4", f"events of {kind.kind} never happened", kind.rows.keys() - entries.keys(), doubled=True)
    yield from found("I4", f"events of {kind.kind} arrived as something else", other)


def _is_row_of(row: Document, entry: Document) -> bool:
    names = {"happened": "happened", "time": "at", "actor": "by", "cause": "because", "hash": "hash", "data": "view"}
    return all(row[ours] == entry[theirs] for ours, theirs in names.items())


# --- I5: nothing is under way -----------------------------------------------------------------------------------------


def nothing_is_under_way(waits: Collection[str]) -> Iterator[Finding]:
    yield from found("I5", "things still wait", waits)


def only_poison_is_parked(poison: Collection[Poison], parked: Collection[Parked]) -> Iterator[Finding]:
    """Whatever is parked was injected, and all that a queue took for `certain` was parked."""
    injected = {(one.queue, one.id) for one in poison}
    kept = {(one.queue, one.message_id) for one in parked}
    good = [f"{id_} of {queue}" for queue, id_ in kept - injected]
    gone = [f"{one.id} of {one.queue}" for one in poison if one.certain and (one.queue, one.id) not in kept]
    yield from found("I5", "good messages were parked", good, lost=True)
    yield from found("I5", "messages that nobody can handle were not parked", gone, lost=True)


def _waits(world: World) -> list[str]:
    """The same while some things may not answer yet."""
    try:
        return _under_way(world)
    except (PyMongoError, CalledProcessError) as error:
        return [f"{type(error).__name__}: {error}"]


def _under_way(world: World) -> list[str]:
    waits = [f"{number} unpublished records of {kind}" for kind, number in stored_state.pending(world).items()]
    waits += [
        f"{number} versions of {kind} that the gateway lacks" for kind, number in stored_state.behind(world).items()
    ]
    waits += [f"{number} accepted commands" for number in [stored_state.accepted(world)] if number]
    if waits:
        return waits
    return [
        f"{queue.ready} messages ready and {queue.unacked} unacked in {queue.name}"
        for queue in stored_state.queues_now(world).values()
        if queue.ready or queue.unacked
    ]


# --- I6: the numbers --------------------------------------------------------------------------------------------------


def numbers_agree(expected: Mapping[str, int], told: Mapping[str, Numbers | None]) -> Iterator[Finding]:
    """Every gateway tells what the commands come to, to the unit."""
    answered = {url: numbers for url, numbers in told.items() if numbers is not None}
    yield from found("I8", "gateways do not answer", told.keys() - answered.keys())
    for url, numbers in answered.items():
        for code, wanted in expected.items():
            value = numbers.get(code) or 0
            if value != wanted:
                text = f"{code} at {url} is {value} instead of {wanted}"
                yield Finding("I6", text, lost=int(value < wanted), doubled=int(value > wanted))


def totals(given: Log, kinds: Collection[Held]) -> dict[str, int]:
    """Of all commands that were done; one that was never answered is done where its record says so."""
    by_record: dict[tuple[str, str], list[tuple[int, Command]]] = defaultdict(list)
    versions = _unanswered(given, kinds)
    for id_, one in given.items():
        version = one.done.version if one.done else versions.get(id_)
        if version is not None:
            by_record[expected_state.record_of(one.command)].append((version, one.command))
    in_order = (sorted(commands, key=lambda known: known[0]) for commands in by_record.values())
    return expected_state.totals(command for commands in in_order for _, command in commands)


def _unanswered(given: Log, kinds: Collection[Held]) -> dict[str, int]:
    return {
        entry["because"]: entry["version"]
        for kind in kinds
        for record in kind.records
        for entry in record["history"]
        if (one := given.get(entry["because"])) and not one.done and not one.is_refused
    }


# --- I8, I9: everybody is there, and answers --------------------------------------------------------------------------


def everybody_is_there(queues: Mapping[str, Queue]) -> Iterator[Finding]:
    """Every queue there has to be has a consumer."""
    deserted = [name for name in stored_state.expected_queues() if name not in queues or not queues[name].consumers]
    yield from found("I8", "queues have no consumer", deserted)


def all_were_answered(given: Log) -> Iterator[Finding]:
    """Whoever gave a command was told what became of it."""
    silent = [id_ for id_, one in given.items() if not one.done and not one.is_refused]
    yield from found("I9", "commands were never answered", silent)
