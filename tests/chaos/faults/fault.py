"""Faults, and the list of all of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from tests.chaos.world.world import World

Inject = Callable[[World, Random, float], None]


@dataclass(frozen=True)
class Fault:
    """Struck by `inject(world, random, seconds)`, which returns when the fault is over and heals it however it ends.

    Two that strike the same part do not come at the same moment; a world has to offer what a fault `needs`.
    """

    name: str  # F5.stop: its class as the design numbers it, and the variant
    title: str
    inject: Inject
    seconds: tuple[float, float]  # how long it lasts, at least and at most
    strikes: frozenset[str]  # of: broker, database, replicas, queues
    needs: frozenset[str]
    long: bool  # for long campaigns only

    @property
    def family(self) -> str:
        """The class of the fault: F5 of F5.stop."""
        return self.name.partition(".")[0]

    def is_possible(self, world: World) -> bool:
        """Whether this world offers everything that the fault needs."""
        return self.needs <= world.offers


FAULTS: dict[str, Fault] = {}
"""Every fault by its name, entered by `fault` when its module is imported."""


def fault(
    name: str,
    *,
    title: str = "",
    seconds: tuple[float, float] = (3, 10),
    strikes: tuple[str, ...],
    needs: tuple[str, ...] = (),
    long: bool = False,
) -> Callable[[Inject], Fault]:
    """Make a fault of a function and enter it; the first line of its docstring is the title where none is given."""

    def enter(inject: Inject) -> Fault:
        words = title or (inject.__doc__ or name).splitlines()[0].rstrip(".")
        FAULTS[name] = Fault(name, words, inject, seconds, frozenset(strikes), frozenset(needs), long)
        return FAULTS[name]

    return enter
