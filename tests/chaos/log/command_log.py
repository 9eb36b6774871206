"""The command log: every command is on disk before it is sent, and its answer as soon as it came.

Whatever the system says later is held against this file, which nothing of the system writes.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import msgspec
from eventlet import tpool
from eventlet.semaphore import Semaphore


@dataclass(frozen=True, kw_only=True, slots=True)
class Command:
    """A command under its id, and who gives it."""

    id: str
    service: str
    method: str
    arguments: dict[str, Any]
    by: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What an answer said; `unknown` stands for none at all."""

    state: Literal["done", "refused", "unknown"]
    record: str | None = None
    version: int | None = None
    rule: str | None = None  # by which it was refused


@dataclass(slots=True)
class Given:
    """A command and all its answers, the first one first."""

    command: Command
    outcomes: list[Outcome] = field(default_factory=list)

    @property
    def done(self) -> Outcome | None:
        """The first answer that it is done; nothing that is said later takes that back."""
        return next((one for one in self.outcomes if one.state == "done"), None)

    @property
    def is_refused(self) -> bool:
        return bool(self.outcomes) and all(one.state == "refused" for one in self.outcomes)


class _Line(msgspec.Struct, omit_defaults=True):
    sent: Command | None = None
    answered: str | None = None
    outcome: Outcome | None = None


class CommandLog:
    """Used by any number of greenthreads at once, whose lines share an fsync."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = path.open("ab")
        self._turn = Semaphore(1)
        self._waiting: list[bytes] = []
        self._written = self._safe = 0  # lines

    def send(self, command: Command) -> None:
        """Returns once it is safe to send it."""
        self._write(_Line(sent=command))

    def answer(self, command_id: str, outcome: Outcome) -> None:
        self._write(_Line(answered=command_id, outcome=outcome))

    def close(self) -> None:
        self._file.close()

    def _write(self, line: _Line) -> None:
        """Whoever comes first syncs what all have written meanwhile."""
        self._waiting.append(msgspec.json.encode(line) + b"\n")
        self._written += 1
        ours = self._written
        with self._turn:
            if self._safe >= ours:
                return
            lines, self._waiting, upto = self._waiting, [], self._written
            self._file.write(b"".join(lines))
            self._file.flush()
            tpool.execute(os.fsync, self._file.fileno())
            self._safe = upto

    def read(self) -> dict[str, Given]:
        """Everything, by command id."""
        return read(self.path)


def read(path: Path) -> dict[str, Given]:
    """What this file holds; whoever wrote it may have died within its last line."""
    given: dict[str, Given] = {}
    for line in _lines(path):
        if line.sent is not None:
            given[line.sent.id] = Given(line.sent)
        elif line.answered is not None and line.outcome is not None:
            given[line.answered].outcomes.append(line.outcome)
    return given


def _lines(path: Path) -> Iterator[_Line]:
    decode = msgspec.json.Decoder(_Line).decode
    with path.open("rb") as file:
        for line in file:
            if line.endswith(b"\n"):
                yield decode(line)
