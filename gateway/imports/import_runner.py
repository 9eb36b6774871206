"""The background run of imports: takes those that are confirmed or were left behind."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import eventlet
from pymongo.errors import PyMongoError

from gateway.identity.authentication import Authentication
from gateway.imports.chunks import FileChunks
from gateway.imports.import_store import Document, ImportStore, TakenOver
from gateway.imports.import_worker import ImportWorker
from gateway.imports.uploads import Uploads, log
from services.chassis.client import CallerProvider
from services.chassis.log import malfunction
from services.chassis.mongo import database, is_passing, patiently
from services.chassis.problem import (
    Malfunction,
    Overloaded,
    Problem,
    Unavailable,
)

LOOK = 1.0  # seconds between two looks after imports that wait

BEAT = 5.0  # seconds between two signs of life of the one at work

TRIES = 3  # gateways that may end at one step of an import before it counts as what ended them


class Importing(CallerProvider):
    """Gives the gateway its import desk, and works on what was uploaded, one import after the other."""

    callers = Authentication()

    def setup(self) -> None:
        super().setup()
        config = self.container.config
        settings, clock = config["SETTINGS"], config["CLOCK"]
        held = database(settings, self.container.service_name)
        self._imports = ImportStore(held["imports"], FileChunks(held["uploads"], clock), clock)
        patiently(self._imports.prepare)
        self._importer = ImportWorker(self._imports, self._caller, settings.token_private_key, self.callers.as_now)
        self._desk = Uploads(self._imports, self._importer, self._caller)

    def start(self) -> None:
        super().start()
        self._working = self.container.spawn_managed_thread(self._run, identifier="imports")

    def stop(self) -> None:
        """The one at work is put back: whatever is cut off is done again, and does nothing new."""
        self._working.kill()
        super().stop()

    def provide(self) -> Uploads:
        return self._desk

    def _run(self) -> None:
        while True:
            try:
                held = self._imports.claim() if self._caller.link.is_up else None
                if held is not None:
                    self._work(held)
                    continue
            except (PyMongoError, TakenOver) as error:
                log.info("imports wait", error=type(error).__name__)
            eventlet.sleep(LOOK)

    def _work(self, held: Document) -> None:
        working = eventlet.getcurrent()
        beat = eventlet.spawn(self._beat, held, working)
        try:
            state, problem = self._outcome(held)
            self._imports.end(held, state, problem)
            log.info("import ended", id=held["_id"], state=state, rows=held["done"])
        except (Unavailable, Overloaded) as away:
            beat.kill()  # it would find the import ours no longer
            self._imports.put_back(held)
            log.info("import waits", id=held["_id"], why=away.en)
            eventlet.sleep(LOOK)
        except TakenOver:
            log.warning("import was taken over", id=held["_id"])
        except BaseException:
            beat.kill()
            with suppress(PyMongoError):  # then it is found dead by its silence
                self._imports.put_back(held)
            raise
        finally:
            beat.kill()

    def _outcome(self, held: Document) -> tuple[str, Problem | None]:
        """The state that it ends in, and why where it failed; raises where it goes on another time."""
        if held["tries"] > TRIES:
            return "failed", Malfunction("Every gateway ended that was at it.", "处理该文件的网关均异常退出。")
        try:
            return self._importer.work(held), None
        except (Unavailable, Overloaded):
            raise
        except Problem as problem:
            return "failed", problem
        except (PyMongoError, TakenOver) as error:
            if isinstance(error, TakenOver) or is_passing(error):
                raise
            malfunction(error, job=f"import {held['_id']}")
        except Exception as error:  # noqa: BLE001 - whatever it was, the import's document says so
            malfunction(error, job=f"import {held['_id']}")
        return "failed", Malfunction()

    def _beat(self, held: Document, working: Any) -> None:
        while True:
            eventlet.sleep(BEAT)
            try:
                self._imports.note(held)
            except TakenOver as taken:
                eventlet.kill(working, taken)
                return
            except PyMongoError as error:
                log.warning("import cannot be written down", id=held["_id"], error=type(error).__name__)
