"""Jobs: what goes through all records, one of each name at a time among all gateways, and how far it has come.

A job runs in the gateway that took it, and its document lies in MongoDB for everybody to read. One that has not been
heard of for `SILENT` seconds died with its gateway: it counts as failed, and another one may begin. Only the
database's clock is asked.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from time import monotonic
from typing import Any

import eventlet
from pymongo import ReturnDocument
from pymongo.collection import Collection
from pymongo.errors import PyMongoError
from structlog import get_logger

from services.chassis.log import malfunction
from services.chassis.mongo import is_passing, patiently
from services.chassis.problem import Conflict, Malfunction, Problem, Unavailable
from services.kernel.calendar import format_instant

Document = dict[str, Any]

BEAT = 0.5  # seconds between two looks at how far a job has come
PULSE = 5.0  # seconds after which it is told although nothing has changed
SILENT = 30.0  # seconds after which a job that is not heard of counts as failed
LISTED = 1_000  # of what was found, all of which is counted

log = get_logger()


@dataclass
class Progress:
    """How far a job has come: the job changes it, its beat writes it down."""

    at: str = ""
    done: int = 0
    total: int = 0
    found_count: int = 0
    found: list[Document] = field(default_factory=list)
    result: Document = field(default_factory=dict)

    def find(self, document: Document) -> None:
        self.found_count += 1
        if len(self.found) < LISTED:
            self.found.append(document)

    def say(self) -> Document:
        """`total` is an estimate that `done` may pass."""
        told = {"at": self.at, "done": self.done, "total": max(self.done, self.total)}
        return told | {"found_count": self.found_count, "found": list(self.found), "result": dict(self.result)}


Work = Callable[[Progress], None]


class Jobs:
    """The jobs of all gateways, and those that run in this one."""

    def __init__(self, jobs: Collection[Document], spawn: Callable[..., Any]) -> None:
        self._jobs, self._spawn = jobs, spawn
        self._running: dict[str, Run] = {}

    def start(
        self, name: str, work: Work, *, by: str, why: str | None, rest: float = 0.0, about: Document | None = None
    ) -> Document:
        """Begin it; `Conflict` while one of that name runs or where one has ended within `rest` seconds.

        `about` is kept with it.
        """
        run = uuid.uuid4().hex
        new: Document = {"_id": name, "run": run, "state": "running", "by": by, "why": why, "about": about}
        new |= {"unit": "records", "error": None, **Progress().say()}
        began = {"$mergeObjects": [{"$literal": new}, {"started_at": "$$NOW", "beat_at": "$$NOW"}]}
        held = self._jobs.find_one_and_update(
            {"_id": name},
            [{"$replaceWith": {"$cond": [_is_taken(rest), "$$ROOT", began]}}],
            upsert=True,
            return_document=ReturnDocument.AFTER,
        )
        if held["run"] != run:
            raise Conflict(f"{name} is at work already.", f"{name} 正在进行。", job=name, by=held["by"])
        log.info("job started", job=name, by=by)
        self._running = {other: one for other, one in self._running.items() if not one.is_over}
        self._running[name] = Run(self._jobs, name, run, work, self._spawn)
        return self.find(name)

    def find(self, name: str) -> Document:
        """The last job of that name; its state is `none` where there never was one."""
        return next((told(held) for held in self.read({"$match": {"_id": name}})), {"job": name, "state": "none"})

    def all(self) -> dict[str, Document]:
        """The last job of each name, without what it found."""
        jobs = (told(held | {"found": []}) for held in self.read())
        return {job["job"]: {name: value for name, value in job.items() if name != "found"} for job in jobs}

    def stop(self) -> None:
        for run in self._running.values():
            run.stop()

    def read(self, *stages: Document) -> list[Document]:
        """The documents of these jobs, from which `told` tells how each is now."""
        return list(self._jobs.aggregate([*stages, {"$set": {"now": "$$NOW"}}]))


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
        return self._is_over

    def stop(self) -> None:
        """Its gateway ends: so does it, at once."""
        if self._is_over:
            return
        self._is_over = True
        self._working.kill()
        try:
            self._end(Unavailable("Stopped with its gateway.", "已随网关停止。"))
        except PyMongoError as error:
            log.warning("job is found dead by its silence", job=self._name, error=type(error).__name__)

    def _go(self) -> None:
        error = self._outcome()
        self._is_over = True
        patiently(lambda: self._end(error))

    def _outcome(self) -> Problem | None:
        try:
            self._work(self._progress)
        except Problem as problem:
            return problem
        except Exception as error:  # noqa: BLE001 - whatever it was, the job's document says so
            if is_passing(error):
                return Unavailable("The database cannot be reached.", "数据库暂不可用。")
            malfunction(error, job=self._name)
            return Malfunction()
        return None

    def _beat(self) -> None:
        pulse = monotonic() + PULSE
        while not self._is_over:
            eventlet.sleep(BEAT)
            told = self._progress.say()
            if told == self._written and monotonic() < pulse:
                continue
            try:
                if not self._write(told) and not self._is_over:
                    log.warning("job was taken over", job=self._name)
                    self._is_over = True
                    self._working.kill()
            except PyMongoError as error:
                log.warning("job cannot be written down", job=self._name, error=type(error).__name__)
            pulse = monotonic() + PULSE

    def _write(self, told: Document) -> bool:
        """False where the job is no longer ours."""
        changed = {name: value for name, value in told.items() if self._written.get(name) != value}
        update: Document = {"$currentDate": {"beat_at": True}} | ({"$set": changed} if changed else {})
        running = {"_id": self._name, "run": self._run, "state": "running"}
        is_ours = self._jobs.update_one(running, update).matched_count > 0
        self._written = told
        return is_ours

    def _end(self, error: Problem | None) -> None:
        ended = self._progress.say() | {"state": "failed" if error else "done"}
        ended["error"] = {"en": error.en, "zh": error.zh} if error else None
        update = {"$set": ended, "$currentDate": {"beat_at": True, "ended_at": True}}
        self._jobs.update_one({"_id": self._name, "run": self._run}, update)
        log.info("job ended", job=self._name, state=ended["state"], found=ended["found_count"])


def is_running() -> Document:
    """Which jobs are at work and heard of."""
    return {"$expr": {"$and": [{"$eq": ["$state", "running"]}, _is_within("$beat_at", SILENT)]}}


def _is_taken(rest: float) -> Document:
    """Does one of this name run, or has one ended within `rest` seconds?"""
    runs = {"$and": [{"$eq": ["$state", "running"]}, _is_within("$beat_at", SILENT)]}
    return {"$or": [runs, _is_within("$ended_at", rest)]}


def _is_within(instant: str, seconds: float) -> Document:
    return {"$gt": [instant, {"$subtract": ["$$NOW", int(seconds * 1_000)]}]}


def told(held: Document) -> Document:
    """The job as it is told; one that went silent has failed."""
    state, error, ended = held["state"], held["error"], held.get("ended_at")
    if state == "running" and held["now"] - held["beat_at"] > timedelta(seconds=SILENT):
        state, ended = "failed", held["beat_at"]
        error = {"en": "Its gateway went silent.", "zh": "执行任务的网关失去响应。"}
    return {
        "job": held["_id"],
        "state": state,
        "by": held["by"],
        "why": held["why"],
        "started_at": format_instant(held["started_at"]),
        "ended_at": format_instant(ended) if ended else None,
        "seconds": round(((ended or held["now"]) - held["started_at"]).total_seconds(), 1),
        **{name: held[name] for name in ("at", "done", "total", "unit", "found", "found_count")},
        "error": error,
    }
