"""Waits for a condition, in benchmarks, in chaos and in the trial of containers.

`time.sleep` lets the others go on in each of them: it yields to the other greenthreads in a program that imports
`deploy.image.greenthreads` first, and to the other threads in one that does not.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import TypeVar

from deploy.errors import CommandFailed

PAUSE = 0.1  # seconds between two looks

Answer = TypeVar("Answer")


class NotInTime(CommandFailed):
    """A condition did not come true in time."""


def poll(condition: Callable[[], Answer], *, within: float, every: float = PAUSE) -> Answer:
    """Look until the answer is true; return the last answer, which is false when `within` seconds were not enough."""
    deadline = time.monotonic() + within
    while not (answer := condition()) and time.monotonic() < deadline:
        time.sleep(every)
    return answer


def wait_until(condition: Callable[[], Answer], what: str, *, within: float, every: float = PAUSE) -> Answer:
    """Return the first true answer; raise NotInTime after `within` seconds without one, naming `what` was awaited."""
    if not (answer := poll(condition, within=within, every=every)):
        raise NotInTime(f"Waited {within:g} s in vain for {what}.")
    return answer


def rounds(seconds: float, *, every: float) -> Iterator[None]:
    """Begin one round after the other for so many seconds, with a pause after each."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        yield
        time.sleep(every)
