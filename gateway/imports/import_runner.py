"""The import runner works in the background on imports that wait, and on those whose gateway died."""

from __future__ import annotations

from contextlib import suppress
from time import monotonic
from typing import Any

import eventlet
from pymongo.errors import PyMongoError
from structlog import get_logger

from gateway.imports import import_record
from gateway.imports.import_record import Import
from gateway.imports.import_store import ImportStore, TakenOver
from gateway.imports.import_worker import ImportWorker
from services.chassis.amqp import Link
from services.chassis.log import malfunction
from services.chassis.loop import Loop
from services.chassis.mongo import is_passing
from services.chassis.problem import Malfunction, Overloaded, Problem, Unavailable

LOOK = 1.0  # seconds between two looks for imports that wait
KEEP = 3_600.0  # seconds between two times at which the files of imports that wait are kept longer
BEAT = 5.0  # seconds between two signs of life of the import at work
TRIES = 3  # gateways that may crash at one step of an import before the import counts as their cause

log = get_logger()


class ImportRunner:
    """Works on imports, one after the other, for as long as the services can be reached."""

    def __init__(self, imports: ImportStore, worker: ImportWorker, link: Link) -> None:
        self._imports, self._worker, self._link = imports, worker, link
        self._loop = Loop("imports", self._work_on_waiting, seconds=LOOK, at_once=True)
        self._keep_at = 0.0

    def start(self, container: Any) -> None:
        """Begin in a thread that the container manages."""
        self._loop.start(container)

    def stop(self) -> None:
        """Stop at once and put the import at work back; steps that were cut off are repeated without effect."""
        self._loop.kill()

    def _work_on_waiting(self) -> None:
        """Work until no import waits; raises `Unavailable` where a service is away, so that the loop rests."""
        if monotonic() >= self._keep_at:
            self._imports.keep_waiting()
            self._keep_at = monotonic() + KEEP
        while self._link.is_up and (sheet := self._imports.claim()) is not None:
            self._work(sheet)

    def _work(self, sheet: Import) -> None:
        beat = eventlet.spawn(self._beat, sheet, eventlet.getcurrent())
        try:
            ended = self._imports.end(self.outcome(sheet))
            log.info("import ended", id=ended.id, state=ended.state, rows=ended.done)
        except TakenOver:
            log.warning("import was taken over", id=sheet.id)
        except BaseException as error:
            beat.kill()  # it would find that the import is no longer ours
            self._put_back(sheet, error)
            raise
        finally:
            beat.kill()

    def _put_back(self, sheet: Import, error: BaseException) -> None:
        log.info("import waits", id=sheet.id, why=str(error) or type(error).__name__)
        with suppress(PyMongoError):  # then another gateway finds it by its silence
            self._imports.put_back(sheet)

    def outcome(self, sheet: Import) -> Import:
        """Return an import as it ended; raises where it has to continue another time, or was taken over."""
        if sheet.tries > TRIES:
            return _failed(
                sheet, Malfunction("Every gateway that worked on it crashed.", "处理该文件的网关均异常退出。")
            )
        try:
            return self._worker.work(sheet)
        except (Unavailable, Overloaded, TakenOver):
            raise
        except Problem as problem:
            return _failed(sheet, problem)
        except Exception as error:
            if is_passing(error):
                raise
            malfunction(error, job=f"import {sheet.id}")  # the import's document says that it failed
            return _failed(sheet, Malfunction())

    def _beat(self, sheet: Import, working: Any) -> None:
        """Give signs of life until killed; where another gateway took the import over, end the work on it here."""
        while True:
            eventlet.sleep(BEAT)
            try:
                self._imports.note_alive(sheet)
            except TakenOver as taken_over:
                eventlet.kill(working, taken_over)
                return
            except PyMongoError as error:
                log.warning("import gives no sign of life", id=sheet.id, error=type(error).__name__)


def _failed(sheet: Import, problem: Problem) -> Import:
    return import_record.ended(sheet, "failed", problem)
