"""What a fault is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from tests.chaos.world.world import World

Inject = Callable[[World, Random, float], None]


@dataclass(frozen=True)
class Fault:
    """Struck by `inject(world, random, seconds)`, which comes back when the fault is over and heals it however it ends.

    Two that strike the same part are not for the same moment; what a fault `needs` is what a world `offers`.
    """

    name: str  # F5.stop: its class as the design numbers it, and the variant
    title: str
    inject: Inject
    seconds: tuple[float, float]  # how long it lasts, at least and at most
    strikes: frozenset[str]  # of: broker, database, replicas
    needs: frozenset[str]
    long: bool  # for long campaigns only

    @property
    def family(self) -> str:
        return self.name.partition(".")[0]

    def is_possible(self, world: World) -> bool:
        return self.needs <= world.offers


def fault(
    name: str,
    title: str,
    *,
    seconds: tuple[float, float] = (3, 10),
    strikes: tuple[str, ...],
    needs: tuple[str, ...] = (),
    long: bool = False,
) -> Callable[[Inject], Fault]:
    """Makes a fault of a function, and enters it among all."""

    def enter(inject: Inject) -> Fault:
        FAULTS[name] = Fault(name, title, inject, seconds, frozenset(strikes), frozenset(needs), long)
        return FAULTS[name]

    return enter


FAULTS: dict[str, Fault] = {}
