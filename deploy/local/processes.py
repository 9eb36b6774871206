"""Processes that this or an earlier run started, told apart from others that got the same pid."""

import os
import select
import signal
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

GRACE = 15.0  # seconds between SIGTERM and SIGKILL
ENDED = (None, "Z", "X")  # states in /proc/PID/stat


@dataclass(frozen=True, kw_only=True)
class Process:
    """One process for ever: pids are used again, but not with the same start in the same boot."""

    pid: int
    start: int  # clock ticks since the boot
    boot: str

    @property
    def is_alive(self) -> bool:
        """True while the process runs; a zombie does not."""
        state, start = _state_and_start(self.pid)
        return state not in ENDED and start == self.start and _boot() == self.boot

    def handle(self) -> int | None:
        """Return a descriptor of exactly this process, readable once it has ended; None where it has already."""
        try:
            descriptor = os.pidfd_open(self.pid)
        except OSError:
            return None
        if self.is_alive:
            return descriptor
        os.close(descriptor)
        return None


def process_of(pid: int) -> Process:
    """Return the process that has this pid now; raise LookupError where there is none."""
    state, start = _state_and_start(pid)
    if state is None:
        raise LookupError(f"no process {pid}")
    return Process(pid=pid, start=start, boot=_boot())


def end(processes: Iterable[Process], *, grace: float = GRACE) -> None:
    """End processes side by side: SIGTERM, and SIGKILL for those that stay longer than `grace` seconds."""
    handles = {handle for process in processes if (handle := process.handle()) is not None}
    try:
        left = _wait(_send(handles, signal.SIGTERM), seconds=grace)
        _wait(_send(left, signal.SIGKILL), seconds=5)
    finally:
        for handle in handles:
            os.close(handle)


def _send(handles: set[int], number: int) -> set[int]:
    for handle in handles:
        try:
            signal.pidfd_send_signal(handle, number)
        except ProcessLookupError:
            continue  # it has ended, which the wait sees
    return handles


def _wait(handles: set[int], *, seconds: float) -> set[int]:
    """Wait for the processes to end; return those that still run when the time is over."""
    deadline = time.monotonic() + seconds
    left = set(handles)
    while left and (remaining := deadline - time.monotonic()) > 0:
        ended, _, _ = select.select(left, [], [], remaining)
        left -= set(ended)
    return left


def _state_and_start(pid: int) -> tuple[str | None, int]:
    """Read fields 3 and 22 of /proc/PID/stat; the name before them may contain anything."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None, 0
    return fields[0], int(fields[19])


def _boot() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
