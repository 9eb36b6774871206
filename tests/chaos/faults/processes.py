"""Faults of the five: they crash, freeze, stop, start in a bad order, are slow, short of files, or wrong about time."""

from __future__ import annotations

import resource
import subprocess
import time
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from random import Random

from deploy.local.processes import Process
from deploy.local.programs import NAMES
from services.contract.topology import HEARS, LEDGER_QUEUE, SERVICES, queues_of
from tests.chaos.faults.fault import Fault, fault
from tests.chaos.faults.messages import poison, repeat_lately_heard
from tests.chaos.world.world import MEMBERS, World, replicas

REACHED_WITHIN = 25.0  # seconds, by a replica under load
READY_WITHIN = 20.0
ALL = ("replicas", "broker", "database")
HOUR = 3_600  # seconds
FEW_FILES = 12  # less than any process has open, so that it can open no more


# --- F1: crash --------------------------------------------------------------------------------------------------------


@fault("F1.one", "kill -9 one replica", seconds=(1, 3), strikes=("replicas",))
def kill_one(world: World, random: Random, seconds: float) -> None:
    with world.down(random.choice(world.names), at_once=True):
        time.sleep(seconds)


@fault("F1.pair", "kill -9 both replicas of one of the five", seconds=(2, 8), strikes=("replicas",))
def kill_pair(world: World, random: Random, seconds: float) -> None:
    service = random.choice(NAMES)
    with world.down(*replicas(service), at_once=True):
        time.sleep(seconds)


@fault("F1.all", "kill -9 all ten", seconds=(1, 5), strikes=("replicas",))
def kill_all(world: World, random: Random, seconds: float) -> None:  # noqa: ARG001
    with world.down(*world.names, at_once=True):
        time.sleep(seconds)


@fault("F1.again", "kill -9 a replica every half second", seconds=(8, 20), strikes=("replicas",))
def kill_again_and_again(world: World, random: Random, seconds: float) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        world.kill(random.choice(world.names))
        time.sleep(0.5)


# --- F2: crash at a named point ---------------------------------------------------------------------------------------

LISTENERS = {**{name: [queue.name for queue in queues_of(name)] for name in HEARS}, "gateway": [LEDGER_QUEUE.name]}
BUSY_LISTENERS = tuple(name for name in LISTENERS if HEARS.get(name) != ("gateway.token.revoked",))
"""Those that hear something in a campaign, in which no token is revoked."""

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


def _crash_at(point: str) -> Fault:
    @fault(f"F2.{point}", f"a replica ends at {point}", seconds=(0, 0), strikes=("replicas",))
    def crash(world: World, random: Random, _: float) -> None:
        service = random.choice(REACHED_BY[point])
        log = world.home.subfolder("crashes") / f"{point}-{time.time_ns()}"
        armed = replicas(service)  # both: only the active one of them may get there
        for name in armed:
            world.relaunch(name, CRASH_AT=point, CRASH_LOG=str(log))
            world.comes_true(partial(_is_ready_or_over, world, name, log), within=REACHED_WITHIN)
        _lead_to(world, service, point, random)
        try:
            world.comes_true(log.exists, within=REACHED_WITHIN)
        finally:
            hits = log.read_text().count("\n") if log.exists() else 0
            world.hits[point] += hits
            if hits < len(armed):
                for name in armed:
                    world.relaunch(name)

    return crash


def _is_ready_or_over(world: World, name: str, log: Path) -> bool:
    return log.exists() or world.is_ready(name)


def _lead_to(world: World, service: str, point: str, random: Random) -> None:
    """Where load alone need not bring a replica to the point."""
    if point == "before_park":
        poison(world, random, [*LISTENERS.get(service, ()), *([f"rpc-{service}"] if service in SERVICES else [])])
    elif point in ("after_apply", "before_ack") and service in HEARS:
        repeat_lately_heard(world, service)


for reached in REACHED_BY:
    _crash_at(reached)


# --- F3: freeze -------------------------------------------------------------------------------------------------------


@fault("F3.one", "one replica freezes", seconds=(3, 15), strikes=("replicas",))
def freeze_one(world: World, random: Random, seconds: float) -> None:
    with world.frozen(random.choice(world.names)):
        time.sleep(seconds)


@fault("F3.gateway", "a gateway freezes for longer than two heartbeats", seconds=(15, 18), strikes=("replicas",))
def freeze_gateway(world: World, random: Random, seconds: float) -> None:
    with world.frozen(random.choice(replicas("gateway"))):
        time.sleep(seconds)


@fault("F3.long", "one of each two replicas freezes", seconds=(130, 130), strikes=("replicas",), long=True)
def freeze_half(world: World, random: Random, seconds: float) -> None:
    with world.frozen(*_one_of_each(random)):
        time.sleep(seconds)


