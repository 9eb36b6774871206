"""Jobs: work that goes through all records, of which one of each name runs at a time among all gateways.

A job runs in the gateway that began it, and its document is in MongoDB for everybody to read. A job that has not been
heard of for `SILENT` seconds died with its gateway: it counts as failed, and another one may begin. Only the
database's clock decides that.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from time import monotonic
from typing import Any

import eventlet
import msgspec
from pymongo import ReturnDocument
from pymongo.collection import Collection
from pymongo.errors import PyMongoError
from structlog import get_logger

from services.chassis.log import malfunction
from services.chassis.mongo import Document, is_passing, patiently
from services.chassis.problem import Conflict, Malfunction, Problem, Unavailable
from services.kernel.calendar import format_instant

BEAT = 0.5  # seconds between two looks at the progress of a job
PULSE = 5.0  # seconds after which progress is written although nothing has changed
SILENT = 30.0  # seconds after which a job that is not heard of counts as failed
LISTED = 1_000  # findings that are listed; all are counted
WENT_SILENT = {"en": "Its gateway went silent.", "zh": "执行任务的网关失去响应。"}

log = get_logger()


@dataclass(frozen=True)
class Job:
    """A job as it was at the instant `now` of the database's clock.

    `done` of about `total` units are finished; the job is `at` something. What it is `about` and its `result` are the
    words of whoever began it. The first `LISTED` findings are listed.
    """

    id: str
    run: str
    state: str
    by: str
    why: str | None
    unit: str
    error: dict[str, str] | None
    at: str
    done: int
    total: int
    found_count: int
    found: list[Document]
    started_at: datetime
    beat_at: datetime
    now: datetime
    ended_at: datetime | None = None
    about: Document | None = None
    result: Document = field(default_factory=dict)

    @staticmethod
    def read(document: Document) -> Job:
        """Read a job's document with the database's `now`; a job that went silent has failed."""
        job = msgspec.convert({"id": document["_id"], **document}, Job)
        return replace(job, state="failed", error=WENT_SILENT, ended_at=job.beat_at) if job.is_silent else job

    @property
    def is_silent(self) -> bool:
        """True where it should be running and has not been heard of for `SILENT` seconds."""
        return self.state == "running" and self.now - self.beat_at > timedelta(seconds=SILENT)

    @property
    def seconds(self) -> float:
        """How long it has taken, or took."""
        return round(((self.ended_at or self.now) - self.started_at).total_seconds(), 1)

    def answer(self) -> Document:
        """Describe it with its findings."""
        return {**self.outline(), "found": self.found}

    def outline(self) -> Document:
        """Describe it without its findings."""
        return {
            "job": self.id,
            "state": self.state,
            "by": self.by,
            "why": self.why,
            "started_at": format_instant(self.started_at),
            "ended_at": self.ended_at and format_instant(self.ended_at),
            "seconds": self.seconds,
            "at": self.at,
            "done": self.done,
            "total": self.total,
            "unit": self.unit,
            "found_count": self.found_count,
            "error": self.error,
        }


@dataclass
class Progress:
    """How far a job has come: the job changes it, its beat writes it down."""

    at: str = ""
    done: int = 0
    total: int = 0
    found_count: int = 0
    found: list[Document] = field(default_factory=list)
    result: Document = field(default_factory=dict)

    def add_finding(self, finding: Document) -> None:
        """Count a finding, and list it unless `LISTED` are listed already."""
        self.found_count += 1
        if len(self.found) < LISTED:
            self.found.append(finding)

    def document(self) -> Document:
        """Copy it for the job's document; `total` is an estimate that `done` may pass."""
        return {
            "at": self.at,
            "done": self.done,
            "total": max(self.done, self.total),
            "found_count": self.found_count,
            "found": list(self.found),
            "result": dict(self.result),
        }


Work = Callable[[Progress], None]


