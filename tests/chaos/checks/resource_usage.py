"""What the replicas use: memory and connections, looked at again and again, which must not grow without end (I8)."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from statistics import median
from time import monotonic
from typing import TYPE_CHECKING, Any, Self

import eventlet

from tests.chaos.log.finding import Finding, found

if TYPE_CHECKING:
    from deploy.local.processes import Process
    from tests.chaos.world.world import World

LOOK = 5.0  # seconds between two looks
LONG = 600.0  # seconds that a process has to live until growth says something
MEGABYTES = 40  # that it may grow by from the second third of its life to the last
CONNECTIONS = 20


@dataclass(frozen=True)
class Sample:
    at: float
    megabytes: float
    connections: int


class Use:
    """Used by `with`, for as long as it is to be looked at."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._lives: dict[tuple[str, Process], list[Sample]] = defaultdict(list)

    def __enter__(self) -> Self:
        self._looking = eventlet.spawn(self._look)
        return self

    def __exit__(self, *_: object) -> None:
        self._looking.kill()

    def figures(self) -> list[dict[str, Any]]:
        """For each replica the process that lived longest: its minutes, and what it used in the parts of its life."""
        longest: dict[str, list[Sample]] = {}
        for (name, _), samples in self._lives.items():
            longest[name] = max(longest.get(name, []), samples, key=len)
        return [{"process": name, **_figures(samples)} for name, samples in sorted(longest.items())]

    def findings(self) -> Iterator[Finding]:
        for what, allowed in (("megabytes", MEGABYTES), ("connections", CONNECTIONS)):
            growing = [
                f"{name} from {used[1]:.0f} to {used[2]:.0f}"
                for (name, _), samples in self._lives.items()
                if samples[-1].at - samples[0].at > LONG
                and (used := thirds(getattr(sample, what) for sample in samples))[2] - used[1] > allowed
            ]
            yield from found("I8", f"processes use ever more {what}", growing)

    def _look(self) -> None:
        while True:
            for name in self._world.names:
                if (process := self._world.process(name)) and (sample := _sample(process.pid)):
                    self._lives[name, process].append(sample)
            eventlet.sleep(LOOK)


def thirds(values: Iterable[float]) -> tuple[float, float, float]:
    """The median of the first third, of the second and of the last."""
    held = list(values)
    cut = max(1, len(held) // 3)
    return median(held[:cut]), median(held[cut : 2 * cut] or held), median(held[-cut:])


def _figures(samples: list[Sample]) -> dict[str, Any]:
    memory = [round(value) for value in thirds(sample.megabytes for sample in samples)]
    connections = [round(value) for value in thirds(sample.connections for sample in samples)]
    minutes = round((samples[-1].at - samples[0].at) / 60, 1)
    return {"minutes": minutes, "megabytes": memory, "connections": connections}


def _sample(pid: int) -> Sample | None:
    """None where it is gone."""
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
