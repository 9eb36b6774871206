"""Faults of the broker: it stops, crashes, freezes, raises alarms, falls into parts, loses its data."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from random import Random
from typing import Any

from services.contract.topology import SERVICES, EventQueue, exchange, queues, rpc_queue
from tests.chaos.faults.fault import fault
from tests.chaos.world import small_disk
from tests.chaos.world.world import World, replicas
from tests.waiting import poll, rounds, wait_until

BROKER = ("broker",)
WITH_LISTENERS = ("broker", "replicas")
LISTENERS = (*replicas("gateway"), *replicas("outreach"))  # of the fullest queues
THREE = ("three brokers",)
MEMORY = ("set_vm_memory_high_watermark", "0.00001"), ("set_vm_memory_high_watermark", "0.4")  # do, undo
SPACE = ("set_disk_free_limit", "99999GB"), ("set_disk_free_limit", "50MB")
COMMAND_WITHIN = 60.0  # seconds


# --- F5: stop, crash, freeze ------------------------------------------------------------------------------------------


@fault("F5.stop", strikes=BROKER)
def stop(world: World, random: Random, seconds: float) -> None:
    """Stop the broker and start it again."""
    with _undone(world, random, ("stop_app",), ("start_app",)):
        time.sleep(seconds)


@fault("F5.kill", strikes=BROKER)
def kill(world: World, _: Random, seconds: float) -> None:
    """Kill the whole broker."""
    with world.down(*world.nodes, at_once=True):
        time.sleep(seconds)


@fault("F5.freeze", seconds=(5, 16), strikes=BROKER)
def freeze(world: World, _: Random, seconds: float) -> None:
    """Freeze the whole broker."""
    with world.frozen(*world.nodes):
        time.sleep(seconds)


@fault("F5.long", seconds=(130, 130), strikes=BROKER, long=True)
def freeze_long(world: World, _: Random, seconds: float) -> None:
    """Freeze the whole broker for two minutes."""
    with world.frozen(*world.nodes):
        time.sleep(seconds)


# --- F6: alarms -------------------------------------------------------------------------------------------------------


@fault("F6.memory", strikes=BROKER)
def short_of_memory(world: World, random: Random, seconds: float) -> None:
    """Make the broker short of memory, so that it takes no messages."""
    with _undone(world, random, *MEMORY):
        time.sleep(seconds)


@fault("F6.disk", strikes=BROKER)
def short_of_disk(world: World, random: Random, seconds: float) -> None:
    """Make the broker short of disk, so that it takes no messages."""
    with _undone(world, random, *SPACE):
        time.sleep(seconds)


# --- F7: connections --------------------------------------------------------------------------------------------------


@fault("F7.once", seconds=(0, 0), strikes=BROKER)
def cut(world: World, _: Random, __: float) -> None:
    """Close every connection with the broker."""
    world.cut_connections()


@fault("F7.again", seconds=(6, 12), strikes=BROKER)
def cut_again_and_again(world: World, _: Random, seconds: float) -> None:
    """Close every connection with the broker, every second."""
    for _round in rounds(seconds, every=1):
        world.cut_connections()


# --- F8: queues, messages or data are lost ----------------------------------------------------------------------------


@fault("F8.delete", seconds=(2, 5), strikes=WITH_LISTENERS)
def delete_queue(world: World, random: Random, seconds: float) -> None:
    """Delete a queue that holds messages."""
    queue = random.choice((*(queue.name for queue in queues()), *map(rpc_queue, SERVICES)))
    with _unheard(world, seconds):
        _destroy(world, {queue}, lambda channel: channel.queue_delete(queue))


@fault("F8.purge", seconds=(2, 5), strikes=WITH_LISTENERS)
def purge_queues(world: World, _: Random, seconds: float) -> None:
    """Purge all queues while they hold messages."""
    with _unheard(world, seconds):
        _destroy(world, _all_queues(), lambda channel: [channel.queue_purge(queue.name) for queue in queues()])


@fault("F8.unbind", seconds=(0, 0), strikes=BROKER)
def unbind_queue(world: World, random: Random, _: float) -> None:
    """Delete the bindings of a queue."""
    queue = random.choice(queues())
    _destroy(world, {queue.name}, lambda channel: _unbind(channel, queue))


@fault("F8.exchange", seconds=(0, 0), strikes=BROKER)
def delete_exchange(world: World, random: Random, _: float) -> None:
    """Delete the exchange of a service."""
    name = exchange(random.choice(SERVICES))
    bound = {queue.name for queue in queues() if any(source == name for source, _ in queue.bindings)}
    _destroy(world, bound, lambda channel: channel.exchange_delete(name))


@fault("F8.wipe", seconds=(2, 5), strikes=WITH_LISTENERS)
def wipe(world: World, _: Random, seconds: float) -> None:
    """Delete the broker's data while all queues hold messages."""
    with _lossy(world, _all_queues()), _unheard(world, seconds):
        _start_empty(world, seconds)
        world.provision()


