"""Jobs of the gateway: beginning one, following it to its end, and showing what it found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from deploy.cli import following
from deploy.cli.client import Gateway, Refused
from deploy.cli.output import console, plain, table
from deploy.errors import CommandFailed

SHOWN = 50  # lines of findings

CONFLICT = 409

KEY = "The sealing key does not open what was sealed before: put the old one back (`sealing_key` of the site)."

Job = dict[str, Any]


def begin(gateway: Gateway, name: str, **body: Any) -> Job:
    """Begin a job; fail where one of that name is at work."""
    try:
        job: Job = gateway.post(name, **body)
    except Refused as refused:
        if refused.status == CONFLICT:
            raise CommandFailed(f"{refused.message} `./kexie {name} --follow` shows how far it is.") from None
        raise
    return job


def last(gateway: Gateway, name: str) -> Job:
    """Return the job of that name that is at work, or the last one."""
    job: Job = gateway.get(name)
    if job["state"] == "none":
        raise CommandFailed(f"There was no {name} yet.")
    return job


def follow(gateway: Gateway, job: Job) -> Job:
    """Show a job's progress until it ends, and return it as it ended; fail where another one has begun since."""
    name = job["job"]

    def look() -> Job:
        latest: Job = gateway.get(name)
        if latest["started_at"] != job["started_at"]:
            raise CommandFailed(f"This {name} has ended, and another one has begun.")
        return latest

    return following.follow(job, look, describe=lambda state: " ".join(filter(None, (name, state["at"]))))


@dataclass(frozen=True)
class Verdict:
    """The meaning of an ended job: the exit code of its command, and what to do next."""

    code: int
    advice: str | None = None


def judge(job: Job) -> Verdict:
    """Return what an ended job means for the operator."""
    if job["state"] == "failed":
        return Verdict(1, f"`./kexie {job['job']}` begins again; `./kexie status` shows what is away.")
    return JUDGES[job["job"]](job)


def _audit(job: Job) -> Verdict:
    if not job["found_count"]:
        return Verdict(0)
    if _is_of_key(job):
        return Verdict(1, KEY)
    return Verdict(
        1, _rebuild_for_others(job) or '`./kexie rearm --why "..."` has records that are behind published again.'
    )


def _is_of_key(job: Job) -> bool:
    """True where the sealing key is all that was found; it is the last to be looked at."""
    return job["found_count"] == 1 and job["found"][0]["what"] == "key"


def _rearm(job: Job) -> Verdict:
    """A rearm sends again what is behind, and cannot mend anything else."""
    others = _rebuild_for_others(job)
    if others:
        return Verdict(1, others)
    return Verdict(0, "`./kexie audit` shows when all of it has arrived." if job["found_count"] else None)


def _verify(job: Job) -> Verdict:
    if not job["found_count"]:
        return Verdict(0)
    if _is_of_key(job):
        return Verdict(1, KEY)
    sides = {finding["at"] for finding in job["found"]}
    if sides == {"text"} and job["found_count"] == len(job["found"]):
        return Verdict(0, "All is whole. These texts have characters that nobody can see; staff may correct them.")
    if "service" in sides:
        return Verdict(1, "Somebody changed a service's database: restore all five from a backup, never one alone.")
    return Verdict(1, '`./kexie rebuild --why "..."` makes the gateway\'s copy anew from the services.')


def _rebuild(job: Job) -> Verdict:
    if not job["found_count"]:
        return Verdict(0)
    return Verdict(1, "The gateway serves the new copy; these records are wrong at their services: `./kexie verify`.")


def _rebuild_for_others(job: Job) -> str | None:
    """Advice where the gateway has what no service has."""
    if all(finding["what"] in ("behind", "key") for finding in job["found"]):
        return None
    return 'The gateway has what no service has: `./kexie rebuild --why "..."` makes its copy anew from them.'


JUDGES = {"audit": _audit, "rearm": _rearm, "verify": _verify, "rebuild": _rebuild}


def show(job: Job) -> int:
    """Print a job, its findings and what to do next; return the exit code."""
    out, verdict = console(), judge(job)
    if job["found"]:
        columns = tuple(dict.fromkeys(name for finding in job["found"] for name in finding))
        out.print(table(columns, (tuple(map(finding.get, columns)) for finding in job["found"][:SHOWN])))
        if (more := job["found_count"] - SHOWN) > 0:
            out.print(f"and {more:,} more")
    out.print(summary(job))
    if verdict.advice:
        out.print(verdict.advice)
    return verdict.code


def summary(job: Job) -> str:
    """Return a job in one line: `audit: done, 4,000 records in 1.2 s (3,333 records/s), 3 found`."""
    how = job["state"]
    if job["error"]:
        how += f" ({plain(job['error']['en'])})"
    rate = f" ({job['done'] / job['seconds']:,.0f} {job['unit']}/s)" if job["seconds"] and job["done"] else ""
    found = f"{job['found_count']:,} found" if job["found_count"] else "nothing found"
    return f"{job['job']}: {how}, {job['done']:,} {job['unit']} in {job['seconds']:g} s{rate}, {found}"
