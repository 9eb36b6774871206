"""A campaign: load on the whole system, faults by the schedule, and inspections from time to time.

For an inspection the clerks pause, operators repair what only they can, and when nothing is under way any more
everything that is stored is compared with the commands and their answers. The first finding ends the campaign.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from time import monotonic

import eventlet

from deploy.errors import CommandFailed
from tests.chaos.checks import invariants
from tests.chaos.checks.recovery_time import Recovery
from tests.chaos.checks.resource_usage import ResourceUsage
from tests.chaos.faults import Fault
from tests.chaos.load.clerks import Load
from tests.chaos.log.command_log import CommandLog
from tests.chaos.log.finding import Finding
from tests.chaos.result_table import Report, Score
from tests.chaos.schedule import Bout, Strike, bouts
from tests.chaos.world.world import World

INSPECT_EVERY = 300.0  # seconds of faults
BETWEEN = 2.0  # seconds from the end of faults that overlapped to the next ones
HEALED_WITHIN = 180.0  # seconds that a fault may last longer than it was meant to
SAID = 10  # findings of an inspection; the others are in the table
SHOWN = 200  # characters of a finding

Say = Callable[[str, str], None]
"""Writes a line about a fault, or about something else by its name."""


class Campaign:
    """Faults and inspections on one world; it can run once."""

    def __init__(self, world: World, load: Load, log: CommandLog, *, seed: int, say: Say) -> None:
        self._world, self._load, self._log, self._seed, self._say = world, load, log, seed, say
        self._recovery = Recovery(world, load)
        self._uninspected: set[str] = set()  # names of faults since the last inspection
        self._scores: dict[str, Score] = {}
        self._findings: list[Finding] = []
        self.going_on: list[str] = []  # the faults of this moment
        load.is_excused = lambda: bool(self.going_on)

    def run(self, faults: Sequence[Fault], seconds: float, *, inspect_every: float = INSPECT_EVERY) -> Report:
        """Let the faults strike for so many seconds, or until there is a finding, with an inspection at the end."""
        with ResourceUsage(self._world) as usage:
            self._run_schedule(bouts(faults, self._seed), seconds, inspect_every)
            for finding in usage.findings():
                self._add(finding)
        return Report(
            scores=list(self._scores.values()),
            findings=self._findings,
            commands=self._load.done,
            answers=dict(self._load.answers),
            deaths=len(self._world.deaths),
            crashes=dict(self._world.hits),
            silences=self._load.silences,
            usage=usage.figures(),
        )

    def _run_schedule(self, schedule: Iterator[Bout], seconds: float, inspect_every: float) -> None:
        """Strike bout after bout while the load works; inspect in between, and at the end, after the last command."""
        self._load.start()
        self._recover("the start")
        end = monotonic() + seconds
        while True:
            self._strike_until(min(end, monotonic() + inspect_every), schedule)
            self._inspect()
            if self._findings or monotonic() > end:
                break
            self._load.start()
        self._load.stop()

    def _strike_until(self, end: float, schedule: Iterator[Bout]) -> None:
        """Strike at least one bout, and the next ones until this moment or the first finding."""
        for bout in schedule:
            self._strike(bout)
            if monotonic() > end or self._findings or self._load.findings:
                return

    def _strike(self, bout: Bout) -> None:
        for striking in [eventlet.spawn_after(strike.after, self._inject, strike) for strike in bout]:
            striking.wait()
        if len(bout) > 1:
            eventlet.sleep(BETWEEN)
            return
        name = bout[0].fault.name
        if (seconds := self._recover(name)) is not None:
            self._scores[name].recoveries.append(seconds)

    def _inject(self, strike: Strike) -> None:
        fault = strike.fault
        self._scores.setdefault(fault.name, Score(fault.name, fault.title)).times += 1
        self._uninspected.add(fault.name)
        self.going_on.append(fault.name)
        self._say(fault.name, fault.title)
        began = monotonic()
        try:
            with eventlet.Timeout(strike.seconds + HEALED_WITHIN, TimeoutError("not over in time")):
                fault.inject(self._world, strike.random, strike.seconds)
        except Exception as error:  # noqa: BLE001 - a fault that did not strike as it should proves nothing
            self._add(Finding("fault", f"{fault.name} went wrong itself: {type(error).__name__}: {error}"))
        finally:
            self.going_on.remove(fault.name)
        self._say(fault.name, f"over after {monotonic() - began:.1f} s")

    def _recover(self, name: str) -> float | None:
        seconds = self._recovery.seconds()
        if seconds is None:
            self._add(Finding("I9", f"not recovered from {name} within a minute"))
        else:
            self._say(name, f"recovered in {seconds:.1f} s")
        return seconds

    def _inspect(self) -> None:
        """Pause, repair and check; findings count for every fault since the last inspection: any may be to blame."""
        self._say("inspection", "the clerks pause")
        self._load.pause()
        findings = self._check()
        for finding in findings[:SAID]:
            self._add(finding)
        self._findings += findings[SAID:]
        for name in self._uninspected:
            self._scores[name].lost += sum(finding.lost for finding in findings)
            self._scores[name].doubled += sum(finding.doubled for finding in findings)
        self._uninspected.clear()
        self._say("inspection", f"{len(findings)} findings after {self._load.done:,} commands")

    def _check(self) -> list[Finding]:
        """Bring everything to rest and return what does not hold; one finding where it does not come to rest."""
        by_load, self._load.findings = self._load.findings, []
        try:
            self._bring_to_rest()
            return [*by_load, *invariants.check(self._world, self._log)]
        except CommandFailed as trouble:
            return [*by_load, Finding("I8", trouble.message)]

    def _bring_to_rest(self) -> None:
        self._world.heal()
        if self._world.needs_repair:
            self._say("inspection", f"operators repair the queues of {', '.join(sorted(self._world.needs_repair))}")
            self._world.repair()
        invariants.await_quiet(self._world)

    def _add(self, finding: Finding) -> None:
        self._findings.append(finding)
        self._say(finding.invariant, f"FINDING: {finding.text[:SHOWN]}")
