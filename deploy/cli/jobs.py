"""Jobs of the gateway: begun, followed to their end, and what they found."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

from deploy.cli.client import Gateway, NotReached, Refused
from deploy.cli.output import console, plain, table
from deploy.errors import Trouble

LOOK = 0.5  # seconds between two looks at how far it is
PATIENCE = 60.0  # seconds that the gateway may be away meanwhile
SHOWN = 50  # of what was found

CONFLICT = 409

Job = dict[str, Any]


def begin(gateway: Gateway, name: str, **said: Any) -> Job:
    """Refused where one of that name is at work."""
    try:
        job: Job = gateway.post(name, **said)
    except Refused as refused:
        if refused.status == CONFLICT:
            raise Trouble(f"{refused.message} `./kexie {name} --follow` shows how far it is.") from None
        raise
    return job


def last(gateway: Gateway, name: str) -> Job:
    """The one at work, or the last one."""
    job: Job = gateway.get(name)
    if job["state"] == "none":
        raise Trouble(f"There was no {name} yet.")
    return job


def follow(gateway: Gateway, job: Job) -> Job:
    """Show how far it is until it ends; the job as it ended."""
    return watch(job, partial(gateway.get, job["job"]), name=job["job"])


def watch(job: Job, look: Callable[[], Job], *, name: str) -> Job:
    """Show how far it is until it ends, looking again and again; the job as it ended."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        Rate(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console(err=True), transient=True) as progress:
        bar = progress.add_task(name)
        for now in _looks(job, look, name):
            job = now
            what = " ".join(filter(None, (name, job["at"])))
            progress.update(bar, completed=job["done"], total=job["total"] or None, description=what)
    return job


def _looks(job: Job, look: Callable[[], Job], name: str) -> Iterator[Job]:
    """The job again and again, the last time as it ended; a gateway that is away is waited for."""
    begun, heard = job["started_at"], time.monotonic()
    yield job
    while job["state"] == "running":
        time.sleep(LOOK)
        try:
            job, heard = look(), time.monotonic()
        except NotReached:
            if time.monotonic() - heard > PATIENCE:
                raise
            continue
        if job["started_at"] != begun:
            raise Trouble(f"This {name} has ended, and another one has begun.")
        yield job


class Rate(ProgressColumn):
    """Records a second, of late."""

    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:,.0f}/s" if task.speed else "")


@dataclass(frozen=True)
class Verdict:
    """What an ended job means: how the command ends, and what to do next."""

    code: int
    advice: str | None = None


def judge(job: Job) -> Verdict:
    if job["state"] == "failed":
        return Verdict(1, f"`./kexie {job['job']}` begins again; `./kexie status` tells what is away.")
    return JUDGES[job["job"]](job)


def _audit(job: Job) -> Verdict:
    if not job["found_count"]:
        return Verdict(0)
    return Verdict(1, _rebuild_for_others(job) or '`./kexie rearm --why "..."` has what is behind told again.')


def _rearm(job: Job) -> Verdict:
    """What is behind is on its way again; anything else a rearm cannot mend."""
    others = _rebuild_for_others(job)
    if others:
        return Verdict(1, others)
    return Verdict(0, "`./kexie audit` tells when all of it has arrived." if job["found_count"] else None)


def _verify(job: Job) -> Verdict:
    if not job["found_count"]:
        return Verdict(0)
    if any(one["at"] == "service" for one in job["found"]):
        return Verdict(1, "Somebody changed a service's database: restore all five from a backup, never one alone.")
    return Verdict(1, '`./kexie rebuild --why "..."` makes the gateway\'s copy anew from the services.')


def _rebuild(job: Job) -> Verdict:
    if not job["found_count"]:
        return Verdict(0)
    return Verdict(1, "The gateway serves the new copy; these records are wrong at their services: `./kexie verify`.")


def _rebuild_for_others(job: Job) -> str | None:
    """Advice where the gateway has what no service has."""
    if all(one["what"] == "behind" for one in job["found"]):
        return None
    return 'The gateway has what no service has: `./kexie rebuild --why "..."` makes its copy anew from them.'


JUDGES = {"audit": _audit, "rearm": _rearm, "verify": _verify, "rebuild": _rebuild}


def tell(job: Job) -> int:
    """Print what it did, what it found and what to do next; the exit code."""
    out, verdict = console(), judge(job)
    if job["found"]:
        out.print(table(tuple(job["found"][0]), (tuple(one.values()) for one in job["found"][:SHOWN])))
        if (more := job["found_count"] - SHOWN) > 0:
            out.print(f"and {more:,} more")
    out.print(summary(job))
    if verdict.advice:
        out.print(verdict.advice)
    return verdict.code


def summary(job: Job) -> str:
    """In one line: `audit: done, 4,000 records in 1.2 s (3,333 records/s), 3 found`."""
    how = job["state"]
    if job["error"]:
        how += f" ({plain(job['error']['en'])})"
    rate = f" ({job['done'] / job['seconds']:,.0f} {job['unit']}/s)" if job["seconds"] and job["done"] else ""
    found = f"{job['found_count']:,} found" if job["found_count"] else "nothing found"
    return f"{job['job']}: {how}, {job['done']:,} {job['unit']} in {job['seconds']:g} s{rate}, {found}"
