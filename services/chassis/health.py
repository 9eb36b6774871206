"""Health of a process: is it alive, can it work now, and its metrics.

`/health` asks nobody else: a process that answers 503 there should be restarted. `/ready` asks database and broker.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

import eventlet
import eventlet.wsgi
import pymongo
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pymongo.errors import PyMongoError

from services.chassis import metrics, parking
from services.chassis.listener import Batches, Inboxes
from services.chassis.mongo import client, database
from services.chassis.problem import Problem
from services.chassis.relay import Relay
from services.chassis.rpc import Server
from services.chassis.settings import Settings
from services.chassis.version import VERSION
from services.contract import wire

STUCK = 60.0  # seconds without a pass of the relay

Answer = tuple[int, str, bytes]


@dataclass
class Health:
    """Health, readiness and metrics of the containers of this process."""

    settings: Settings
    containers: tuple[Any, ...]
    started: bool = False
    shows: list[Callable[[], None]] = field(default_factory=list)  # called before the metrics are collected
    needs: list[Callable[[], list[str]]] = field(default_factory=list)  # each lists what else is away

    def health(self) -> Answer:
        """503 where a relay has not made a pass for a minute."""
        stuck = [
            f"{container.service_name}: relay"
            for container in self.containers
            for relay in _of(container, Relay)
            if self.started and monotonic() - relay.last_pass > STUCK
        ]
        return _json(503 if stuck else 200, {"version": VERSION, "services": self._names(), "stuck": stuck})

    def ready(self) -> Answer:
        """503 until everything has started, and while the database or a connection to the broker is away."""
        missing = self._missing()
        missing += [
            f"{container.service_name}: {link}" for container in self.containers for link in self._down(container)
        ]
        return _json(503 if missing else 200, {"ready": not missing, "services": self._names(), "missing": missing})

    def metrics(self) -> Answer:
        """The metrics in Prometheus's text format."""
        missing = self._missing()
        metrics.BUILD.info({"version": VERSION})
        for container in self.containers:
            metrics.READY.labels(container.service_name).set(not (missing or self._down(container)))
        if "mongodb" not in missing:
            self._look()
        return 200, CONTENT_TYPE_LATEST, generate_latest()

    def serve(self) -> None:
        """Answer on the health port until the process ends."""
        listening = eventlet.listen((self.settings.health_host, self.settings.health_port), reuse_port=False)
        eventlet.spawn(eventlet.wsgi.server, listening, self._wsgi, log_output=False, debug=False, socket_timeout=10)

    def _wsgi(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        answers = {"/health": self.health, "/ready": self.ready, "/metrics": self.metrics}
        answer = answers.get(environ["PATH_INFO"], lambda: _json(404, {"known": sorted(answers)}))
        status, content_type, body = answer()
        start_response(f"{status} {'OK' if status == 200 else 'Not OK'}", [("Content-Type", content_type)])
        return [body]

    def _names(self) -> list[str]:
        return [container.service_name for container in self.containers]

    def _missing(self) -> list[str]:
        """List what none of the services of this process can work without, and is away."""
        needed = [name for missing in self.needs for name in missing()]
        return [*([] if self.started else ["start"]), *([] if self._database_answers() else ["mongodb"]), *needed]

    def _down(self, container: Any) -> list[str]:
        """List a container's links that are down; until the start is over not all of them exist."""
        return links_down(container) if self.started else []

    def _look(self) -> None:
        """Refresh the numbers; while the database does not answer, the last ones stay."""
        with suppress(PyMongoError, Problem), pymongo.timeout(1.0):
            for name in self._names() if self.settings.mongo_uri else ():
                parking.count(database(self.settings, name), name)
            for show in self.shows:
                show()

    def _database_answers(self) -> bool:
        if not self.settings.mongo_uri:
            return True
        try:
            with pymongo.timeout(1.0):
                client(self.settings.mongo_uri).admin.command("ping")
        except PyMongoError:
            return False
        return True


def _of(container: Any, kind: type) -> list[Any]:
    return [extension for extension in container.extensions if isinstance(extension, kind)]


def links_down(container: Any) -> list[str]:
    """List the connections on which a container hears nothing: `rpc`, `events`."""
    down = ["rpc" for server in _of(container, Server) if server.methods and not server.is_up]
    down += ["events" for batches in _of(container, Batches) if not batches.inbox.is_up]
    return down + ["events" for inboxes in _of(container, Inboxes) if not inboxes.is_up]


def _json(status: int, content: Any) -> Answer:
    return status, "application/json", wire.encode(content)
