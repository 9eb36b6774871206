"""The invariants, which hold once everything runs again and nothing is under way (design 5.2).

Each is a small function over plain data that yields its findings; `check` reads the data and applies them all.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, product
from operator import itemgetter
from subprocess import CalledProcessError
from typing import TYPE_CHECKING, Any

from pymongo.errors import PyMongoError

from services.contract import KINDS
from services.contract.event import cause_of
from tests.chaos.checks import stored_state
from tests.chaos.checks.stored_state import Document, Numbers, Parked, Queue, StoredKind
from tests.chaos.log import expected_state
from tests.chaos.log.command_log import Act, Command, CommandLog, Given
from tests.chaos.log.finding import Finding, report
from tests.waiting import poll

if TYPE_CHECKING:
    from tests.chaos.world.world import Poison, World

QUIET_WITHIN = 90.0  # seconds
SETTLED_WITHIN = 10.0  # seconds, once it was quiet: the system asks itself something now and then
LOOK = 1.0  # seconds between two looks
GRANTS = "rural.fund_grant"

Log = Mapping[str, Given]
"""The commands with their answers, by their ids in the log."""
Acts = Mapping[Act, list[Given]]
"""The commands that were sent as one act: one that was done and its repetitions, and others that were refused."""
Views = Mapping[str, Document]
"""Record id -> its last view."""


@dataclass(frozen=True, slots=True)
class Step:
    """A version of a record, and the command that caused it, where one did, with what was answered the same."""

    kind: str
    record: str
    entry: Document
    same: tuple[Given, ...] = ()

    @property
    def given(self) -> Given | None:
        """The command that caused it."""
        return next(iter(self.same), None)

    @property
    def cause(self) -> str:
        """The id of the command, or of the event, that caused the version."""
        return str(self.entry["because"])

    @property
    def place(self) -> str:
        """The record, in words for people."""
        return f"{self.kind}/{self.record}"


def await_quiet(world: World, *, within: float = QUIET_WITHIN) -> list[str]:
    """Wait until nothing is under way; return what still is after so many seconds."""
    is_quiet = poll(lambda: not _waiting(world), within=within, every=LOOK)
    return [] if is_quiet else _waiting(world)


def check(world: World, log: CommandLog) -> list[Finding]:
    """Read everything that is stored and return everything that does not hold."""
    given = log.read()
    kinds = [stored_state.read_kind(world, kind) for kind in KINDS]
    findings = chain(
        done_once(given, Counter(causes(given, kinds))),
        ids_speak_for_one_act(given),
        every_version_has_a_cause(given, kinds),
        *(histories_are_whole(kind) for kind in kinds),
        versions_are_as_ordered(given, kinds),
        money_is_as_ordered(given, kinds),
        listeners_kept_step(kinds),
        *(copies_are_equal(kind) for kind in kinds),
        *(every_event_arrived(kind) for kind in kinds),
        nothing_is_under_way(await_quiet(world, within=SETTLED_WITHIN)),
        only_poison_is_parked(world.poison, stored_state.parked(world)),
        numbers_agree(totals(given, kinds), {url: stored_state.numbers_of(world, url) for url in world.gateway_urls}),
        every_queue_is_consumed(stored_state.queues_now(world)),
        all_were_answered(given),
    )
    return list(findings)


def steps(given: Log, kinds: Iterable[StoredKind]) -> Iterator[Step]:
    """Every version of every record, in the order of its history."""
    sent = acts(given)
    for kind in kinds:
        service, _, _ = kind.name.partition(".")
        for id_, entry in ((record["_id"], entry) for record in kind.records for entry in record["history"]):
            yield Step(kind.name, id_, entry, _that_caused(sent.get((service, entry["by"], entry["because"]), [])))


def acts(given: Log) -> Acts:
    """The commands by the act that each was sent as."""
    sent: dict[Act, list[Given]] = defaultdict(list)
    for command in given.values():
        sent[command.act].append(command)
    return sent


def _that_caused(sent: list[Given]) -> tuple[Given, ...]:
    """Of the commands that were sent as one act, those that were done; where nobody was told, those that may be."""
    done = [command for command in sent if command.done]
    return tuple(done or [command for command in sent if not command.is_refused] or sent)


# --- I1: a command is done once ---------------------------------------------------------------------------------------


def causes(given: Log, kinds: Iterable[StoredKind]) -> Iterator[Act]:
    """The act of every version that a command has caused."""
    return (step.given.act for step in steps(given, kinds) if step.given)


def done_once(given: Log, times: Mapping[Act, int]) -> Iterator[Finding]:
    """Commands answered as done are there, none is there twice, and none that was refused; `times` counts acts."""
    sent = acts(given)
    lost = [id_ for id_, command in given.items() if command.done and not times.get(command.act)]
    twice = [act for act in sent if times.get(act, 0) > 1]
    despite_refusal = [act for act in sent if all(one.is_refused for one in sent[act]) and times.get(act)]
    yield from report("I1", "commands were answered as done and are not there", lost, lost=True)
    yield from report("I1", "commands were done more than once", twice, doubled=True)
    yield from report("I1", "commands were answered as refused and done all the same", despite_refusal, doubled=True)


def ids_speak_for_one_act(given: Log) -> Iterator[Finding]:
    """Nobody was answered with the outcome of another command that had the same id."""
    done = {act: [one.command for one in sent if one.done] for act, sent in acts(given).items()}
    several = [
        act
        for act, commands in done.items()
        if any((one.method, one.arguments) != (commands[0].method, commands[0].arguments) for one in commands)
    ]
    yield from report("I1", "ids were answered as done for several acts", several, lost=True)


def every_version_has_a_cause(given: Log, kinds: Collection[StoredKind]) -> Iterator[Finding]:
    """Each version came by the command that was given for its record, or once by an event that exists."""
    all_steps = list(steps(given, kinds))
    events = {f"{step.kind.partition('.')[2]}/{step.record}/{step.entry['version']}" for step in all_steps}
    times = Counter((f"{step.cause} at {step.place}", step.cause) for step in all_steps if not step.given)
    strange = [place for place, cause in times if cause not in events]
    followed_twice = [place for (place, cause), number in times.items() if number > 1 and cause in events]
    misplaced = dict.fromkeys(f"{step.cause} at {step.place}" for step in all_steps if _is_misplaced(step))
    yield from report("I1", "versions came by no command and no event", strange, doubled=True)
    yield from report("I1", "versions stand at another record than their command's", misplaced)
    yield from report("I1", "events were followed more than once", followed_twice, doubled=True)


def _is_misplaced(step: Step) -> bool:
    """Whether the version's command was given for another record, or was answered with another one."""
    places = {expected_state.record_of(given.command, given.done) for given in step.same}
    return bool(step.same) and places != {(step.kind, step.record)}


