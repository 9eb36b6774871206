"""Faults of the database: elections, crashes, parts cut off, rollback, errors at chosen commands, a full disk."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from random import Random
from typing import Any

from pymongo import WriteConcern
from pymongo.collection import Collection
from pymongo.errors import PyMongoError

from tests.chaos.faults.fault import fault
from tests.chaos.world import small_disk
from tests.chaos.world.world import MEMBERS, ON_SMALL_DISKS, World
from tests.waiting import poll, rounds, wait_until

DATABASE = ("database",)
WRITES = ("insert", "update", "findAndModify")
ALL = (*WRITES, "find", "aggregate", "commitTransaction")
SOMETIMES = {"activationProbability": 0.3}
STEPPING_DOWN = 11602  # a code of MongoDB
LACKS_MAJORITY = {"code": 64, "errmsg": "waiting for replication timed out"}

(SMALL,) = {name for name in MEMBERS if name in ON_SMALL_DISKS}


# --- F11: elections, crashes, freezes, parts --------------------------------------------------------------------------


@fault("F11.step_down", seconds=(0, 0), strikes=DATABASE)
def step_down(world: World, _: Random, __: float) -> None:
    """Let the primary step down."""
    with world.member(world.primary()) as primary, suppress(PyMongoError):  # it may close the connection
        primary.admin.command("replSetStepDown", 10, force=True)


@fault("F11.kill", seconds=(1, 10), strikes=DATABASE)
def kill_primary(world: World, _: Random, seconds: float) -> None:
    """Kill the primary."""
    with world.down(world.primary(), at_once=True):
        time.sleep(seconds)


@fault("F11.freeze", seconds=(5, 15), strikes=DATABASE)
def freeze_primary(world: World, _: Random, seconds: float) -> None:
    """Freeze the primary."""
    with world.frozen(world.primary()):
        time.sleep(seconds)


@fault("F11.secondary", seconds=(1, 10), strikes=DATABASE)
def kill_secondary(world: World, random: Random, seconds: float) -> None:
    """Kill a secondary."""
    with world.down(random.choice(_others(world.primary())), at_once=True):
        time.sleep(seconds)


@fault("F11.minority", seconds=(3, 12), strikes=DATABASE)
def kill_majority(world: World, random: Random, seconds: float) -> None:
    """Kill two of the three members."""
    with world.down(*random.sample(MEMBERS, 2), at_once=True):
        time.sleep(seconds)


@fault("F11.all", seconds=(1, 5), strikes=DATABASE)
def kill_all(world: World, _: Random, seconds: float) -> None:
    """Kill all three members."""
    with world.down(*MEMBERS, at_once=True):
        time.sleep(seconds)


@fault("F11.partition", seconds=(8, 20), strikes=DATABASE, needs=("a firewall",))
def isolate(world: World, _: Random, seconds: float) -> None:
    """Cut the primary off from everybody."""
    primary = world.primary()
    with _cut_off(world, primary), world.network.without(to=[world.port(primary)], of=[world.port(primary)]):
        time.sleep(seconds)


@fault("F11.rollback", seconds=(8, 15), strikes=DATABASE, needs=("a firewall",))
def roll_back(world: World, _: Random, seconds: float) -> None:
    """Let the primary take writes that its majority never sees."""
    primary = world.primary()
    with world.member(primary) as client, _cut_off(world, primary):
        junk = client["chaos"].get_collection("junk", write_concern=WriteConcern(w=1))
        for _round in rounds(seconds, every=0.05):
            _write(junk)


def _write(junk: Collection[dict[str, Any]]) -> None:
    """Write into a member that no majority follows, unless it has stepped down."""
    with suppress(PyMongoError):
        junk.insert_one({})


def _others(name: str) -> list[str]:
    return [other for other in MEMBERS if other != name]


@contextmanager
def _cut_off(world: World, name: str) -> Iterator[None]:
    """Cut a member off from the other members only."""
    here, there = world.port(name), list(map(world.port, _others(name)))
    with (
        world.network.without(to=there, by=[world.group(name)]),
        world.network.without(to=[here], by=map(world.group, _others(name))),
    ):
        yield


# --- F11, F15: commands that fail or are slow -------------------------------------------------------------------------


@fault("F11.closed", strikes=DATABASE)
def close_at_writes(world: World, _: Random, seconds: float) -> None:
    """Close the connection at a third of all writes."""
    with _failing(world, WRITES, {"closeConnection": True}):
        time.sleep(seconds)


@fault("F11.error", strikes=DATABASE)
def fail_writes(world: World, _: Random, seconds: float) -> None:
    """Fail a third of all writes, as in an election."""
    with _failing(world, WRITES, {"errorCode": STEPPING_DOWN}):
        time.sleep(seconds)


@fault("F11.unsure", strikes=DATABASE)
def doubt_writes(world: World, _: Random, seconds: float) -> None:
    """Do a third of all writes and report that they lack their majority."""
    with _failing(world, (*WRITES, "commitTransaction"), {"writeConcernError": LACKS_MAJORITY}):
        time.sleep(seconds)


@fault("F11.commit", strikes=DATABASE)
def close_at_commits(world: World, _: Random, seconds: float) -> None:
    """Close the connection at a third of all commits."""
    with _failing(world, ("commitTransaction",), {"closeConnection": True}):
        time.sleep(seconds)


@fault("F15.database", strikes=DATABASE)
def slow_down(world: World, _: Random, seconds: float) -> None:
    """Delay every command of the database by 0.3 s."""
    with _failing(world, ALL, {"blockConnection": True, "blockTimeMS": 300}, mode="alwaysOn"):
        time.sleep(seconds)


@fault("F15.consumer_timeout", seconds=(10, 15), strikes=("database", "broker"))
def outlast(world: World, _: Random, seconds: float) -> None:
    """Let handlers take longer than the broker waits for them."""
    slow = {"blockConnection": True, "blockTimeMS": 5_000}
    with _impatient(world), _failing(world, ("update", "commitTransaction"), slow, mode=SOMETIMES):
        time.sleep(seconds)


@contextmanager
def _failing(world: World, commands: tuple[str, ...], how: Mapping[str, Any], *, mode: Any = None) -> Iterator[None]:
    """Let every member fail at these commands of clients, by chance or as `mode` says, for the time of the block."""
    point = {"failCommands": list(commands), **how}
    with ExitStack() as points:
        for name in MEMBERS:
            points.callback(poll, partial(_fail, world, name, "off"), within=30)
            _fail(world, name, mode or SOMETIMES, point)
        yield


def _fail(world: World, name: str, mode: Any, data: Mapping[str, Any] | None = None) -> bool:
    """Set the fail point of this member; False where it does not answer, and has none as it starts."""
    with world.member(name) as client, suppress(PyMongoError):
        client.admin.command({"configureFailPoint": "failCommand", "mode": mode, "data": dict(data or {})})
        return True
    return False


@contextmanager
def _impatient(world: World) -> Iterator[None]:
    """Let the broker close a channel that acks nothing for four seconds, and not for half an hour as usual."""
    try:
        _set_patience(world, milliseconds=4_000, look=1_000)
        yield
    finally:
        usual = partial(_set_patience, world, milliseconds=1_800_000, look=60_000)
        wait_until(usual, "the broker's patience", within=60)


def _set_patience(world: World, *, milliseconds: int, look: int) -> bool:
    settings = {"consumer_timeout": milliseconds, "channel_tick_interval": look}
    program = ", ".join(f"application:set_env(rabbit, {name}, {value})" for name, value in settings.items())
    for node in range(1, len(world.nodes) + 1):
        world.control("eval", f"{program}.", node=node)
    world.cut_connections()  # new connections have the new settings
    return True


# --- F12: disk full ---------------------------------------------------------------------------------------------------


@fault("F12.member", strikes=DATABASE, needs=("a small disk",))
def fill_disk(world: World, _: Random, seconds: float) -> None:
    """Fill the disk of a member, of the primary where possible."""
    with world.member(SMALL) as client, suppress(PyMongoError):
        client.admin.command("replSetStepUp")
    with small_disk.full(world.folder(SMALL)):
        time.sleep(seconds)
