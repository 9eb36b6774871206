"""Faults of the broker: it stops, crashes, freezes, raises alarms, is cut into parts, loses its data."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from random import Random
from typing import Any

from services.contract.topology import SERVICES, EventQueue, exchange, queues
from tests.chaos.faults.fault import fault
from tests.chaos.world import small_disk
from tests.chaos.world.world import World, replicas

BROKER = ("broker",)
WITH_HEARERS = ("broker", "replicas")
HEARERS = (*replicas("gateway"), *replicas("outreach"))
THREE = ("three brokers",)
MEMORY = ("set_vm_memory_high_watermark", "0.00001"), ("set_vm_memory_high_watermark", "0.4")
SPACE = ("set_disk_free_limit", "99999GB"), ("set_disk_free_limit", "50MB")


# --- F5: stop, crash, freeze ------------------------------------------------------------------------------------------


@fault("F5.stop", "the broker is stopped and started", strikes=BROKER)
def stop(world: World, random: Random, seconds: float) -> None:
    with _undone(world, random, ("stop_app",), ("start_app",)):
        time.sleep(seconds)


@fault("F5.kill", "kill -9 the whole broker", strikes=BROKER)
def kill(world: World, random: Random, seconds: float) -> None:  # noqa: ARG001
    with world.down(*world.nodes, at_once=True):
        time.sleep(seconds)


@fault("F5.freeze", "the whole broker freezes", seconds=(5, 16), strikes=BROKER)
def freeze(world: World, random: Random, seconds: float) -> None:  # noqa: ARG001
    with world.frozen(*world.nodes):
        time.sleep(seconds)


@fault("F5.long", "the whole broker freezes for two minutes", seconds=(130, 130), strikes=BROKER, long=True)
def freeze_long(world: World, random: Random, seconds: float) -> None:  # noqa: ARG001
    with world.frozen(*world.nodes):
        time.sleep(seconds)


# --- F6: alarms -------------------------------------------------------------------------------------------------------


@fault("F6.memory", "the broker is short of memory and takes no messages", strikes=BROKER)
def short_of_memory(world: World, random: Random, seconds: float) -> None:
    with _undone(world, random, *MEMORY):
        time.sleep(seconds)


@fault("F6.disk", "the broker is short of disk and takes no messages", strikes=BROKER)
def short_of_disk(world: World, random: Random, seconds: float) -> None:
    with _undone(world, random, *SPACE):
        time.sleep(seconds)


# --- F7: connections --------------------------------------------------------------------------------------------------


@fault("F7.once", "every connection with the broker is closed", seconds=(0, 0), strikes=BROKER)
def cut(world: World, random: Random, _: float) -> None:  # noqa: ARG001
    world.cut_connections()


@fault("F7.again", "every connection with the broker is closed, again and again", seconds=(6, 12), strikes=BROKER)
def cut_again_and_again(world: World, random: Random, seconds: float) -> None:  # noqa: ARG001
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        world.cut_connections()
        time.sleep(1)


# --- F8: what the broker holds is gone --------------------------------------------------------------------------------


@fault("F8.delete", "a queue with messages in it is deleted", seconds=(2, 5), strikes=WITH_HEARERS)
def delete_queue(world: World, random: Random, seconds: float) -> None:
    queue = random.choice((*(queue.name for queue in queues()), *map(_rpc_queue, SERVICES)))
    with _unheard(world, seconds):
        _destroy(world, {queue}, lambda channel: channel.queue_delete(queue))


@fault("F8.purge", "all queues are purged, with messages in them", seconds=(2, 5), strikes=WITH_HEARERS)
def purge_queues(world: World, random: Random, seconds: float) -> None:  # noqa: ARG001
    with _unheard(world, seconds):
        _destroy(world, _all(), lambda channel: [channel.queue_purge(queue.name) for queue in queues()])


@fault("F8.unbind", "a queue's bindings are deleted", seconds=(0, 0), strikes=BROKER)
def unbind_queue(world: World, random: Random, _: float) -> None:
    queue = random.choice(queues())
    _destroy(world, {queue.name}, lambda channel: _unbind(channel, queue))


@fault("F8.exchange", "a service's exchange is deleted", seconds=(0, 0), strikes=BROKER)
def delete_exchange(world: World, random: Random, _: float) -> None:
    name = exchange(random.choice(SERVICES))
    bound = {queue.name for queue in queues() if any(source == name for source, _ in queue.bindings)}
    _destroy(world, bound, lambda channel: channel.exchange_delete(name))


@fault("F8.wipe", "the broker's data are gone, with messages in all queues", seconds=(2, 5), strikes=WITH_HEARERS)
def wipe(world: World, random: Random, seconds: float) -> None:  # noqa: ARG001
    with _lossy(world, _all()), _unheard(world, seconds):
        with world.down(*world.nodes[1:], at_once=True):
            with world.down(world.nodes[0], at_once=True):
                for node in world.nodes:
                    shutil.rmtree(world.folder(node) / "data", ignore_errors=True)
                time.sleep(seconds)
            world.comes_true(world.founder_is_ready, within=60)
        world.comes_true(world.broker_is_ready, within=60)
        world.grow_queues()


# --- F9: parts of the broker ------------------------------------------------------------------------------------------


@fault(
    "F9.partition",
    "a node is cut off from the two others",
    seconds=(10, 20),
    strikes=BROKER,
    needs=(*THREE, "a firewall"),
)
def cut_off(world: World, random: Random, seconds: float) -> None:
    node = random.choice(world.nodes)
    others = [other for other in world.nodes if other != node]
    here, there = world.distribution_port(node), list(map(world.distribution_port, others))
    with (
        world.network.without(to=there, of=[here], by=[world.group(node)]),
        world.network.without(to=[here], by=map(world.group, others)),
    ):
        time.sleep(seconds)


@fault("F9.kill", "kill -9 one of three nodes", strikes=BROKER, needs=THREE)
def kill_node(world: World, random: Random, seconds: float) -> None:
    with world.down(random.choice(world.nodes), at_once=True):
        time.sleep(seconds)


@fault("F9.freeze", "one of three nodes freezes", seconds=(5, 16), strikes=BROKER, needs=THREE)
def freeze_node(world: World, random: Random, seconds: float) -> None:
    with world.frozen(random.choice(world.nodes)):
        time.sleep(seconds)


# --- F12: disk full ---------------------------------------------------------------------------------------------------


@fault("F12.broker", "the disk of a broker node is full", strikes=BROKER, needs=("a small disk",))
def fill_disk(world: World, random: Random, seconds: float) -> None:  # noqa: ARG001
    """A queue whose process fell for want of space stays down until its node is started again."""
    (node, *_) = world.nodes
    with small_disk.full(world.folder(node)):
        time.sleep(seconds)
    world.kill(node)
    world.wait(world.broker_is_ready, f"{node}, whose disk is free again")


# ----------------------------------------------------------------------------------------------------------------------


@contextmanager
def _undone(world: World, random: Random, do: tuple[str, ...], undo: tuple[str, ...]) -> Iterator[None]:
    """Done at any one node, and undone however it ends."""
    node = random.randint(1, len(world.nodes))
    try:
        world.wait(lambda: _succeeds(world, node, do), f"rabbitmqctl {do[0]}")
        yield
    finally:
        world.wait(lambda: _succeeds(world, node, undo), f"rabbitmqctl {undo[0]}")


def _succeeds(world: World, node: int, command: tuple[str, ...]) -> bool:
    """Not while the node starts, for example."""
    try:
        world.control(*command, node=node)
    except subprocess.CalledProcessError:
        return False
    return True


@contextmanager
def _unheard(world: World, seconds: float) -> Iterator[None]:
    """Nobody takes events out of the fullest queues, and for so long they fill."""
    with world.down(*HEARERS, at_once=True):
        time.sleep(seconds)
        yield


def _destroy(world: World, lost: set[str], how: Callable[[Any], Any]) -> None:
    with _lossy(world, lost), world.channel() as channel:
        how(channel)


def _unbind(channel: Any, queue: EventQueue) -> None:
    for source, key in queue.bindings:
        channel.queue_unbind(queue.name, exchange=source, routing_key=key)


@contextmanager
def _lossy(world: World, lost: set[str]) -> Iterator[None]:
    """Messages of these queues may be gone afterwards: what was poison among them need not be parked."""
    world.lose(lost)
    try:
        yield
    finally:
        world.lose(lost)


def _all() -> set[str]:
    return {*(queue.name for queue in queues()), *map(_rpc_queue, SERVICES)}


def _rpc_queue(service: str) -> str:
    return f"rpc-{service}"
