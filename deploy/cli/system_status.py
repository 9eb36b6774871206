"""The condition of the whole system as the gateway reports it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rich.console import Console

from deploy.cli.jobs import summary
from deploy.cli.output import duration, instant, table

HEADINGS = ("service", "version", "unpublished", "oldest", "parked", "alarms", "last heard")

Status = dict[str, Any]


def show(status: Status, out: Console) -> None:
    """Print what is wrong, with the next step; then services, queues, completeness of the numbers, and last jobs."""
    for trouble in status.get("troubles", ()):
        out.print(f"WRONG: {trouble['en']}")
    out.print(table(HEADINGS, _rows(status)))
    out.print()
    for line in (*_queues(status["queues"]), *_answers(status), *_jobs(status["gateway"]["jobs"])):
        out.print(line)


def is_whole(status: Status) -> bool:
    """Return whether nothing is wrong, every service answers and the numbers are complete."""
    is_away = any("away" in service for service in status["services"].values())
    return bool(status["complete"]) and not is_away and not status.get("troubles")


def _rows(status: Status) -> Iterator[tuple[Any, ...]]:
    for name, service in status["services"].items():
        heard = instant(status["heard"].get(name))
        if "away" in service:
            yield name, "AWAY", None, None, None, None, heard
            continue
        oldest = None if service["oldest_pending"] is None else duration(service["oldest_pending"])
        yield name, service["version"], service["pending"], oldest, service["parked"], service["alarms"], heard
    gateway = status["gateway"]
    yield "gateway", gateway["version"], None, None, gateway["parked"], gateway["alarms"]


def _queues(queues: dict[str, int | None]) -> Iterator[str]:
    """Queues in which messages wait, or that do not exist."""
    if all(messages is None for messages in queues.values()):
        yield "queues: not known"
        return
    waiting = [f"{name} {messages:,}" for name, messages in queues.items() if messages]
    missing = [f"{name} is not there" for name, messages in queues.items() if messages is None]
    yield "queues: " + (", ".join((*waiting, *missing)) or "nothing waits")


def _answers(status: Status) -> Iterator[str]:
    yield "answers: " + ("complete" if status["complete"] else "NOT COMPLETE")
    for reason in status["reasons"]:
        yield "  " + ": ".join(filter(None, (reason.get("service") or reason.get("kpi"), reason["en"])))


def _jobs(jobs: dict[str, Status]) -> Iterator[str]:
    for job in jobs.values():
        yield f"last {summary(job)}, begun {instant(job['started_at'])} by {job['by']}"
