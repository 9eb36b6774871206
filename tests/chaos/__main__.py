"""`./kexie chaos`: a whole system of its own, faults under load, and the proof that nothing was lost or doubled."""

import deploy.image.greenthreads  # noqa: F401, I001 - before anything else

import json
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from random import Random, randrange
from typing import Any

import click

from deploy.errors import CommandFailed
from deploy.local.home import Home
from deploy.local.supervisor import StopRequested
from deploy.local.temporary_stores import remove_left_behind
from deploy.secrets.private_files import write_privately
from services.chassis import log
from tests.chaos.campaign import Campaign
from tests.chaos.faults import FAULTS
from tests.chaos.injection.mutants import MUTANTS
from tests.chaos.live_screen import Screen
from tests.chaos.load.clerks import RATE, Load
from tests.chaos.load.stories import STORIES
from tests.chaos.log.command_log import CommandLog
from tests.chaos.plan import CampaignPlan
from tests.chaos.result_table import Report, Trial, show, show_trials
from tests.chaos.world.world import World

OCCASION = "chaos"


class FaultName(click.ParamType):
    """The name of a fault, or of a family of them."""

    name = "fault"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the name; refuse one that no fault and no family has."""
        if value not in {known for fault in FAULTS.values() for known in (fault.name, fault.family)}:
            self.fail(f"{value!r} is none of {', '.join(FAULTS)}, nor a family of them", param, ctx)
        return str(value)


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--seconds", type=click.IntRange(1), default=180, show_default=True, help="How long faults strike.")
@click.option("--seed", type=int, help="Repeat the schedule of this seed; by default each run has another one.")
@click.option("--fault", "names", type=FaultName(), multiple=True, help="Only this fault (F5.stop) or family (F5).")
@click.option(
    "--story",
    "stories",
    type=click.Choice([story.__name__ for story in STORIES]),
    multiple=True,
    help="Let clerks act out this story only.",
)
@click.option("--brokers", type=click.Choice(["1", "3"]), default="1", show_default=True, help="Nodes of the broker.")
@click.option("--rate", type=click.FloatRange(1), default=RATE, show_default=True, help="Commands a second, at most.")
@click.option(
    "--mutants", type=click.Choice(["all", *MUTANTS]), is_flag=False, flag_value="all",
    help="Switch off this protection, or each in turn, and see that it is noticed.",
)  # fmt: skip
@click.option("--json", "file", type=click.Path(dir_okay=False, path_type=Path), help="Write the figures here too.")
def chaos(
    seconds: int, seed: int | None, names: tuple[str, ...], stories: tuple[str, ...], brokers: str, rate: float,
    mutants: str | None, file: Path | None,
) -> None:  # fmt: skip
    """Inject faults while clerks work, and prove that nothing is lost or counted twice.

    Runs on a system of its own. The exit code is 1 where an invariant does not hold, or a mutant is not noticed.
    """
    log.set_up("CRITICAL")  # the clerks expect the errors that they meet
    screen = Screen()
    seed = randrange(1_000_000) if seed is None else seed
    try:
        if mutants is None:
            plan = CampaignPlan(
                seconds=seconds, seed=seed, brokers=int(brokers), rate=rate, names=names, stories=stories
            )
            is_sound, figures = _prove(plan, screen)
        else:
            is_sound, figures = _try_mutants(list(MUTANTS) if mutants == "all" else [mutants], seed, screen)
    except StopRequested as stop:
        sys.exit(128 + stop.number)
    if file:
        write_privately(file.absolute(), json.dumps(figures, indent=2, ensure_ascii=False) + "\n")
    sys.exit(0 if is_sound else 1)


def _prove(plan: CampaignPlan, screen: Screen) -> tuple[bool, dict[str, Any]]:
    """Run a campaign; whether every invariant held, and the figures."""
    report = _run(plan, screen)
    show(report, screen.console)
    screen.console.print(f"{'FAILED' if report.findings else 'passed'}; run it again: {plan.command}")
    return not report.findings, {"command": plan.command, **report.figures()}


def _try_mutants(names: Sequence[str], seed: int, screen: Screen) -> tuple[bool, dict[str, Any]]:
    """Run a campaign for each mutant; whether each was noticed, and the figures."""
    trials = [_try_mutant(name, seed, screen) for name in names]
    show_trials(trials, screen.console)
    return all(trial.seen for trial in trials), {"seed": seed, "mutants": [trial.figures() for trial in trials]}


def _try_mutant(name: str, seed: int, screen: Screen) -> Trial:
    mutant = MUTANTS[name]
    screen.say("mutant", f"{name}: {mutant.title}")
    plan = CampaignPlan(
        seconds=mutant.seconds, seed=seed, names=mutant.faults, without=name, inspect_every=mutant.seconds / 3
    )
    return Trial(name, mutant.title, _run(plan, screen))


def _run(plan: CampaignPlan, screen: Screen) -> Report:
    """Run a campaign in a home of its own, which stays until the next campaign where there are findings."""
    kexie = Home.of_the_environment()
    kexie.make()
    remove_left_behind(kexie, OCCASION)
    home = Home(kexie.folder / f"{OCCASION}-{os.getpid()}")
    report = _run_in(home, plan, screen)
    if report.findings and not plan.without:
        screen.say("kept", f"logs and data in {home.folder}, until the next campaign")
    else:
        shutil.rmtree(home.folder)
    return report


def _run_in(home: Home, plan: CampaignPlan, screen: Screen) -> Report:
    environment = {"WITHOUT": plan.without} if plan.without else {}
    with World(home, brokers=plan.brokers, say=screen.note, environment=environment) as world:
        faults, left_out = plan.faults(world)
        if left_out:
            screen.say("left out", ", ".join(f"{fault.name} (needs {', '.join(fault.needs)})" for fault in left_out))
        if not faults:
            raise CommandFailed("None of these faults is possible here.")
        commands = CommandLog(home.folder / "commands")
        load = Load(
            world.settings,
            world.gateway_urls,
            commands,
            Random(plan.seed),
            bureau_uri=world.bureau_uri,
            rate=plan.rate,
            stories=[story for story in STORIES if story.__name__ in (plan.stories or [story.__name__])],
        )
        campaign = Campaign(world, load, commands, seed=plan.seed, say=screen.say)
        with screen.showing(lambda: f"{load.done:,} commands; {', '.join(campaign.going_on) or 'no fault'}"):
            return campaign.run(faults, plan.seconds, inspect_every=plan.inspect_every)


if __name__ == "__main__":
    chaos(prog_name="./kexie chaos")
