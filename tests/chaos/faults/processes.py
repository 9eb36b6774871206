"""Faults of the processes: they crash, freeze, stop, start in a bad order, are slow, lack files or the time."""

from __future__ import annotations

import resource
import subprocess
import time
from collections.abc import Iterable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from random import Random

from deploy.local.processes import Process
from deploy.local.programs import NAMES, PROGRAMS
from services.contract.topology import HEARS, LEDGER_QUEUE, SERVICES, queues_of
from tests.chaos.faults.fault import fault
from tests.chaos.faults.messages import poison, repeat_events
from tests.chaos.world.world import MEMBERS, World, replicas
from tests.waiting import poll, rounds

REACHED_WITHIN = 25.0  # seconds in which a replica under load gets to a crash point
READY_WITHIN = 20.0
ALL = ("replicas", "broker", "database")
HOUR = 3_600  # seconds
FEW_FILES = 12  # fewer than any process has open, so that it can open no more


# --- F1: crash --------------------------------------------------------------------------------------------------------


@fault("F1.one", seconds=(1, 3), strikes=("replicas",))
def kill_one(world: World, random: Random, seconds: float) -> None:
    """Kill one replica with SIGKILL."""
    with world.down(random.choice(world.names), at_once=True):
        time.sleep(seconds)


@fault("F1.pair", seconds=(2, 8), strikes=("replicas",))
def kill_pair(world: World, random: Random, seconds: float) -> None:
    """Kill both replicas of a program."""
    with world.down(*replicas(random.choice(PROGRAMS)), at_once=True):
        time.sleep(seconds)


@fault("F1.all", seconds=(1, 5), strikes=("replicas",))
def kill_all(world: World, _: Random, seconds: float) -> None:
    """Kill all replicas at once."""
    with world.down(*world.names, at_once=True):
        time.sleep(seconds)


@fault("F1.again", seconds=(8, 20), strikes=("replicas",))
def kill_again_and_again(world: World, random: Random, seconds: float) -> None:
    """Kill a replica every half second."""
    for _round in rounds(seconds, every=0.5):
        world.kill(random.choice(world.names))


# --- F2: crash at a named point ---------------------------------------------------------------------------------------

LISTENERS = {**{name: [queue.name for queue in queues_of(name)] for name in HEARS}, "gateway": [LEDGER_QUEUE.name]}
BUSY_LISTENERS = tuple(name for name in LISTENERS if HEARS.get(name) != ("gateway.token.revoked",))
"""The listeners with something to hear in a campaign, in which no token is revoked."""

REACHED_BY = {
    "after_commit": SERVICES,
    "before_answer": SERVICES,
    "after_publish": SERVICES,
    "before_mark": SERVICES,
    "after_apply": BUSY_LISTENERS,
    "before_ack": BUSY_LISTENERS,
    "before_park": NAMES,
    "in_transaction": ("gateway",),
}


def _crash_at(point: str, world: World, random: Random, _: float) -> None:
    """Let the replicas of a service end at the point, the first time that they get there."""
    service = random.choice(REACHED_BY[point])
    log = world.home.subfolder("crashes") / f"{point}-{time.time_ns()}"
    armed = replicas(service)  # both: it may be that only the active one gets there
    for name in armed:
        world.relaunch(name, CRASH_AT=point, CRASH_LOG=str(log))
        poll(partial(_is_ready_or_over, world, name, log), within=REACHED_WITHIN)
    _lead_to(world, service, point, random)
    try:
        poll(log.exists, within=REACHED_WITHIN)
    finally:
        _disarm(world, point, armed, log)


def _is_ready_or_over(world: World, name: str, log: Path) -> bool:
    return log.exists() or world.is_ready(name)


def _disarm(world: World, point: str, armed: tuple[str, ...], log: Path) -> None:
    """Count the crashes, and start the replicas without the crash point where one of them has not got there."""
    hits = log.read_text().count("\n") if log.exists() else 0
    world.hits[point] += hits
    if hits < len(armed):
        for name in armed:
            world.relaunch(name)


def _lead_to(world: World, service: str, point: str, random: Random) -> None:
    """Bring a replica to a point to which load alone may not bring it."""
    if point == "before_park":
        poison(world, random, [*LISTENERS.get(service, ()), *([f"rpc-{service}"] if service in SERVICES else [])])
    elif point in ("after_apply", "before_ack") and service in HEARS:
        repeat_events(world, service)


for reached in REACHED_BY:
    title = f"End a replica at {reached}"
    fault(f"F2.{reached}", title=title, seconds=(0, 0), strikes=("replicas",))(partial(_crash_at, reached))


# --- F3: freeze -------------------------------------------------------------------------------------------------------


@fault("F3.one", seconds=(3, 15), strikes=("replicas",))
def freeze_one(world: World, random: Random, seconds: float) -> None:
    """Freeze one replica."""
    with world.frozen(random.choice(world.names)):
        time.sleep(seconds)


@fault("F3.gateway", seconds=(15, 18), strikes=("replicas",))
def freeze_gateway(world: World, random: Random, seconds: float) -> None:
    """Freeze a gateway for longer than two heartbeats."""
    with world.frozen(random.choice(replicas("gateway"))):
        time.sleep(seconds)


