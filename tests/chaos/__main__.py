"""`./kexie chaos`: a whole system of its own, faults under load, and the proof that nothing was lost or doubled."""

import deploy.image.greenthreads  # noqa: F401, I001 - before anything else

import json
import os
import shlex
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random, randrange
from typing import Any

import click

from tests.chaos.campaign import LOOK_EVERY, Campaign
from tests.chaos.log.command_log import CommandLog
from tests.chaos.faults import FAULTS, Fault
from tests.chaos.load.clerks import RATE, Load
from tests.chaos.injection.mutants import MUTANTS
from tests.chaos.live_screen import Screen
from tests.chaos.result_table import Report, Trial, show, show_trials
from tests.chaos.world.world import World
from deploy.local.home import Home
from deploy.secrets.private_files import write_privately
from deploy.local.supervisor import AskedToStop
from deploy.local.temporary_stores import remove_left_behind
from deploy.errors import Trouble
from services.chassis import log

OCCASION = "chaos"
LONG = 900  # seconds of a campaign that has time for the faults that take minutes


@dataclass(frozen=True, kw_only=True)
class Order:
    """A campaign as it is wanted."""

    seconds: float
    seed: int
    brokers: int = 1
    rate: float = RATE  # commands a second, at most
    names: tuple[str, ...] = ()  # of faults or families of them; none: all of them
    without: str = ""  # the protection that the replicas lack
    look_every: float = LOOK_EVERY

    @property
    def command(self) -> str:
        """What gives it again."""
        words = ["./kexie", "chaos", "--seconds", f"{self.seconds:g}", "--seed", f"{self.seed}"]
        words += ["--brokers", f"{self.brokers}"] if self.brokers > 1 else []
        words += ["--rate", f"{self.rate:g}"] if self.rate != RATE else []
        return shlex.join(words + [word for name in self.names for word in ("--fault", name)])

    def faults(self, world: World) -> tuple[list[Fault], list[Fault]]:
        """Those that are wanted, and those of them that are not possible in this world."""
        wanted = [fault for fault in FAULTS.values() if self._wants(fault)]
        possible = [fault for fault in wanted if fault.is_possible(world)]
        return possible, [fault for fault in wanted if fault not in possible]

    def _wants(self, fault: Fault) -> bool:
        if self.names:
            return fault.name in self.names or fault.family in self.names
        return self.seconds >= LONG or not fault.long


class Name(click.ParamType):
    """A fault, or a family of them."""

    name = "fault"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if value not in {known for fault in FAULTS.values() for known in (fault.name, fault.family)}:
            self.fail(f"{value!r} is none of {', '.join(FAULTS)}, nor a family of them", param, ctx)
        return str(value)


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--seconds", type=click.IntRange(1), default=180, show_default=True, help="For how long faults strike.")
@click.option("--seed", type=int, help="The same seed gives the same schedule; any where left out.")
@click.option("--fault", "names", type=Name(), multiple=True, help="Only this fault (F5.stop) or family (F5).")
@click.option("--brokers", type=click.Choice(["1", "3"]), default="1", show_default=True, help="Nodes of the broker.")
@click.option("--rate", type=click.FloatRange(1), default=RATE, show_default=True, help="Commands a second, at most.")
@click.option(
    "--mutants", type=click.Choice(["all", *MUTANTS]), is_flag=False, flag_value="all",
    help="Do without a protection, all in turn where none is named, and see that this is noticed.",
)  # fmt: skip
@click.option("--json", "file", type=click.Path(dir_okay=False, path_type=Path), help="Write the figures there too.")
def chaos(
    seconds: int, seed: int | None, names: tuple[str, ...], brokers: str, rate: float, mutants: str | None,
    file: Path | None,
) -> None:  # fmt: skip
    """Break whatever can break while clerks work, and prove that nothing is lost or counted twice."""
    log.set_up("CRITICAL")  # of the clerks, who expect what they meet
    screen = Screen()
    seed = randrange(1_000_000) if seed is None else seed
    try:
        if mutants is None:
            order = Order(seconds=seconds, seed=seed, brokers=int(brokers), rate=rate, names=names)
            held, figures = _hold(order, screen)
        else:
            held, figures = _try(list(MUTANTS) if mutants == "all" else [mutants], seed, screen)
    except AskedToStop as asked:
        sys.exit(128 + asked.number)
    if file:
        write_privately(file.absolute(), json.dumps(figures, indent=2, ensure_ascii=False) + "\n")
    sys.exit(0 if held else 1)


def _hold(order: Order, screen: Screen) -> tuple[bool, dict[str, Any]]:
    """Did everything hold, and the figures."""
    report = _run(order, screen)
    show(report, screen.console)
    screen.console.print(f"{'FAILED' if report.findings else 'held'}; the same again: {order.command}")
    return not report.findings, {"command": order.command, **report.figures()}


def _try(names: Sequence[str], seed: int, screen: Screen) -> tuple[bool, dict[str, Any]]:
    """Was it noticed each time, and the figures."""
    trials = []
    for name in names:
        mutant = MUTANTS[name]
        order = Order(
            seconds=mutant.seconds, seed=seed, names=mutant.faults, without=name, look_every=mutant.seconds / 3
        )
        screen.say("mutant", f"{name}: {mutant.title}")
        trials.append(Trial(name, mutant.title, _run(order, screen)))
    show_trials(trials, screen.console)
    return all(trial.seen for trial in trials), {"seed": seed, "mutants": [one.figures() for one in trials]}


def _run(order: Order, screen: Screen) -> Report:
    """In a home of its own, which stays until the next campaign where something was found."""
    kexie = Home.of_the_environment()
    kexie.make()
    remove_left_behind(kexie, OCCASION)
    home = Home(kexie.folder / f"{OCCASION}-{os.getpid()}")
    report = _report(order, home, screen)
    if report.findings and not order.without:
        screen.say("kept", f"logs and data in {home.folder}, until the next campaign")
    else:
        shutil.rmtree(home.folder)
    return report


def _report(order: Order, home: Home, screen: Screen) -> Report:
    told = {"WITHOUT": order.without} if order.without else {}
    with World(home, brokers=order.brokers, say=screen.note, told=told) as world:
        faults, left_out = order.faults(world)
        if left_out:
            screen.say("left out", ", ".join(f"{one.name} (needs {', '.join(one.needs)})" for one in left_out))
        if not faults:
            raise Trouble("None of these faults is possible here.")
        commands = CommandLog(home.folder / "commands")
        load = Load(world.settings, world.gateway_urls, commands, Random(order.seed), rate=order.rate)
        campaign = Campaign(world, load, commands, seed=order.seed, say=screen.say)
        with screen.telling(lambda: f"{load.done:,} commands; {', '.join(campaign.going_on) or 'no fault'}"):
            return campaign.run(faults, order.seconds, look_every=order.look_every)


if __name__ == "__main__":
    chaos(prog_name="./kexie chaos")
