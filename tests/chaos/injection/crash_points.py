"""Crash points: places at which a process ends, as by `kill -9`, the first time that it gets there.

The code of the services knows nothing of them: they are wrapped around it when the process starts.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Mapping
from functools import partial, wraps
from typing import Any

from gateway.read_model import store
from services.chassis import relay
from services.chassis.listener import Inbox
from services.chassis.parking import Parking
from services.chassis.records import Bound
from services.chassis.relay import Publisher
from services.chassis.rpc import Server

Place = tuple[Any, str]  # a class or module, and the name of its function

BEFORE: Mapping[str, Place] = {
    "after_commit": (Bound, "_ring"),
    "before_answer": (Server, "answer"),
    "after_publish": (Publisher, "_confirm"),
    "before_mark": (relay, "_mark"),
    "in_transaction": (store, "count_updates"),  # the views are written, the counts are not, and nothing is committed
    "before_ack": (Inbox, "_ack"),
    "before_park": (Parking, "park"),
}
"""The process ends instead of entering the function."""

POINTS = (*BEFORE, "after_apply")


def arm(point: str, crash: Callable[[], None]) -> None:
    """Let this process crash at the point from now on; raise KeyError where there is no such point."""
    if point == "after_apply":
        wrap((Inbox, "_try"), partial(_crash_after, crash))
    else:
        wrap(BEFORE[point], partial(_crash_before, crash))


def crash_here(point: str, log: str | None) -> None:
    """Write a line into the log and end at once: nothing is flushed, closed or answered."""
    if log:
        with open(log, "a", encoding="utf-8") as hits:
            hits.write(f"crashed at {point}\n")
    os.kill(os.getpid(), signal.SIGKILL)


def wrap(place: Place, around: Callable[..., Any]) -> None:
    """Replace the function by `around(function, *arguments)`."""
    owner, name = place
    function = getattr(owner, name)
    setattr(owner, name, wraps(function)(lambda *args, **kwargs: around(function, *args, **kwargs)))


def _crash_before(crash: Callable[[], None], function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    crash()
    return function(*args, **kwargs)


def _crash_after(crash: Callable[[], None], function: Callable[..., Exception | None], *args: Any) -> Exception | None:
    error = function(*args)
    if error is None:
        crash()
    return error