@fault("F3.long", seconds=(130, 130), strikes=("replicas",), long=True)
def freeze_half(world: World, random: Random, seconds: float) -> None:
    """Freeze one of each two replicas for two minutes."""
    with world.frozen(*_one_of_each(random)):
        time.sleep(seconds)


# --- F4, F17: stop in good order, deploy ------------------------------------------------------------------------------


@fault("F4.one", seconds=(1, 3), strikes=("replicas",))
def stop_one(world: World, random: Random, seconds: float) -> None:
    """Stop one replica by SIGTERM."""
    with world.down(random.choice(world.names)):
        time.sleep(seconds)


@fault("F4.all", seconds=(1, 5), strikes=("replicas",))
def stop_all(world: World, _: Random, seconds: float) -> None:
    """Stop all replicas by SIGTERM."""
    with world.down(*world.names):
        time.sleep(seconds)


@fault("F4.no_broker", strikes=("replicas", "broker"))
def stop_without_broker(world: World, random: Random, seconds: float) -> None:
    """Stop half of the replicas while the broker is down."""
    with world.down(*world.nodes, at_once=True), world.down(*_one_of_each(random)):
        time.sleep(seconds)


@fault("F17.rolling", seconds=(0, 0), strikes=("replicas",))
def restart_in_turn(world: World, random: Random, _: float) -> None:
    """Restart half of the replicas, then the others."""
    first = set(_one_of_each(random))
    for half in (first, set(world.names) - first):
        _restart(world, half)
        for name in half:
            poll(partial(world.is_ready, name), within=READY_WITHIN)


@fault("F17.skew", seconds=(8, 15), strikes=("replicas",))
def differ(world: World, random: Random, seconds: float) -> None:
    """Run half of the replicas with other settings."""
    others = {"RELAY_BATCH": "3", "RPC_WORKERS": "2", "RELAY_SWEEP": "0.2", "CONFIRM_TIMEOUT": "1", "HEARTBEAT": "2"}
    _run_with(world, _one_of_each(random), seconds, **others)


# --- F15, F16, F18: slow, a wrong clock, short of files ---------------------------------------------------------------


@fault("F15.processes", strikes=("replicas",))
def slow_down(world: World, random: Random, seconds: float) -> None:
    """Slow half of the replicas down to a tenth of their speed."""
    slow = _one_of_each(random)
    for _round in rounds(seconds, every=0.05):
        with world.frozen(*slow):
            time.sleep(0.45)


@fault("F16.ahead", seconds=(8, 15), strikes=("replicas",))
def clock_ahead(world: World, random: Random, seconds: float) -> None:
    """Set the clocks of half of the replicas an hour ahead."""
    _run_with(world, _one_of_each(random), seconds, CLOCK_AHEAD=str(HOUR))


@fault("F16.behind", seconds=(8, 15), strikes=("replicas",))
def clock_behind(world: World, random: Random, seconds: float) -> None:
    """Set the clocks of half of the replicas an hour back."""
    _run_with(world, _one_of_each(random), seconds, CLOCK_AHEAD=str(-HOUR))


@fault("F18.files", strikes=("replicas", "broker"), needs=("prlimit",))
def run_short_of_files(world: World, random: Random, seconds: float) -> None:
    """Let half of the replicas open no more files."""
    with ExitStack() as limits:
        usual, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        running = {name: process for name in _one_of_each(random) if (process := world.process(name))}
        for name, process in running.items():
            _limit(world, name, process, FEW_FILES)
            limits.callback(_limit, world, name, process, usual)
        world.cut_connections()  # so that they need new ones
        time.sleep(seconds)


def _limit(world: World, name: str, process: Process, files: int) -> None:
    """Let a process open at most so many files; one that has died meanwhile needs no limit."""
    command = ("prlimit", "--pid", str(process.pid), f"--nofile={files}:")
    subprocess.run(world.grouped(name, command), check=process.is_alive)


# --- F19: start order -------------------------------------------------------------------------------------------------


@fault("F19.order", seconds=(2, 5), strikes=ALL)
def start_in_bad_order(world: World, _: Random, seconds: float) -> None:
    """Start everything in the wrong order: the programs, the database, the broker."""
    with world.down(*world.nodes, at_once=True):
        with world.down(*MEMBERS, at_once=True):
            _restart(world, world.names, at_once=True)
            time.sleep(seconds)
        time.sleep(seconds)


@fault("F19.late", seconds=(10, 20), strikes=("replicas",))
def start_late(world: World, random: Random, seconds: float) -> None:
    """Start the gateway and one listener long after the others."""
    with world.down(*replicas("gateway"), *replicas(random.choice(tuple(HEARS)))):
        time.sleep(seconds)


# ----------------------------------------------------------------------------------------------------------------------


def _one_of_each(random: Random) -> tuple[str, ...]:
    """Choose one of the two replicas of each program."""
    return tuple(random.choice(replicas(name)) for name in PROGRAMS)


def _restart(world: World, names: Iterable[str], *, at_once: bool = False) -> None:
    """Stop these and start them again as soon as they have ended."""
    with world.down(*names, at_once=at_once):
        pass


def _run_with(world: World, names: tuple[str, ...], seconds: float, **environment: str) -> None:
    """Run these replicas with other variables for so many seconds."""
    try:
        for name in names:
            world.relaunch(name, **environment)
        time.sleep(seconds)
    finally:
        for name in names:
            world.relaunch(name)
