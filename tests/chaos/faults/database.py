"""Faults of the database: elections, crashes, a part cut off, rollback, errors at a chosen command, a full disk."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from random import Random
from typing import Any

from pymongo import WriteConcern
from pymongo.errors import PyMongoError

from tests.chaos.faults.fault import fault
from tests.chaos.world import small_disk
from tests.chaos.world.world import MEMBERS, ON_SMALL_DISKS, World

DATABASE = ("database",)
WRITES = ("insert", "update", "findAndModify")
ALL = (*WRITES, "find", "aggregate", "commitTransaction")
SOMETIMES = {"activationProbability": 0.3}
STEPPING_DOWN, NO_MAJORITY = 11602, 64

(SMALL,) = {name for name in MEMBERS if name in ON_SMALL_DISKS}


# --- F11: elections, crashes, freezes, parts --------------------------------------------------------------------------


@fault("F11.step_down", "the primary steps down", seconds=(0, 0), strikes=DATABASE)
def step_down(world: World, random: Random, _: float) -> None:  # noqa: ARG001
    with world.member(world.primary()) as primary, suppress(PyMongoError):  # it may close the connection
        primary.admin.command("replSetStepDown", 10, force=True)


@fault("F11.kill", "kill -9 the primary", seconds=(1, 10), strikes=DATABASE)
def kill_primary(world: World, random: Random, seconds: float) -> None:  # noqa: ARG001
    with world.down(world.primary(), at_once=True):
        time.sleep(seconds)


@fault("F11.freeze", "the primary freezes", seconds=(5, 15), strikes=DATABASE)
def freeze_primary(world: World, random: Random, seconds: float) -> None:  # noqa: ARG001
    with world.frozen(world.primary()):
        time.sleep(seconds)


@fault("F11.secondary", "kill -9 a secondary", seconds=(1, 10), strikes=DATABASE)
def kill_secondary(world: World, random: Random, seconds: float) -> None:
    with world.down(random.choice(_others(world.primary())), at_once=True):
        time.sleep(seconds)


@fault("F11.minority", "kill -9 two of the three members", seconds=(3, 12), strikes=DATABASE)
def kill_majority(world: World, random: Random, seconds: float) -> None:
    with world.down(*random.sample(MEMBERS, 2), at_once=True):
        time.sleep(seconds)


@fault("F11.all", "kill -9 all three members", seconds=(1, 5), strikes=DATABASE)
def kill_all(world: World, random: Random, seconds: float) -> None:  # noqa: ARG001
    with world.down(*MEMBERS, at_once=True):
        time.sleep(seconds)


@fault(
    "F11.partition", "the primary is cut off from everybody", seconds=(8, 20), strikes=DATABASE, needs=("a firewall",)
)
def isolate(world: World, random: Random, seconds: float) -> None:  # noqa: ARG001
    primary = world.primary()
    with _cut_off(world, primary), world.network.without(to=[world.port(primary)], of=[world.port(primary)]):
        time.sleep(seconds)


@fault(
    "F11.rollback",
    "the primary takes writes that its majority never sees",
    seconds=(8, 15),
    strikes=DATABASE,
    needs=("a firewall",),
)
def roll_back(world: World, random: Random, seconds: float) -> None:  # noqa: ARG001
    primary = world.primary()
    with world.member(primary) as client, _cut_off(world, primary):
        junk = client["chaos"].get_collection("junk", write_concern=WriteConcern(w=1))
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            with suppress(PyMongoError):  # it steps down before long
                junk.insert_one({})
            time.sleep(0.05)


def _others(name: str) -> list[str]:
    return [other for other in MEMBERS if other != name]


@contextmanager
def _cut_off(world: World, name: str) -> Iterator[None]:
    """From the other members only."""
    here, there = world.port(name), list(map(world.port, _others(name)))
    with (
        world.network.without(to=there, by=[world.group(name)]),
        world.network.without(to=[here], by=map(world.group, _others(name))),
    ):
        yield


# --- F11, F15: commands that fail or last -----------------------------------------------------------------------------


@fault("F11.closed", "the connection is closed at a third of all writes", strikes=DATABASE)
def close_at_writes(world: World, random: Random, seconds: float) -> None:  # noqa: ARG001
    with _failing(world, WRITES, {"closeConnection": True}):
        time.sleep(seconds)


@fault("F11.error", "a third of all writes fail as in an election", strikes=DATABASE)
def fail_writes(world: World, random: Random, seconds: float) -> None:  # noqa: ARG001
    with _failing(world, WRITES, {"errorCode": STEPPING_DOWN}):
        time.sleep(seconds)


@fault("F11.unsure", "a third of all writes are done, and said to lack their majority", strikes=DATABASE)
def doubt_writes(world: World, random: Random, seconds: float) -> None:  # noqa: ARG001
    with _failing(world, (*WRITES, "commitTransaction"), {"writeConcernError": _said(NO_MAJORITY)}):
        time.sleep(seconds)


@fault("F11.commit", "the connection is closed at a third of all commits", strikes=DATABASE)
def close_at_commits(world: World, random: Random, seconds: float) -> None:  # noqa: ARG001
    with _failing(world, ("commitTransaction",), {"closeConnection": True}):
        time.sleep(seconds)


@fault("F15.database", "every command of the database takes 0.3 s longer", strikes=DATABASE)
def slow_down(world: World, random: Random, seconds: float) -> None:  # noqa: ARG001
    with _failing(world, ALL, {"blockConnection": True, "blockTimeMS": 300}, mode="alwaysOn"):
        time.sleep(seconds)


@fault(
    "F15.consumer_timeout",
    "handlers take longer than the broker waits for them",
    seconds=(10, 15),
    strikes=("database", "broker"),
)
def outlast(world: World, random: Random, seconds: float) -> None:  # noqa: ARG001
    slow = {"blockConnection": True, "blockTimeMS": 5_000}
    with _impatient(world), _failing(world, ("update", "commitTransaction"), slow, mode=SOMETIMES):
        time.sleep(seconds)


@contextmanager
def _failing(world: World, commands: tuple[str, ...], how: Mapping[str, Any], *, mode: Any = None) -> Iterator[None]:
    """Meanwhile every member fails, at these commands of clients, by chance or as `mode` says."""
    point = {"failCommands": list(commands), **how}
    with ExitStack() as points:
        for name in MEMBERS:
            points.callback(world.comes_true, partial(_fail, world, name, "off"), within=30)
            _fail(world, name, mode or SOMETIMES, point)
        yield


def _fail(world: World, name: str, mode: Any, data: Mapping[str, Any] | None = None) -> bool:
    """Whether that was done; a member that starts has no fail point."""
    with world.member(name) as client, suppress(PyMongoError):
        client.admin.command({"configureFailPoint": "failCommand", "mode": mode, "data": dict(data or {})})
        return True
    return False


def _said(code: int) -> dict[str, Any]:
    return {"code": code, "errmsg": "waiting for replication timed out"}


@contextmanager
def _impatient(world: World) -> Iterator[None]:
    """Meanwhile the broker closes a channel that acks nothing for four seconds; its usual patience is half an hour."""
    try:
        _set_patience(world, milliseconds=4_000, look=1_000)
        yield
    finally:
        world.wait(partial(_set_patience, world, milliseconds=1_800_000, look=60_000), "the broker's patience")


def _set_patience(world: World, *, milliseconds: int, look: int) -> bool:
    settings = {"consumer_timeout": milliseconds, "channel_tick_interval": look}
    said = ", ".join(f"application:set_env(rabbit, {name}, {value})" for name, value in settings.items())
    for node in range(1, len(world.nodes) + 1):
        world.control("eval", f"{said}.", node=node)
    world.cut_connections()  # those that come have the new settings
    return True


# --- F12: disk full ---------------------------------------------------------------------------------------------------


@fault(
    "F12.member",
    "the disk of a member is full, of the primary where it can be had",
    strikes=DATABASE,
    needs=("a small disk",),
)
def fill_disk(world: World, random: Random, seconds: float) -> None:  # noqa: ARG001
    with world.member(SMALL) as client, suppress(PyMongoError):
        client.admin.command("replSetStepUp")
    with small_disk.full(world.folder(SMALL)):
        time.sleep(seconds)
