"""What the gateway says of the whole system, for people."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rich.console import Console

from deploy.cli.jobs import summary
from deploy.cli.output import duration, instant, table

HEADINGS = ("service", "version", "unpublished", "oldest", "parked", "alarms", "last heard")

Said = dict[str, Any]


def show(said: Said, out: Console) -> None:
    out.print(table(HEADINGS, _rows(said)))
    out.print()
    for line in (*_queues(said["queues"]), *_answers(said), *_jobs(said["gateway"]["jobs"])):
        out.print(line)


def is_whole(said: Said) -> bool:
    """Does every service answer, and are the numbers complete?"""
    return bool(said["complete"]) and not any("away" in one for one in said["services"].values())


def _rows(said: Said) -> Iterator[tuple[Any, ...]]:
    for name, one in said["services"].items():
        heard = instant(said["heard"].get(name))
        if "away" in one:
            yield name, "AWAY", None, None, None, None, heard
            continue
        oldest = None if one["oldest_pending"] is None else duration(one["oldest_pending"])
        yield name, one["version"], one["pending"], oldest, one["parked"], one["alarms"], heard
    here = said["gateway"]
    yield "gateway", here["version"], None, None, here["parked"], here["alarms"]


def _queues(queues: dict[str, int | None]) -> Iterator[str]:
    """Those in which something waits, or that are not there."""
    if all(messages is None for messages in queues.values()):
        yield "queues: nobody can tell"
        return
    waiting = [f"{name} {messages:,}" for name, messages in queues.items() if messages]
    missing = [f"{name} is not there" for name, messages in queues.items() if messages is None]
    yield "queues: " + (", ".join((*waiting, *missing)) or "nothing waits")


def _answers(said: Said) -> Iterator[str]:
    yield "answers: " + ("complete" if said["complete"] else "NOT COMPLETE")
    for reason in said["reasons"]:
        yield "  " + ": ".join(filter(None, (reason.get("service") or reason.get("kpi"), reason["en"])))


def _jobs(jobs: dict[str, Said]) -> Iterator[str]:
    for job in jobs.values():
        yield f"last {summary(job)}, begun {instant(job['started_at'])} by {job['by']}"
