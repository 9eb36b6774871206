"""What a campaign shows meanwhile: a line for each event, and on a terminal below them what goes on now."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic

import eventlet

from deploy.cli.output import console, duration, plain

REFRESH = 0.5  # seconds


class Screen:
    """Times are those since the screen was made."""

    def __init__(self) -> None:
        self.console = console()
        self._began = monotonic()

    def say(self, what: str, said: str) -> None:
        self.console.print(f"{monotonic() - self._began:8.1f}  {what:<20}  {plain(said)}", soft_wrap=True)

    def note(self, line: str) -> None:
        """Said by whoever keeps the processes running."""
        self.say("", line)

    @contextmanager
    def telling(self, now: Callable[[], str]) -> Iterator[None]:
        with self.console.status("") as status:
            telling = eventlet.spawn(self._tell, status.update, now)
            try:
                yield
            finally:
                telling.kill()

    def _tell(self, show: Callable[[str], None], now: Callable[[], str]) -> None:
        while True:
            show(f"{duration(monotonic() - self._began)}: {now()}")
            eventlet.sleep(REFRESH)
