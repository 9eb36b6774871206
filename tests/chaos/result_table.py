"""The result of a campaign: a row for each fault, as a table for people and as figures for programs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from rich.console import Console

from deploy.cli.output import table
from tests.chaos.log.finding import Finding

FAULTS = ("fault", "title", "times", "recovery, median", "longest", "lost", "doubled")
USAGE = ("process", "minutes", "MB: first third", "second", "last", "connections: first third", "second", "last")
FINDINGS = ("invariant", "lost", "doubled", "finding")
TRIALS = ("without", "effect", "noticed by", "lost", "doubled")


@dataclass
class Score:
    """How often a fault struck, and what came of it."""

    name: str
    title: str
    times: int = 0
    recoveries: list[float] = field(default_factory=list)  # seconds, each time that it came alone
    lost: int = 0  # by the look after it, whichever of the faults before that look is to blame
    doubled: int = 0

    @property
    def place(self) -> tuple[int, str]:
        """The sort key, by which F9 comes before F10."""
        family, _, variant = self.name.partition(".")
        return int(family.removeprefix("F")), variant

    def figures(self) -> dict[str, Any]:
        """Return the row as plain data, times in seconds."""
        return {
            "name": self.name,
            "title": self.title,
            "times": self.times,
            "recovery": _seconds(self.recoveries),
            "lost": self.lost,
            "doubled": self.doubled,
        }


@dataclass(frozen=True)
class Report:
    """A campaign's result."""

    scores: Sequence[Score]
    findings: Sequence[Finding]
    commands: int
    answers: Mapping[str, int]  # done, or the rule or code by which a command was refused
    deaths: int  # of processes
    crashes: Mapping[str, int]  # at points
    silences: Mapping[str, float]  # the longest one of each service, in seconds
    usage: Sequence[Mapping[str, Any]]  # memory and connections of each process

    @property
    def lost(self) -> int:
        """How much was lost, by all findings."""
        return sum(finding.lost for finding in self.findings)

    @property
    def doubled(self) -> int:
        """How much was doubled, by all findings."""
        return sum(finding.doubled for finding in self.findings)

    def figures(self) -> dict[str, Any]:
        """Return everything as plain data, for `--json`."""
        return {
            "commands": self.commands,
            "answers": dict(self.answers),
            "lost": self.lost,
            "doubled": self.doubled,
            "deaths": self.deaths,
            "crashes": dict(self.crashes),
            "silences": {service: round(seconds, 1) for service, seconds in self.silences.items()},
            "use": list(self.usage),
            "faults": [score.figures() for score in sorted(self.scores, key=lambda score: score.place)],
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
        """The invariants that did not hold; a fault that went wrong itself is none of them."""
        return sorted({finding.invariant for finding in self.report.findings} - {"fault"})

    def figures(self) -> dict[str, Any]:
        """Return the trial and its campaign as plain data."""
        return {"name": self.name, "title": self.title, "seen": self.seen, **self.report.figures()}


def show(report: Report, console: Console) -> None:
    """Print the tables of faults, usage and findings."""
    rows = [_row(fault) for fault in report.figures()["faults"]]
    rows.append(_row(_total(report).figures()))
    console.print("", table(FAULTS, rows), "", sep="\n")
    console.print(table(USAGE, map(_usage, report.usage)), "", sep="\n")
    console.print(f"commands by their answers: {', '.join(f'{name} {n:,}' for name, n in report.answers.items())}")
    console.print(f"{report.commands:,} commands; {report.deaths:,} processes died; {_crashes(report.crashes)}")
    console.print(f"longest time without an answer: {_silences(report.silences)}")
    if report.findings:
        rows = [(finding.invariant, finding.lost, finding.doubled, finding.text) for finding in report.findings]
        console.print("", table(FINDINGS, rows), sep="\n")


def show_trials(trials: Iterable[Trial], console: Console) -> None:
    """Print the table of mutants, each with the invariants that noticed it."""
    rows = [
        (trial.name, trial.title, ", ".join(trial.seen) or "NOTHING", trial.report.lost, trial.report.doubled)
        for trial in trials
    ]
    console.print("", table(TRIALS, rows), sep="\n")


def _total(report: Report) -> Score:
    """All faults together; findings that no fault is put down to count here."""
    times = sum(score.times for score in report.scores)
    recoveries = [seconds for score in report.scores for seconds in score.recoveries]
    return Score("all", "", times, recoveries, report.lost, report.doubled)


def _seconds(recoveries: Sequence[float]) -> dict[str, float] | None:
    if not recoveries:
        return None
    return {"median": round(median(recoveries), 2), "longest": round(max(recoveries), 2)}


def _row(score: Mapping[str, Any]) -> tuple[Any, ...]:
    recovery = score["recovery"]
    times = (f"{recovery['median']:.1f} s", f"{recovery['longest']:.1f} s") if recovery else ("", "")
    return score["name"], score["title"], score["times"], *times, score["lost"], score["doubled"]


def _usage(process: Mapping[str, Any]) -> tuple[Any, ...]:
    return process["process"], process["minutes"], *process["megabytes"], *process["connections"]


def _silences(silences: Mapping[str, float]) -> str:
    return ", ".join(f"{service} {seconds:.1f} s" for service, seconds in silences.items())


def _crashes(crashes: Mapping[str, int]) -> str:
    places = ", ".join(f"{times} at {point}" for point, times in sorted(crashes.items()) if times)
    return f"crashed {places}" if places else "none crashed at a crash point"