# --- I2: histories ----------------------------------------------------------------------------------------------------


def histories_are_whole(kind: StoredKind) -> Iterator[Finding]:
    """Versions go from 1 to n without a gap and are chained by their hashes; the last one is the record (I2, I5)."""
    records = {f"{kind.name}/{record['_id']}": record for record in kind.records}
    gaps = [place for place, record in records.items() if _has_gap(record)]
    without_gap = {place: record for place, record in records.items() if place not in gaps}
    broken = [place for place, record in without_gap.items() if not _is_chained(record["history"])]
    not_last = [place for place, record in without_gap.items() if not _is_last_version(record)]
    unpublished = [
        place
        for place, record in without_gap.items()
        if record["published"] != record["version"] or "pending" in record
    ]
    yield from report("I2", "histories have gaps", gaps, lost=True)
    yield from report("I2", "histories are not chained", broken)
    yield from report("I2", "records are not what their last version says", not_last)
    yield from report("I5", "records were never published in full", unpublished)


def _has_gap(record: Document) -> bool:
    return [entry["version"] for entry in record["history"]] != list(range(1, record["version"] + 1))


def _is_last_version(record: Document) -> bool:
    """Whether the record has the hash of its last version and at least the fields of its view."""
    last, state = record["history"][-1], record["state"]
    return record["hash"] == last["hash"] and all(state.get(name) == value for name, value in last["view"].items())


