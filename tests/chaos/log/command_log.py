"""The command log: every command is on disk before it is sent, and its answer as soon as it came.

The invariants compare the system with this file, which no part of the system writes.
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

Act = tuple[str, str, str]
"""The service, the person and the id under which a command was sent."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Command:
    """A command with the person who gives it; it is sent under its id, or under a `key` that others are sent under."""

    id: str
    service: str
    method: str
    arguments: dict[str, Any]
    by: str
    key: str = ""

    @property
    def sent_as(self) -> str:
        """The command id that the system gets."""
        return self.key or self.id


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """The result that an answer reported; `unknown` where there was no answer at all."""

    state: Literal["done", "refused", "unknown"]
    record: str | None = None
    version: int | None = None
    rule: str | None = None  # by which it was refused


@dataclass(slots=True)
class Given:
    """A command and all its answers, the first one first.

    An act of the system is known by the service, the person and the id under which its command was sent.
    """

    command: Command
    outcomes: list[Outcome] = field(default_factory=list)

    @property
    def act(self) -> Act:
        """The act that this command is, or repeats, or was refused because of."""
        return self.command.service, self.command.by, self.command.sent_as

    @property
    def done(self) -> Outcome | None:
        """The first answer that it is done; None where there is none. No later answer takes it back."""
        return next((outcome for outcome in self.outcomes if outcome.state == "done"), None)

    @property
    def is_refused(self) -> bool:
        """Whether every answer, of which there is one at least, was a refusal."""
        return bool(self.outcomes) and all(outcome.state == "refused" for outcome in self.outcomes)


class _Line(msgspec.Struct, omit_defaults=True):
    sent: Command | None = None
    answered: str | None = None
    outcome: Outcome | None = None


class CommandLog:
    """A file that any number of greenthreads write at once; the lines of one moment share an fsync."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = path.open("ab")
        self._turn = Semaphore(1)
        self._waiting: list[bytes] = []
        self._written = self._safe = 0  # lines

    def send(self, command: Command) -> None:
        """Write the command; when this returns the command is on disk and may be sent."""
        self._write(_Line(sent=command))

    def answer(self, command_id: str, outcome: Outcome) -> None:
        """Write an answer; when this returns it is on disk."""
        self._write(_Line(answered=command_id, outcome=outcome))

    def close(self) -> None:
        """Close the file; it can still be read."""
        self._file.close()

    def _write(self, line: _Line) -> None:
        """Write and sync the line, together with all lines that others added meanwhile."""
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
        """Read all commands with their answers, by command id."""
        return read(self.path)


def read(path: Path) -> dict[str, Given]:
    """Read all commands of this file with their answers; its last line may be cut off by a death."""
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
        yield from (decode(line) for line in file if line.endswith(b"\n"))