class Jobs:
    """The jobs of all gateways, and those that run in this one."""

    def __init__(self, jobs: Collection[Document], spawn: Callable[..., Any]) -> None:
        self._jobs, self._spawn = jobs, spawn
        self._running: dict[str, Run] = {}

    def start(
        self, name: str, work: Work, *, by: str, why: str | None, rest: float = 0.0, about: Document | None = None
    ) -> Job:
        """Begin a job; `Conflict` while one of that name runs or where one has ended within `rest` seconds."""
        run = uuid.uuid4().hex
        new: Document = {"_id": name, "run": run, "state": "running", "by": by, "why": why, "about": about}
        new |= {"unit": "records", "error": None, **Progress().document()}
        began = {"$mergeObjects": [{"$literal": new}, {"started_at": "$$NOW", "beat_at": "$$NOW"}]}
        stored = self._jobs.find_one_and_update(
            {"_id": name},
            [{"$replaceWith": {"$cond": [_is_taken(rest), "$$ROOT", began]}}],
            upsert=True,
            return_document=ReturnDocument.AFTER,
        )
        if stored["run"] != run:
            raise Conflict(f"{name} is at work already.", f"{name} 正在进行。", job=name, by=stored["by"])

        log.info("job started", job=name, by=by)
        self._running = {other: at_work for other, at_work in self._running.items() if not at_work.is_over}
        self._running[name] = Run(self._jobs, name, run, work, self._spawn)
        return self.read({"$match": {"_id": name}})[0]

    def find(self, name: str) -> Job | None:
        """Return the last job of that name; None where there never was one."""
        return next(iter(self.read({"$match": {"_id": name}})), None)

    def all(self) -> list[Job]:
        """Return the last job of each name, without its findings."""
        return self.read({"$set": {"found": []}})

    def stop(self) -> None:
        """End the jobs of this gateway at once; they have failed."""
        for run in self._running.values():
            run.stop()

    def read(self, *stages: Document) -> list[Job]:
        """Read the jobs that these stages of an aggregation choose, as they are now."""
        return [Job.read(document) for document in self._jobs.aggregate([*stages, {"$set": {"now": "$$NOW"}}])]


class Run:
    """A job at work in this gateway, with its beat."""

    def __init__(self, jobs: Collection[Document], name: str, run: str, work: Work, spawn: Callable[..., Any]) -> None:
        self._jobs, self._name, self._run, self._work = jobs, name, run, work
        self._progress = Progress()
        self._written: Document = {}
        self._is_over = False
        self._working = spawn(self._go, identifier=f"job {name}")
        spawn(self._beat, identifier=f"beat of {name}")

    @property
    def is_over(self) -> bool:
        """True once it has ended, was stopped or was taken over."""
        return self._is_over

    def stop(self) -> None:
        """Abort at once, because the gateway stops."""
        if self._is_over:
            return
        self._abort()
        try:
            self._end(Unavailable("Stopped with its gateway.", "已随网关停止。"))
        except PyMongoError as error:
            log.warning("job will fail by its silence", job=self._name, error=type(error).__name__)

    def _abort(self) -> None:
        self._is_over = True
        self._working.kill()

    def _go(self) -> None:
        error = self._outcome()
        self._is_over = True
        patiently(lambda: self._end(error))

    def _outcome(self) -> Problem | None:
        try:
            self._work(self._progress)
        except Problem as problem:
            return problem
        except Exception as error:  # noqa: BLE001 - the job's document says that it failed
            if is_passing(error):
                return Unavailable("The database cannot be reached.", "数据库暂不可用。")
            malfunction(error, job=self._name)
            return Malfunction()
        return None

    def _beat(self) -> None:
        """Write progress down where it changed, and every `PULSE` seconds, until the job is over."""
        pulse = monotonic() + PULSE
        while not self._is_over:
            eventlet.sleep(BEAT)
            progress = self._progress.document()
            if progress != self._written or monotonic() >= pulse:
                self._note(progress)
                pulse = monotonic() + PULSE

    def _note(self, progress: Document) -> None:
        try:
            is_ours = self._write(progress)
        except PyMongoError as error:
            log.warning("progress of a job was not written", job=self._name, error=type(error).__name__)
            return
        if not is_ours and not self._is_over:
            log.warning("job was taken over", job=self._name)
            self._abort()

    def _write(self, progress: Document) -> bool:
        """Write what has changed; False where the job is no longer ours."""
        changed = {name: value for name, value in progress.items() if self._written.get(name) != value}
        update: Document = {"$currentDate": {"beat_at": True}} | ({"$set": changed} if changed else {})
        running = {"_id": self._name, "run": self._run, "state": "running"}
        is_ours = self._jobs.update_one(running, update).matched_count > 0
        self._written = progress
        return is_ours

    def _end(self, error: Problem | None) -> None:
        ended = self._progress.document() | {"state": "failed" if error else "done"}
        ended["error"] = {"en": error.en, "zh": error.zh} if error else None
        update = {"$set": ended, "$currentDate": {"beat_at": True, "ended_at": True}}
        self._jobs.update_one({"_id": self._name, "run": self._run}, update)
        log.info("job ended", job=self._name, state=ended["state"], found=ended["found_count"])


def is_running() -> Document:
    """A filter for the jobs that run and are heard of."""
    return {"$expr": _runs()}


def _is_taken(rest: float) -> Document:
    """True where a job of this name runs, or one has ended within `rest` seconds."""
    return {"$or": [_runs(), _is_within("$ended_at", rest)]}


def _runs() -> Document:
    return {"$and": [{"$eq": ["$state", "running"]}, _is_within("$beat_at", SILENT)]}


def _is_within(instant: str, seconds: float) -> Document:
    return {"$gt": [instant, {"$subtract": ["$$NOW", int(seconds * 1_000)]}]}