def _start_empty(world: World, seconds: float) -> None:
    """Restart the broker without its data, first the node that the others join."""
    founder, *others = world.nodes
    with world.down(*others, at_once=True):
        with world.down(founder, at_once=True):
            _delete_data(world)
            time.sleep(seconds)
        poll(world.founder_is_ready, within=60)
    poll(world.broker_is_ready, within=60)


def _delete_data(world: World) -> None:
    for node in world.nodes:
        shutil.rmtree(world.folder(node) / "data", ignore_errors=True)


# --- F9: parts of the broker ------------------------------------------------------------------------------------------


@fault("F9.partition", seconds=(10, 20), strikes=BROKER, needs=(*THREE, "a firewall"))
def cut_off(world: World, random: Random, seconds: float) -> None:
    """Cut one broker node off from the two others."""
    node = random.choice(world.nodes)
    others = [other for other in world.nodes if other != node]
    here, there = world.distribution_port(node), list(map(world.distribution_port, others))
    with (
        world.network.without(to=there, of=[here], by=[world.group(node)]),
        world.network.without(to=[here], by=map(world.group, others)),
    ):
        time.sleep(seconds)


@fault("F9.kill", strikes=BROKER, needs=THREE)
def kill_node(world: World, random: Random, seconds: float) -> None:
    """Kill one of three broker nodes."""
    with world.down(random.choice(world.nodes), at_once=True):
        time.sleep(seconds)


@fault("F9.freeze", seconds=(5, 16), strikes=BROKER, needs=THREE)
def freeze_node(world: World, random: Random, seconds: float) -> None:
    """Freeze one of three broker nodes."""
    with world.frozen(random.choice(world.nodes)):
        time.sleep(seconds)


# --- F12: disk full ---------------------------------------------------------------------------------------------------


@fault("F12.broker", strikes=BROKER, needs=("a small disk",))
def fill_disk(world: World, _: Random, seconds: float) -> None:
    """Fill the disk of a broker node.

    A queue whose process ended for want of space stays down until its node is started again.
    """
    node = world.nodes[0]
    with small_disk.full(world.folder(node)):
        time.sleep(seconds)
    world.kill(node)
    wait_until(world.broker_is_ready, f"{node}, whose disk is free again", within=COMMAND_WITHIN)


# ----------------------------------------------------------------------------------------------------------------------


@contextmanager
def _undone(world: World, random: Random, do: tuple[str, ...], undo: tuple[str, ...]) -> Iterator[None]:
    """Run a command of `rabbitmqctl` at any one node, and the one that undoes it however the block ends."""
    node = random.randint(1, len(world.nodes))
    try:
        wait_until(lambda: _succeeds(world, node, do), f"rabbitmqctl {do[0]}", within=COMMAND_WITHIN)
        yield
    finally:
        wait_until(lambda: _succeeds(world, node, undo), f"rabbitmqctl {undo[0]}", within=COMMAND_WITHIN)


def _succeeds(world: World, node: int, command: tuple[str, ...]) -> bool:
    """Whether the command worked, which it does not while the node starts, for example."""
    try:
        world.control(*command, node=node)
    except subprocess.CalledProcessError:
        return False
    return True


@contextmanager
def _unheard(world: World, seconds: float) -> Iterator[None]:
    """Let nobody take events out of the fullest queues, which fill for so many seconds before the block begins."""
    with world.down(*LISTENERS, at_once=True):
        time.sleep(seconds)
        yield


def _destroy(world: World, lost: set[str], how: Callable[[Any], Any]) -> None:
    with _lossy(world, lost), world.channel() as channel:
        how(channel)
        world.provision()


def _unbind(channel: Any, queue: EventQueue) -> None:
    for source, key in queue.bindings:
        channel.queue_unbind(queue.name, exchange=source, routing_key=key)


@contextmanager
def _lossy(world: World, lost: set[str]) -> Iterator[None]:
    """Note before and after the block that messages of these queues may be gone."""
    world.lose(lost)
    try:
        yield
    finally:
        world.lose(lost)


def _all_queues() -> set[str]:
    return {*(queue.name for queue in queues()), *map(rpc_queue, SERVICES)}
