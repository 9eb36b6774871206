"""Following what the gateway does by itself, a job, a recount or an import, with a progress bar until it ends."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

from deploy.cli.output import console
from deploy.local.http_client import NotReached

POLL_EVERY = 0.5  # seconds
PATIENCE = 60.0  # seconds that the gateway may be away meanwhile
AT_WORK = ("waiting", "running")

State = dict[str, Any]
"""A job, a recount or an import as the gateway describes it."""


class Rate(ProgressColumn):
    """A progress bar's column with the records per second of the last moments."""

    def render(self, task: Task) -> Text:
        """Return nothing while the speed is unknown."""
        return Text(f"{task.speed:,.0f}/s" if task.speed else "")


def follow(first: State, look: Callable[[], State], *, describe: Callable[[State], str]) -> State:
    """Show the progress of a state until it ends, and return it as it ended."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), Rate(), TimeRemainingColumn())
    with Progress(*columns, console=console(err=True), transient=True) as progress:
        state, bar = first, progress.add_task(describe(first))
        for state in _states(first, look):
            total = state["total"] or None
            progress.update(bar, completed=state["done"], total=total, description=describe(state))
    return state


def _states(state: State, look: Callable[[], State]) -> Iterator[State]:
    """The state again and again, at last as it ended; a gateway that is away gets a minute to come back."""
    reached = time.monotonic()
    yield state
    while state["state"] in AT_WORK:
        time.sleep(POLL_EVERY)
        try:
            state, reached = look(), time.monotonic()
        except NotReached:
            if time.monotonic() - reached > PATIENCE:
                raise
            continue
        yield state
