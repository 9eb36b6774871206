"""A campaign as it was asked for: its length, its seed, its faults and its world."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from tests.chaos.campaign import INSPECT_EVERY
from tests.chaos.faults import FAULTS, Fault
from tests.chaos.load.clerks import RATE
from tests.chaos.world.world import World

LONG = 900  # seconds of a campaign that has time for the faults that take minutes


@dataclass(frozen=True, kw_only=True)
class CampaignPlan:
    """The options of a campaign."""

    seconds: float
    seed: int
    brokers: int = 1
    rate: float = RATE  # commands a second, at most
    names: tuple[str, ...] = ()  # of faults or families of them; none: all of them
    stories: tuple[str, ...] = ()  # names of those that are acted out; none: all of them
    without: str = ""  # the protection that the replicas lack
    inspect_every: float = INSPECT_EVERY

    @property
    def command(self) -> str:
        """The command that runs the same campaign again."""
        words = ["./kexie", "chaos", "--seconds", f"{self.seconds:g}", "--seed", f"{self.seed}"]
        words += ["--brokers", f"{self.brokers}"] if self.brokers > 1 else []
        words += ["--rate", f"{self.rate:g}"] if self.rate != RATE else []
        words += [word for name in self.names for word in ("--fault", name)]
        return shlex.join(words + [word for story in self.stories for word in ("--story", story)])

    def faults(self, world: World) -> tuple[list[Fault], list[Fault]]:
        """The faults of this plan that are possible in the world, and those that are not."""
        chosen = [fault for fault in FAULTS.values() if self._includes(fault)]
        possible = [fault for fault in chosen if fault.is_possible(world)]
        return possible, [fault for fault in chosen if fault not in possible]

    def _includes(self, fault: Fault) -> bool:
        if self.names:
            return fault.name in self.names or fault.family in self.names
        return self.seconds >= LONG or not fault.long
