"""Processes that this or an earlier run started, told apart from strangers that have the same number."""

import os
import select
import signal
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

GRACE = 15.0  # seconds between SIGTERM and SIGKILL
GONE = (None, "Z", "X")  # states of a process that ended


@dataclass(frozen=True, kw_only=True)
class Process:
    """One process for ever: numbers are used again, but not with the same start in the same boot."""

    pid: int
    start: int  # clock ticks since the boot
    boot: str

    @property
    def is_alive(self) -> bool:
        """Not any more when it ended and its parent has not yet collected it."""
        state, start = _looked_up(self.pid)
        return state not in GONE and start == self.start and _boot() == self.boot

    def handle(self) -> int | None:
        """A descriptor of exactly this process, or None when it is gone; it is readable once the process ended."""
        try:
            descriptor = os.pidfd_open(self.pid)
        except OSError:
            return None
        if self.is_alive:
            return descriptor
        os.close(descriptor)
        return None


def process_of(pid: int) -> Process:
    """The process that has this number now; LookupError when there is none."""
    state, start = _looked_up(pid)
    if state is None:
        raise LookupError(f"no process {pid}")
    return Process(pid=pid, start=start, boot=_boot())


def end(processes: Iterable[Process], *, grace: float = GRACE) -> None:
    """End all of them at once: SIGTERM, and SIGKILL for those that stay longer than `grace` seconds."""
    handles = {handle for process in processes if (handle := process.handle()) is not None}
    try:
        left = _wait(_signalled(handles, signal.SIGTERM), seconds=grace)
        _wait(_signalled(left, signal.SIGKILL), seconds=5)
    finally:
        for handle in handles:
            os.close(handle)


def _signalled(handles: set[int], number: int) -> set[int]:
    for handle in handles:
        try:
            signal.pidfd_send_signal(handle, number)
        except ProcessLookupError:
            continue  # it ended by itself, which the wait sees
    return handles


def _wait(handles: set[int], *, seconds: float) -> set[int]:
    """Those that still run when the time is over."""
    deadline = time.monotonic() + seconds
    left = set(handles)
    while left and (remaining := deadline - time.monotonic()) > 0:
        ended, _, _ = select.select(left, [], [], remaining)
        left -= set(ended)
    return left


def _looked_up(pid: int) -> tuple[str | None, int]:
    """State and start: fields 3 and 22 of /proc/PID/stat. The name before them may contain anything."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None, 0
    return fields[0], int(fields[19])


def _boot() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