def _is_chained(history: Iterable[Document]) -> bool:
    after = ""
    for entry in history:
        hashed = {name: value for name, value in entry.items() if name != "hash"}
        text = json.dumps(hashed, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        after = hashlib.sha256((after + text).encode()).hexdigest()
        if entry["hash"] != after:
            return False
    return True


def versions_are_as_ordered(given: Log, kinds: Collection[StoredKind]) -> Iterator[Finding]:
    """Every version has the values of its command, and the number under which the command was answered."""
    commanded = [(step, command) for step in steps(given, kinds) for command in step.same]
    wrong = [
        f"{step.cause} at {step.place} ({', '.join(fields)})"
        for step, command in commanded
        if (fields := _differences(command.command, step.entry["view"]))
    ]
    misnumbered = [
        f"{step.cause}: {answers}, stored as version {step.entry['version']}"
        for step, command in commanded
        if (answers := _answered_versions(command)) - {(step.record, step.entry["version"])}
    ]
    yield from report("I2", "versions are not what their command said", wrong)
    yield from report("I2", "commands were answered as another version", misnumbered)


def _differences(command: Command, view: Document) -> list[str]:
    return expected_state.differences(command, view) if command.method in expected_state.OF else []


def _answered_versions(command: Given) -> set[tuple[str | None, int | None]]:
    return {(outcome.record, outcome.version) for outcome in command.outcomes if outcome.state == "done"}


def money_is_as_ordered(given: Log, kinds: Collection[StoredKind]) -> Iterator[Finding]:
    """Every grant holds the money that its commands brought and returned, to the fen."""
    commands: dict[str, list[Command]] = defaultdict(list)
    for step in steps(given, kinds):
        if step.given:
            commands[step.place].append(step.given.command)
    money = [
        record["_id"]
        for kind in kinds
        for record in kind.records
        if kind.name == GRANTS
        and expected_state.vouchers(commands[f"{GRANTS}/{record['_id']}"]) != _vouchers(record["history"][-1]["view"])
    ]
    yield from report("I2", "grants hold other money than was received and returned", money)


def _vouchers(grant: Document) -> expected_state.Vouchers:
    return {voucher["voucher_no"]: (voucher["fen"], voucher["returned_fen"]) for voucher in grant["vouchers"]}


def listeners_kept_step(kinds: Collection[StoredKind]) -> Iterator[Finding]:
    """Records that follow others by their events have done so: receipts, stations, and activities at stations."""
    views = {kind.name: {record["_id"]: record["history"][-1]["view"] for record in kind.records} for kind in kinds}
    yield from _receipts_follow_vouchers(views[GRANTS], views["rural.fund_receipt"])
    yield from _stations_follow_points(views["rural.service_point"], views["outreach.venue"])
    yield from _activities_follow_venues(views["outreach.activity"], views["outreach.venue"])


def _receipts_follow_vouchers(grants: Views, receipts: Views) -> Iterator[Finding]:
    due = {(grant, *_money(voucher)) for grant, view in grants.items() for voucher in view["vouchers"]}
    kept = Counter((receipt["grant_id"], *_money(receipt)) for receipt in receipts.values())
    several = [receipt for receipt, number in kept.items() if number > 1]
    yield from report("I2", "vouchers have no receipt that says the same", due - kept.keys(), lost=True)
    yield from report("I2", "receipts stand for no voucher", kept.keys() - due, doubled=True)
    yield from report("I2", "vouchers have several receipts", several, doubled=True)


def _money(voucher: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(voucher[name] for name in ("voucher_no", "fen", "returned_fen", "received_on"))


def _stations_follow_points(points: Views, venues: Views) -> Iterator[Finding]:
    stations = {f"station.{point}": view for point, view in points.items() if view["completed_on"]}
    expected = {id_: "available" if view["state"] == "complete" else "suspended" for id_, view in stations.items()}
    missing = [id_ for id_, state in expected.items() if venues.get(id_, {}).get("state") != state]
    yield from report("I2", "stations are not what their service points are", missing, lost=True)


def _activities_follow_venues(activities: Views, venues: Views) -> Iterator[Finding]:
    suspended = {id_ for id_, view in venues.items() if view["state"] == "suspended"}
    scheduled = {id_: view for id_, view in activities.items() if view["state"] == "scheduled"}
    unaware = [id_ for id_, view in scheduled.items() if view["venue_suspended"] != (view["venue_id"] in suspended)]
    yield from report("I2", "activities do not know of their venue", unaware, lost=True)


# --- I3, I4: the gateway's copies -------------------------------------------------------------------------------------


def copies_are_equal(kind: StoredKind) -> Iterator[Finding]:
    """The gateway has the last version of every record, and nothing else."""
    records = {record["_id"]: record for record in kind.records}
    behind = [id_ for id_, record in records.items() if _version(kind, id_) < record["version"]]
    current = {id_: record for id_, record in records.items() if id_ not in set(behind)}
    other = [id_ for id_, record in current.items() if not _is_view_of(kind.views[id_], record)]
    yield from report("I3", f"views of {kind.name} are missing or behind", behind, lost=True)
    yield from report("I3", f"views of {kind.name} are not what their record is", other)
    yield from report("I3", f"views of {kind.name} have no record", kind.views.keys() - records.keys(), doubled=True)


def _version(kind: StoredKind, id_: str) -> int:
    """The version that the gateway has of this record; 0 where it has none."""
    return int(kind.views[id_]["version"]) if id_ in kind.views else 0


def _is_view_of(view: Document, record: Document) -> bool:
    return view["version"] == record["version"] and view["data"] == record["history"][-1]["view"]


def every_event_arrived(kind: StoredKind) -> Iterator[Finding]:
    """The gateway has one row for each version, with the same content."""
    entries = {(record["_id"], entry["version"]): entry for record in kind.records for entry in record["history"]}
    other = [key for key, row in kind.rows.items() if key in entries and not _is_row_of(row, entries[key])]
    yield from report("I4", f"events of {kind.name} never arrived", entries.keys() - kind.rows.keys(), lost=True)
    yield from report("I4", f"events of {kind.name} never happened", kind.rows.keys() - entries.keys(), doubled=True)
    yield from report("I4", f"events of {kind.name} arrived as something else", other)


def _is_row_of(row: Document, entry: Document) -> bool:
    names = {"happened": "happened", "time": "at", "actor": "by", "hash": "hash", "data": "view"}
    is_same = all(row[ours] == entry[theirs] for ours, theirs in names.items())
    return is_same and row["cause"] == cause_of(entry["because"])


# --- I5: nothing is under way -----------------------------------------------------------------------------------------


def nothing_is_under_way(waiting: Collection[str]) -> Iterator[Finding]:
    """No command, version or message waits to be handled."""
    yield from report("I5", "things still wait", waiting)


def only_poison_is_parked(poison: Collection[Poison], parked: Collection[Parked]) -> Iterator[Finding]:
    """Every parked message was injected, and all poison that a queue certainly kept was parked."""
    injected = {(message.queue, message.id) for message in poison}
    certain = {(message.queue, message.id) for message in poison if message.certain}
    kept = {(message.queue, message.message_id) for message in parked}
    good = [f"{id_} of {queue}" for queue, id_ in kept - injected]
    gone = [f"{id_} of {queue}" for queue, id_ in certain - kept]
    yield from report("I5", "good messages were parked", good, lost=True)
    yield from report("I5", "messages that nobody can handle were not parked", gone, lost=True)


def _waiting(world: World) -> list[str]:
    """The work under way, or the error of a store that does not answer yet."""
    try:
        return _under_way(world)
    except (PyMongoError, CalledProcessError) as error:
        return [f"{type(error).__name__}: {error}"]


def _under_way(world: World) -> list[str]:
    """Unfinished work in the databases; where there is none, the messages in the queues."""
    accepted = stored_state.accepted(world)
    unfinished = [
        *(f"{number} unpublished records of {kind}" for kind, number in stored_state.pending(world).items()),
        *(f"{number} versions of {kind} that the gateway lacks" for kind, number in stored_state.behind(world).items()),
        *([f"{accepted} accepted commands"] if accepted else []),
    ]
    return unfinished or [
        f"{queue.ready} messages ready and {queue.unacked} unacked in {queue.name}"
        for queue in stored_state.queues_now(world).values()
        if queue.ready or queue.unacked
    ]


# --- I6: the numbers --------------------------------------------------------------------------------------------------


def numbers_agree(expected: Mapping[str, int], numbers: Mapping[str, Numbers | None]) -> Iterator[Finding]:
    """Every gateway answers with the numbers that follow from the commands, to the unit."""
    answered = {url: values for url, values in numbers.items() if values is not None}
    yield from report("I8", "gateways do not answer", numbers.keys() - answered.keys())
    for url, (code, right) in product(answered, expected.items()):
        value = answered[url].get(code) or 0
        if value != right:
            text = f"{code} at {url} is {value} instead of {right}"
            yield Finding("I6", text, lost=int(value < right), doubled=int(value > right))


def totals(given: Log, kinds: Collection[StoredKind]) -> dict[str, int]:
    """The numbers after all commands that were done; one that was never answered is done where its record says so."""
    by_record: dict[tuple[str, str], dict[int, Command]] = defaultdict(dict)
    unanswered = _unanswered(given, kinds)
    for id_, command in given.items():
        version = command.done.version if command.done else unanswered.get(id_)
        if version is not None:
            by_record[expected_state.record_of(command.command, command.done)][version] = command.command
    in_order = (sorted(commands.items(), key=itemgetter(0)) for commands in by_record.values())
    return expected_state.totals(command for commands in in_order for _, command in commands)


def _unanswered(given: Log, kinds: Collection[StoredKind]) -> dict[str, int]:
    """The version that each command without an answer has made, by its id in the log."""
    return {
        step.given.command.id: step.entry["version"]
        for step in steps(given, kinds)
        if step.given and not step.given.done and not step.given.is_refused
    }


# --- I8, I9: every part is there, and answers -------------------------------------------------------------------------


def every_queue_is_consumed(queues: Mapping[str, Queue]) -> Iterator[Finding]:
    """Every expected queue is there and has a consumer."""
    deserted = [name for name in stored_state.expected_queues() if name not in queues or not queues[name].consumers]
    yield from report("I8", "queues have no consumer", deserted)


def all_were_answered(given: Log) -> Iterator[Finding]:
    """Every command was answered, as done or as refused."""
    silent = [id_ for id_, command in given.items() if not command.done and not command.is_refused]
    yield from report("I9", "commands were never answered", silent)
