"""Loops: what a container does in the background every so many seconds, whatever goes wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import eventlet
from eventlet.event import Event as Signal
from structlog import get_logger

from services.chassis.log import malfunction
from services.chassis.mongo import is_passing
from services.chassis.problem import Problem

log = get_logger()


class Loop:
    """Calls `do` again and again, `seconds` after it returned or failed; the first time `at_once`, or after a wait.

    No `Exception` ends the loop or its process. A `Problem`, or a database that is away, is one line in the log until
    a round succeeds; anything else is logged as our mistake each time.
    """

    def __init__(self, name: str, do: Callable[[], object], *, seconds: float, at_once: bool = False) -> None:
        self._name, self._do = name, do
        self._seconds, self._at_once = seconds, at_once
        self._halt = Signal()
        self._thread: Any = None
        self._waits_for: str | None = None

    @property
    def is_stopping(self) -> bool:
        """True from `stop` on; a long `do` asks it between two steps."""
        return self._halt.ready()

    def start(self, container: Any) -> None:
        """Begin in a thread that the container manages; a loop that was started or stopped before is left as it is."""
        if self._thread is None and not self.is_stopping:
            self._thread = container.spawn_managed_thread(self._run, identifier=self._name)

    def stop(self) -> None:
        """Let the round at hand end, and begin none after it."""
        if not self.is_stopping:
            self._halt.send()
        if self._thread is not None:
            self._thread.wait()

    def kill(self) -> None:
        """End at once, in the middle of a round too."""
        if not self.is_stopping:
            self._halt.send()
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.kill()

    def _run(self) -> None:
        if not self._at_once:
            self._rest()
        while not self.is_stopping:
            self._do_once()
            self._rest()

    def _rest(self) -> None:
        with eventlet.Timeout(self._seconds, False):
            self._halt.wait()

    def _do_once(self) -> None:
        try:
            self._do()
        except Exception as error:  # noqa: BLE001 - the next round comes, and all of it is logged
            self._log(error)
        else:
            self._waits_for = None

    def _log(self, error: Exception) -> None:
        if not (isinstance(error, Problem) or is_passing(error)):
            malfunction(error, loop=self._name)
        elif self._waits_for != (reason := type(error).__name__):
            self._waits_for = reason
            log.info("loop waits", loop=self._name, error=reason)
