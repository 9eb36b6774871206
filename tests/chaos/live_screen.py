"""The screen of a campaign while it runs: a line for each event, and on a terminal the present state below them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic

import eventlet

from deploy.cli.output import console, duration, plain

REFRESH = 0.5  # seconds


class Screen:
    """Lines with the seconds since the screen was made."""

    def __init__(self) -> None:
        self.console = console()
        self._began = monotonic()

    def say(self, subject: str, text: str) -> None:
        """Write a line about a fault, or about something else by its name."""
        self.console.print(f"{monotonic() - self._began:8.1f}  {subject:<20}  {plain(text)}", soft_wrap=True)

    def note(self, line: str) -> None:
        """Write a line of the supervisor, who keeps the processes running."""
        self.say("", line)

    @contextmanager
    def showing(self, state: Callable[[], str]) -> Iterator[None]:
        """Show the present state on a terminal, twice a second for the time of the block."""
        with self.console.status("") as status:
            refreshing = eventlet.spawn(self._refresh, status.update, state)
            try:
                yield
            finally:
                refreshing.kill()

    def _refresh(self, show: Callable[[str], None], state: Callable[[], str]) -> None:
        while True:
            show(f"{duration(monotonic() - self._began)}: {state()}")
            eventlet.sleep(REFRESH)
