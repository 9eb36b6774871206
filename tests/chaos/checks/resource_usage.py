"""Resource usage: memory and connections of the replicas, which must not grow without end (I8)."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from statistics import median
from time import monotonic
from typing import TYPE_CHECKING, Any, Self

import eventlet

from tests.chaos.log.finding import Finding, report

if TYPE_CHECKING:
    from deploy.local.processes import Process
    from tests.chaos.world.world import World

LOOK = 5.0  # seconds between two looks
LONG = 600.0  # seconds that a process has to live until growth says something
MEGABYTES = 40  # that it may grow by from the second third of its life to the last
CONNECTIONS = 20


@dataclass(frozen=True)
class Sample:
    """The usage of a process at one moment, in seconds of the monotonic clock."""

    at: float
    megabytes: float
    connections: int


class ResourceUsage:
    """Used by `with`: takes samples of every replica for the time of the block."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._lives: dict[tuple[str, Process], list[Sample]] = defaultdict(list)

    def __enter__(self) -> Self:
        self._looking = eventlet.spawn(self._look)
        return self

    def __exit__(self, *_: object) -> None:
        self._looking.kill()

    def figures(self) -> list[dict[str, Any]]:
        """Return the minutes of each replica's longest-lived process, and what it used in each third of them."""
        longest: dict[str, list[Sample]] = {}
        for (name, _), samples in self._lives.items():
            longest[name] = max(longest.get(name, []), samples, key=len)
        return [{"process": name, **_figures(samples)} for name, samples in sorted(longest.items())]

    def findings(self) -> Iterator[Finding]:
        """Find processes that lived long and used far more in the last third of their lives than in the second."""
        long_lives = [(name, life) for (name, _), life in self._lives.items() if life[-1].at - life[0].at > LONG]
        for what, allowed in (("megabytes", MEGABYTES), ("connections", CONNECTIONS)):
            used = [(name, *thirds(getattr(sample, what) for sample in life)) for name, life in long_lives]
            growing = [
                f"{name} from {middle:.0f} to {last:.0f}" for name, _, middle, last in used if last - middle > allowed
            ]
            yield from report("I8", f"processes use ever more {what}", growing)

    def _look(self) -> None:
        while True:
            for name in self._world.names:
                self._take_sample(name)
            eventlet.sleep(LOOK)

    def _take_sample(self, name: str) -> None:
        if (process := self._world.process(name)) and (sample := _sample(process.pid)):
            self._lives[name, process].append(sample)


def thirds(values: Iterable[float]) -> tuple[float, float, float]:
    """The medians of the first third of the values, of the second and of the last."""
    series = list(values)
    cut = max(1, len(series) // 3)
    return median(series[:cut]), median(series[cut : 2 * cut] or series), median(series[-cut:])


def _figures(samples: list[Sample]) -> dict[str, Any]:
    memory = [round(value) for value in thirds(sample.megabytes for sample in samples)]
    connections = [round(value) for value in thirds(sample.connections for sample in samples)]
    minutes = round((samples[-1].at - samples[0].at) / 60, 1)
    return {"minutes": minutes, "megabytes": memory, "connections": connections}


def _sample(pid: int) -> Sample | None:
    """None where the process is gone."""
    try:
        with open(f"/proc/{pid}/statm") as file:
            pages = int(file.read().split()[1])
        folder = f"/proc/{pid}/fd"
        connections = sum(_is_socket(f"{folder}/{name}") for name in os.listdir(folder))
    except (OSError, IndexError):
        return None
    return Sample(monotonic(), pages * os.sysconf("SC_PAGE_SIZE") / 1_000_000, connections)


def _is_socket(link: str) -> bool:
    try:
        return os.readlink(link).startswith("socket:")
    except OSError:
        return False  # closed meanwhile
