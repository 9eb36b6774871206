"""A campaign: load on the whole system, faults as the schedule says, and now and then a look whether all is well.

For a look the clerks pause, operators repair what only they can, and once nothing is under way any more everything that
is stored is held against what was ordered and answered. The first finding ends the campaign.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from time import monotonic

import eventlet

from deploy.errors import CommandFailed
from tests.chaos.checks import invariants
from tests.chaos.checks.recovery_time import Recovery
from tests.chaos.checks.resource_usage import Use
from tests.chaos.faults import Fault
from tests.chaos.load.clerks import Load
from tests.chaos.log.command_log import CommandLog
from tests.chaos.log.finding import Finding
from tests.chaos.result_table import Report, Score
from tests.chaos.schedule import Bout, Strike, bouts
from tests.chaos.world.world import World

LOOK_EVERY = 300.0  # seconds of faults
BETWEEN = 2.0  # seconds from the end of faults that overlapped to the next ones
HEALED_WITHIN = 180.0  # seconds that a fault may last longer than it was meant to
SAID = 10  # findings of a look; the others are in the table
SHOWN = 200  # characters of a finding

Say = Callable[[str, str], None]
"""Says of a fault, or of something else by name, what becomes of it."""


class Campaign:
    """Runs once."""

    def __init__(self, world: World, load: Load, log: CommandLog, *, seed: int, say: Say) -> None:
        self._world, self._load, self._log, self._seed, self._say = world, load, log, seed, say
        self._recovery = Recovery(world, load)
        self._since_look: set[str] = set()
        self._scores: dict[str, Score] = {}
        self._findings: list[Finding] = []
        self.going_on: list[str] = []  # the faults of this moment
        load.is_excused = lambda: bool(self.going_on)

    def run(self, faults: Sequence[Fault], seconds: float, *, look_every: float = LOOK_EVERY) -> Report:
        """Let them strike for so many seconds, or until something is found."""
        with Use(self._world) as use:
            self._go_on(faults, seconds, look_every)
            for finding in use.findings():
                self._find(finding)
        return Report(
            scores=list(self._scores.values()),
            findings=self._findings,
            commands=self._load.done,
            deaths=len(self._world.deaths),
            crashes=dict(self._world.hits),
            silences=self._load.silences,
            use=use.figures(),
        )

    def _go_on(self, faults: Sequence[Fault], seconds: float, look_every: float) -> None:
        self._load.start()
        self._recover("the start")
        end, look = monotonic() + seconds, monotonic() + look_every
        for bout in bouts(faults, self._seed):
            self._strike(bout)
            is_last = monotonic() > end or bool(self._findings or self._load.findings)
            if is_last or monotonic() > look:
                self._look()
                if is_last or self._findings:
                    break
                self._load.start()
                look = monotonic() + look_every
        self._load.stop()

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
        self._since_look.add(fault.name)
        self.going_on.append(fault.name)
        self._say(fault.name, fault.title)
        began = monotonic()
        try:
            with eventlet.Timeout(strike.seconds + HEALED_WITHIN, TimeoutError("not over in time")):
                fault.inject(self._world, strike.random, strike.seconds)
        except Exception as error:  # noqa: BLE001 - a fault that did not strike as it should proves nothing
            self._find(Finding("fault", f"{fault.name} went wrong itself: {type(error).__name__}: {error}"))
        finally:
            self.going_on.remove(fault.name)
        self._say(fault.name, f"over after {monotonic() - began:.1f} s")

    def _recover(self, name: str) -> float | None:
        seconds = self._recovery.seconds()
        if seconds is None:
            self._find(Finding("I9", f"not recovered from {name} within a minute"))
        else:
            self._say(name, f"recovered in {seconds:.1f} s")
        return seconds

    def _look(self) -> None:
        """Whatever it finds is put down to every fault since the last look, for which of them it was nobody knows."""
        self._say("look", "the clerks pause")
        self._load.pause()
        try:
            found = self._check()
        except CommandFailed as trouble:
            found = [Finding("I8", trouble.message)]
        for finding in found[:SAID]:
            self._find(finding)
        self._findings += found[SAID:]
        for name in self._since_look:
            self._scores[name].lost += sum(finding.lost for finding in found)
            self._scores[name].doubled += sum(finding.doubled for finding in found)
        self._since_look.clear()
        self._say("look", f"{len(found)} findings after {self._load.done:,} commands")

    def _check(self) -> list[Finding]:
        self._world.heal()
        if self._world.needs_repair:
            self._say("look", f"operators bring back what was in {', '.join(sorted(self._world.needs_repair))}")
            self._world.repair()
        invariants.quiet(self._world, self._log)
        by_clerks, self._load.findings = self._load.findings, []
        return [*by_clerks, *invariants.check(self._world, self._log)]

    def _find(self, finding: Finding) -> None:
        self._findings.append(finding)
        self._say(finding.invariant, f"FOUND: {finding.text[:SHOWN]}")
