"""Faults of the door to outside systems, and of what the broker has for one of them."""

from __future__ import annotations

import time
from random import Random

from tests.chaos.faults.fault import fault
from tests.chaos.world import outside_bureau
from tests.chaos.world.world import World, replicas

DOORS = replicas("door")


@fault("F21.kill", seconds=(2, 8), strikes=("replicas",))
def kill_doors(world: World, _: Random, seconds: float) -> None:
    """Kill both doors."""
    with world.down(*DOORS, at_once=True):
        time.sleep(seconds)


@fault("F21.freeze", seconds=(15, 18), strikes=("replicas",))
def freeze_door(world: World, random: Random, seconds: float) -> None:
    """Freeze a door for longer than two heartbeats."""
    with world.frozen(random.choice(DOORS)):
        time.sleep(seconds)


@fault("F21.vhost", seconds=(2, 5), strikes=("broker",))
def delete_virtual_host(world: World, _: Random, seconds: float) -> None:
    """Delete an outside system's virtual host, with the requests in it."""
    world.control("delete_vhost", outside_bureau.NAME)
    try:
        time.sleep(seconds)
    finally:
        world.let_bureau_in()
