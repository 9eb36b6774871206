"""Faults of the network between the five and their stores."""

from __future__ import annotations

import time
from random import Random

from deploy.local.programs import NAMES
from tests.chaos.faults.fault import fault
from tests.chaos.world.firewall import RESET
from tests.chaos.world.world import MEMBERS, World

NEEDS = ("a firewall",)
LOSS = 0.05


@fault("F10.broker", "nothing gets to the broker and back", seconds=(2, 25), strikes=("broker",), needs=NEEDS)
def cut_off_broker(world: World, random: Random, seconds: float) -> None:  # noqa: ARG001
    with world.network.without(to=_broker(world), of=_broker(world)):
        time.sleep(seconds)


@fault(
    "F10.long",
    "nothing gets to the broker and back for two minutes",
    seconds=(130, 130),
    strikes=("broker",),
    needs=NEEDS,
    long=True,
)
def cut_off_broker_long(world: World, random: Random, seconds: float) -> None:  # noqa: ARG001
    with world.network.without(to=_broker(world), of=_broker(world)):
        time.sleep(seconds)


@fault(
    "F10.answers",
    "the broker hears, but its answers do not get back",
    seconds=(2, 15),
    strikes=("broker",),
    needs=NEEDS,
)
def lose_answers(world: World, random: Random, seconds: float) -> None:  # noqa: ARG001
    with world.network.without(of=_broker(world)):
        time.sleep(seconds)


@fault(
    "F10.reset",
    "every connection with broker and database is reset",
    seconds=(1, 6),
    strikes=("broker", "database"),
    needs=NEEDS,
)
def reset(world: World, random: Random, seconds: float) -> None:  # noqa: ARG001
    with world.network.without(to=[*_broker(world), *_database(world)], by=_five(world), answer=RESET):
        time.sleep(seconds)


@fault("F10.loss", "one packet in twenty is lost", seconds=(8, 20), strikes=("broker", "database"), needs=NEEDS)
def lose_packets(world: World, random: Random, seconds: float) -> None:  # noqa: ARG001
    ports = [*_broker(world), *_database(world)]
    with world.network.without(to=ports, of=ports, share=LOSS):
        time.sleep(seconds)


@fault(
    "F10.database",
    "the five do not reach the database, whose members reach each other",
    seconds=(2, 25),
    strikes=("database",),
    needs=NEEDS,
)
def cut_off_database(world: World, random: Random, seconds: float) -> None:  # noqa: ARG001
    with world.network.without(to=_database(world), by=_five(world)):
        time.sleep(seconds)


@fault(
    "F10.half",
    "half of the replicas reach neither broker nor database",
    seconds=(5, 20),
    strikes=("replicas",),
    needs=NEEDS,
)
def cut_off_half(world: World, random: Random, seconds: float) -> None:
    half = [world.group(f"{name}.{random.randint(1, 2)}") for name in NAMES]
    with world.network.without(to=[*_broker(world), *_database(world)], by=half):
        time.sleep(seconds)


def _broker(world: World) -> list[int]:
    return [world.port(name) for name in world.nodes]


def _database(world: World) -> list[int]:
    return [world.port(name) for name in MEMBERS]


def _five(world: World) -> list[int | None]:
    return [world.group(name) for name in world.names]
