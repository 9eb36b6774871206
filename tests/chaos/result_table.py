"""What a campaign tells at its end: a row for each fault, as a table for people and as figures for programs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from rich.console import Console

from deploy.cli.output import table
from tests.chaos.log.finding import Finding

FAULTS = ("fault", "what", "times", "recovered: median", "longest", "lost", "doubled")
USE = ("process", "minutes", "MB: first third", "second", "last", "connections: first third", "second", "last")
FINDINGS = ("invariant", "lost", "doubled", "what was found")
TRIALS = ("without", "so that", "seen by", "lost", "doubled")


@dataclass
class Score:
    """What became of one fault."""

    name: str
    title: str
    times: int = 0
    recoveries: list[float] = field(default_factory=list)  # seconds, of the times when it came alone
    lost: int = 0  # found by the look after it, whichever fault before that is to blame
    doubled: int = 0

    @property
    def place(self) -> tuple[int, str]:
        """F9 before F10."""
        family, _, variant = self.name.partition(".")
        return int(family.removeprefix("F")), variant


@dataclass(frozen=True)
class Report:
    """A campaign's result."""

    scores: Sequence[Score]
    findings: Sequence[Finding]
    commands: int
    deaths: int  # of processes
    crashes: Mapping[str, int]  # at points
    silences: Mapping[str, float]  # the longest one of each service, in seconds
    use: Sequence[Mapping[str, Any]]  # memory and connections of each process

    @property
    def lost(self) -> int:
        return sum(finding.lost for finding in self.findings)

    @property
    def doubled(self) -> int:
        return sum(finding.doubled for finding in self.findings)

    def figures(self) -> dict[str, Any]:
        return {
            "commands": self.commands,
            "lost": self.lost,
            "doubled": self.doubled,
            "deaths": self.deaths,
            "crashes": dict(self.crashes),
            "silences": {service: round(seconds, 1) for service, seconds in self.silences.items()},
            "use": list(self.use),
            "faults": [
                {
                    "name": one.name,
                    "title": one.title,
                    "times": one.times,
                    "recovery": _seconds(one.recoveries),
                    "lost": one.lost,
                    "doubled": one.doubled,
                }
                for one in sorted(self.scores, key=lambda score: score.place)
            ],
            "findings": [vars(finding) for finding in self.findings],
        }


@dataclass(frozen=True)
class Trial:
    """A campaign without a protection."""

    name: str
    title: str
    report: Report

    @property
    def seen(self) -> list[str]:
        """The invariants that did not hold; a fault that went wrong itself is none."""
        return sorted({finding.invariant for finding in self.report.findings} - {"fault"})

    def figures(self) -> dict[str, Any]:
        return {"name": self.name, "title": self.title, "seen": self.seen, **self.report.figures()}


def show(report: Report, console: Console) -> None:
    said = report.figures()
    rows = [_row(one) for one in said["faults"]]
    every = [seconds for score in report.scores for seconds in score.recoveries]
    total = {"name": "all", "title": "", "times": sum(one.times for one in report.scores), "recovery": _seconds(every)}
    rows.append(_row(total | {"lost": report.lost, "doubled": report.doubled}))
    console.print("", table(FAULTS, rows), "", sep="\n")
    console.print(table(USE, map(_used, report.use)), "", sep="\n")
    console.print(f"{report.commands:,} commands; {report.deaths:,} processes died; {_crashes(report.crashes)}")
    console.print(f"answered nothing for at most: {_silences(report.silences)}")
    if report.findings:
        rows = [(one.invariant, one.lost, one.doubled, one.text) for one in report.findings]
        console.print("", table(FINDINGS, rows), sep="\n")


def show_trials(trials: Iterable[Trial], console: Console) -> None:
    rows = [
        (one.name, one.title, ", ".join(one.seen) or "NOTHING", one.report.lost, one.report.doubled) for one in trials
    ]
    console.print("", table(TRIALS, rows), sep="\n")


def _seconds(recoveries: Sequence[float]) -> dict[str, float] | None:
    if not recoveries:
        return None
    return {"median": round(median(recoveries), 2), "longest": round(max(recoveries), 2)}


def _row(said: Mapping[str, Any]) -> tuple[Any, ...]:
    took = said["recovery"]
    shown = (f"{took['median']:.1f} s", f"{took['longest']:.1f} s") if took else ("", "")
    return said["name"], said["title"], said["times"], *shown, said["lost"], said["doubled"]


def _used(said: Mapping[str, Any]) -> tuple[Any, ...]:
    return said["process"], said["minutes"], *said["megabytes"], *said["connections"]


def _silences(silences: Mapping[str, float]) -> str:
    return ", ".join(f"{service} {seconds:.1f} s" for service, seconds in silences.items())


def _crashes(crashes: Mapping[str, int]) -> str:
    told = ", ".join(f"{times} at {point}" for point, times in sorted(crashes.items()) if times)
    return f"crashed {told}" if told else "none crashed at a point"
