"""Faults of the network between the processes and their stores."""

from __future__ import annotations

import time
from random import Random

from deploy.local.programs import PROGRAMS
from tests.chaos.faults.fault import fault
from tests.chaos.world.firewall import RESET
from tests.chaos.world.world import MEMBERS, World

NEEDS = ("a firewall",)
LOSS = 0.05  # of all packets


@fault("F10.broker", seconds=(2, 25), strikes=("broker",), needs=NEEDS)
def cut_off_broker(world: World, _: Random, seconds: float) -> None:
    """Drop every packet to and from the broker."""
    with world.network.without(to=_broker(world), of=_broker(world)):
        time.sleep(seconds)


@fault("F10.long", seconds=(130, 130), strikes=("broker",), needs=NEEDS, long=True)
def cut_off_broker_long(world: World, _: Random, seconds: float) -> None:
    """Drop every packet to and from the broker for two minutes."""
    with world.network.without(to=_broker(world), of=_broker(world)):
        time.sleep(seconds)


@fault("F10.answers", seconds=(2, 15), strikes=("broker",), needs=NEEDS)
def lose_answers(world: World, _: Random, seconds: float) -> None:
    """Drop the broker's answers, but not what it is sent."""
    with world.network.without(of=_broker(world)):
        time.sleep(seconds)


@fault("F10.reset", seconds=(1, 6), strikes=("broker", "database"), needs=NEEDS)
def reset(world: World, _: Random, seconds: float) -> None:
    """Reset every connection with broker and database."""
    with world.network.without(to=[*_broker(world), *_database(world)], by=_everybody(world), answer=RESET):
        time.sleep(seconds)


@fault("F10.loss", seconds=(8, 20), strikes=("broker", "database"), needs=NEEDS)
def lose_packets(world: World, _: Random, seconds: float) -> None:
    """Drop one packet in twenty."""
    ports = [*_broker(world), *_database(world)]
    with world.network.without(to=ports, of=ports, share=LOSS):
        time.sleep(seconds)


@fault("F10.database", seconds=(2, 25), strikes=("database",), needs=NEEDS)
def cut_off_database(world: World, _: Random, seconds: float) -> None:
    """Cut the services off from the database, whose members reach each other."""
    with world.network.without(to=_database(world), by=_everybody(world)):
        time.sleep(seconds)


@fault("F10.half", seconds=(5, 20), strikes=("replicas",), needs=NEEDS)
def cut_off_half(world: World, random: Random, seconds: float) -> None:
    """Cut half of the replicas off from broker and database."""
    half = [world.group(f"{name}.{random.randint(1, 2)}") for name in PROGRAMS]
    with world.network.without(to=[*_broker(world), *_database(world)], by=half):
        time.sleep(seconds)


def _broker(world: World) -> list[int]:
    return [world.port(name) for name in world.nodes]


def _database(world: World) -> list[int]:
    return [world.port(name) for name in MEMBERS]


def _everybody(world: World) -> list[int | None]:
    return [world.group(name) for name in world.names]
