"""The runner: some services in one process, from start to a stop that loses nothing.

Call it after `eventlet.monkey_patch()`; `deploy/run.py` does. nameko's own command line is not used, since it needs a
package that Python no longer carries and never sees a signal while the hub sleeps.
"""

from __future__ import annotations

import os
import signal
import sys
from contextvars import copy_context
from time import monotonic
from typing import Any

import eventlet
from nameko.containers import ServiceContainer
from structlog import get_logger

from services.chassis import log, trace
from services.chassis.clock import SystemClock
from services.chassis.health import Health
from services.chassis.settings import Settings, WrongSettings

TICK = 0.2  # seconds: signals are seen when the hub wakes
GRACE = 12.0  # seconds from the first signal to a hard end
SPARE_WORKERS = 64  # beside those of RPC: for listeners and HTTP

logger = get_logger()


class Container(ServiceContainer):
    """A container whose greenthreads inherit the trace of the one that spawned them.

    Its workers begin with what their entrypoint does before its method (`begin`); where that fails, it is the result.
    """

    def spawn_worker(self, *args: Any, **kwargs: Any) -> Any:
        """Spawn a worker in the present trace."""
        worker = super().spawn_worker(*args, **kwargs)
        self._worker_threads[worker].gr_context = copy_context()
        return worker

    def spawn_managed_thread(self, *args: Any, **kwargs: Any) -> Any:
        """Spawn a thread in the present trace."""
        thread = super().spawn_managed_thread(*args, **kwargs)
        thread.gr_context = copy_context()
        return thread

    def _run_worker(self, worker_ctx: Any, handle_result: Any) -> None:
        begin = getattr(worker_ctx.entrypoint, "begin", None)
        try:
            if begin is not None:
                begin(worker_ctx.data)
        except Exception:  # noqa: BLE001 - whatever it is, the caller is told
            handle_result(worker_ctx, None, sys.exc_info())
        else:
            super()._run_worker(worker_ctx, handle_result)


def containers(classes: list[type], settings: Settings, clock: Any = None) -> tuple[ServiceContainer, ...]:
    """Make a container for each service, not started."""
    config = {
        "AMQP_URI": settings.amqp_uri,
        "SETTINGS": settings,
        "CLOCK": clock or SystemClock(),
        "HEARTBEAT": settings.heartbeat,
        "max_workers": settings.rpc_workers + SPARE_WORKERS,
        "WEB_SERVER_ADDRESS": f"{settings.http_host}:{settings.http_port}",
    }
    return tuple(Container(cls, config) for cls in classes)


def serve(classes: list[type]) -> int:
    """Run these services until SIGTERM or SIGINT; returns the exit code."""
    try:
        settings = Settings.read()
        made = containers(classes, settings)
    except WrongSettings as error:
        sys.stderr.write(f"The settings are not usable:\n{error}\n")
        return 2
    names = [container.service_name for container in made]
    log.set_up(settings.log_level, *names)
    if settings.rehearsal:
        logger.warning("rehearsal mode: commands may claim their time of arrival")
    if settings.traces_url:
        from services.chassis import tracing  # noqa: PLC0415 (half a second and 20 MB, for those who want traces)

        tracing.switch_on(settings.traces_url, share=settings.traces_share, of=names)
    code = Process(settings, made).run()
    trace.close()
    return code


class Process:
    """The containers of this process, and the signals that end it."""

    def __init__(self, settings: Settings, running: tuple[ServiceContainer, ...]) -> None:
        self.containers = running
        self.health = Health(settings, running)
        self._settings = settings
        self._signals = 0
        self._end_by = float("inf")

    def run(self) -> int:
        """Run until a signal or a failure; returns the exit code."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        if self._settings.health_port:
            self.health.serve()
        starting = eventlet.spawn(self._start)
        while not (self._signals or starting.dead):
            eventlet.sleep(TICK)
        if self._signals:
            return self._stop() if self.health.started else 0
        starting.wait()
        return 1

    def _start(self) -> None:
        for container in self.containers:
            container.config["HEALTH"] = self.health
            container.start()
        self.health.started = True
        logger.info("started", services=[container.service_name for container in self.containers])
        ends = [eventlet.spawn(container.wait) for container in self.containers]
        while not any(end.dead for end in ends):
            eventlet.sleep(TICK)
        for end in ends:
            if end.dead:
                end.wait()

    def _stop(self) -> int:
        logger.info("stopping")
        stopping = [eventlet.spawn(container.stop) for container in self.containers]
        while not all(thread.dead for thread in stopping):
            eventlet.sleep(TICK)
            if self._signals > 1 or monotonic() > self._end_by:
                logger.warning("ended hard; unacked messages will be redelivered")
                sys.stderr.flush()
                os._exit(0)
        logger.info("stopped")
        return 0

    def _on_signal(self, number: int, frame: Any) -> None:
        self._signals += 1
        self._end_by = min(self._end_by, monotonic() + GRACE)
