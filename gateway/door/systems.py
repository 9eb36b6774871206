"""Outside systems as the door knows them: one file, written by `deploy system add`, in which each has its grants."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec

FILE = "door/systems.json"  # below the folder of a site or a stack; in one of its own, since it is replaced while read
NAME = "[a-z][a-z0-9_]{1,40}"
"""The form of a system's name, which is also its user's, and that of its virtual host at the broker."""


class Grant(msgspec.Struct, frozen=True):
    """Methods as `service.method`, and events as `service.kind.happening`, in which a word may be `*`."""

    may: tuple[str, ...] = ()
    hears: tuple[str, ...] = ()

    def allows_event(self, event: str) -> bool:
        """Return whether the system may hear this event."""
        return any(fits(event, pattern) for pattern in self.hears)


Systems = dict[Annotated[str, msgspec.Meta(pattern=f"^{NAME}$")], Grant]


def event_queue(system: str) -> str:
    """Name the queue of ours in which the events for a system wait for the door."""
    return f"door.{system}"


def fits(event: str, pattern: str) -> bool:
    """Return whether an event has the words of a pattern; `*` is any word."""
    words, patterns = event.split("."), pattern.split(".")
    return len(words) == len(patterns) and all(it in ("*", word) for word, it in zip(words, patterns, strict=True))


def write(systems: Systems) -> str:
    """Write the file's content."""
    return msgspec.json.format(msgspec.json.encode(systems)).decode() + "\n"


class SystemsFile:
    """The file, read again when it was replaced."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read_at: tuple[int, int] | None = None

    def changed(self) -> Systems | None:
        """Return the systems where the file is new since the last call, else None; a missing file is no systems.

        Raises msgspec's errors for a file that cannot be read, once.
        """
        try:
            status = self._path.stat()
            content = self._path.read_bytes()
        except FileNotFoundError:
            return {} if self._is_new((0, 0)) else None
        return msgspec.json.decode(content, type=Systems) if self._is_new((status.st_mtime_ns, status.st_ino)) else None

    def _is_new(self, version: tuple[int, int]) -> bool:
        is_new, self._read_at = version != self._read_at, version
        return is_new