# --- F4, F17: stop in good order, deploy ------------------------------------------------------------------------------


@fault("F4.one", "SIGTERM to one replica", seconds=(1, 3), strikes=("replicas",))
def stop_one(world: World, random: Random, seconds: float) -> None:
    with world.down(random.choice(world.names)):
        time.sleep(seconds)


@fault("F4.all", "SIGTERM to all ten", seconds=(1, 5), strikes=("replicas",))
def stop_all(world: World, random: Random, seconds: float) -> None:  # noqa: ARG001
    with world.down(*world.names):
        time.sleep(seconds)


@fault("F4.no_broker", "SIGTERM to half of the replicas while the broker is away", strikes=("replicas", "broker"))
def stop_without_broker(world: World, random: Random, seconds: float) -> None:
    with world.down(*world.nodes, at_once=True), world.down(*_one_of_each(random)):
        time.sleep(seconds)


@fault("F17.rolling", "half of the replicas are restarted, then the others", seconds=(0, 0), strikes=("replicas",))
def restart_in_turn(world: World, random: Random, _: float) -> None:
    first = set(_one_of_each(random))
    for half in (first, set(world.names) - first):
        with world.down(*half):
            pass
        for name in half:
            world.comes_true(partial(world.is_ready, name), within=READY_WITHIN)


@fault("F17.skew", "half of the replicas run with other settings", seconds=(8, 15), strikes=("replicas",))
def differ(world: World, random: Random, seconds: float) -> None:
    others = {"RELAY_BATCH": "3", "RPC_WORKERS": "2", "RELAY_SWEEP": "0.2", "CONFIRM_TIMEOUT": "1", "HEARTBEAT": "2"}
    _differently(world, _one_of_each(random), seconds, **others)


# --- F15, F16, F18: slow, a wrong clock, short of files ---------------------------------------------------------------


@fault("F15.processes", "half of the replicas run at a tenth of their speed", strikes=("replicas",))
def slow_down(world: World, random: Random, seconds: float) -> None:
    until, slow = time.monotonic() + seconds, _one_of_each(random)
    while time.monotonic() < until:
        with world.frozen(*slow):
            time.sleep(0.45)
        time.sleep(0.05)


@fault("F16.ahead", "the clocks of half of the replicas are an hour ahead", seconds=(8, 15), strikes=("replicas",))
def clock_ahead(world: World, random: Random, seconds: float) -> None:
    _differently(world, _one_of_each(random), seconds, CLOCK_AHEAD=str(HOUR))


@fault("F16.behind", "the clocks of half of the replicas are an hour behind", seconds=(8, 15), strikes=("replicas",))
def clock_behind(world: World, random: Random, seconds: float) -> None:
    _differently(world, _one_of_each(random), seconds, CLOCK_AHEAD=str(-HOUR))


@fault("F18.files", "half of the replicas may open no more files", strikes=("replicas", "broker"), needs=("prlimit",))
def run_short_of_files(world: World, random: Random, seconds: float) -> None:
    with ExitStack() as limits:
        usual, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        for name in _one_of_each(random):
            if process := world.process(name):
                _limit(world, name, process, FEW_FILES)
                limits.callback(_limit, world, name, process, usual)
        world.cut_connections()  # so that they need new ones
        time.sleep(seconds)


def _limit(world: World, name: str, process: Process, files: int) -> None:
    """One that has died meanwhile is none the worse."""
    command = ("prlimit", "--pid", str(process.pid), f"--nofile={files}:")
    subprocess.run(world.grouped(name, command), check=process.is_alive)


# --- F19: start order -------------------------------------------------------------------------------------------------


@fault(
    "F19.order", "all is started anew: the five first, then the database, then the broker", seconds=(2, 5), strikes=ALL
)
def start_in_bad_order(world: World, random: Random, seconds: float) -> None:  # noqa: ARG001
    with world.down(*world.nodes, at_once=True):
        with world.down(*MEMBERS, at_once=True):
            with world.down(*world.names, at_once=True):
                pass
            time.sleep(seconds)
        time.sleep(seconds)


@fault("F19.late", "nobody counts or listens, and much later they start", seconds=(10, 20), strikes=("replicas",))
def start_late(world: World, random: Random, seconds: float) -> None:
    with world.down(*replicas("gateway"), *replicas(random.choice(tuple(HEARS)))):
        time.sleep(seconds)


# ----------------------------------------------------------------------------------------------------------------------


def _one_of_each(random: Random) -> tuple[str, ...]:
    """One of the two replicas of each of the five."""
    return tuple(random.choice(replicas(name)) for name in NAMES)


def _differently(world: World, names: tuple[str, ...], seconds: float, **environment: str) -> None:
    try:
        for name in names:
            world.relaunch(name, **environment)
        time.sleep(seconds)
    finally:
        for name in names:
            world.relaunch(name)
