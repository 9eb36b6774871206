"""An import: a sheet that was uploaded for a command, how far its rows have come, and how it ended.

It waits, then runs through its phases reading, checking and writing. It ends `checked` (every row is good and may be
written), `refused` (rows are wrong, nothing was written), `done`, `stopped` (another write made rows impossible while
it was writing; the rows that were written stay, and it continues when it is confirmed again) or `failed`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from services.chassis.command_ids import CommandIdReused
from services.chassis.problem import Problem
from services.chassis.tokens import Actor
from services.kernel.calendar import format_instant
from services.kernel.lifecycle import Lifecycle

LIFECYCLE = Lifecycle(
    waiting=("running",),
    running=("waiting", "checked", "refused", "stopped", "failed", "done"),
    checked=("waiting",),
    refused=(),
    stopped=("waiting",),
    failed=("waiting",),
    done=(),
)
PHASES = ("reading", "checking", "writing")
UNCHECKED: Mapping[str, Any] = {"phase": "checking", "place": -1, "done": 0, "staged": 0, "through": 0}
"""Progress of an import whose rows were read and are checked from the first one."""


@dataclass(frozen=True)
class RowError:
    """Why a row cannot be written; `code` is that of a rule or of a problem.

    Only errors of reading name a cell. Without a field, the error concerns the whole row.
    """

    row: int
    field: str | None
    code: str
    zh: str
    en: str
    cell: str | None = None


@dataclass(frozen=True)
class ErrorCount:
    """The number of wrong rows, and of all their errors."""

    rows: int = 0
    errors: int = 0

    @staticmethod
    def of(errors: Iterable[RowError]) -> ErrorCount:
        """Count errors and the rows that they are in."""
        rows = [error.row for error in errors]
        return ErrorCount(len(set(rows)), len(rows))

    def __add__(self, other: ErrorCount) -> ErrorCount:
        return ErrorCount(self.rows + other.rows, self.errors + other.errors)


@dataclass(frozen=True)
class Import:
    """A sheet that was uploaded for a command, and what has become of its rows.

    `upload` is the id of the file's chunks. `actor` is the uploader, in whose name it is written, and `token_id` the
    token that was used. `place` is the last chunk of rows that was checked, `through` the last row that was written.
    `hidden` counts the rows of which the sheet does not show everything, `first_hidden` are the first of their numbers:
    where there are any, nothing is written before the uploader has seen that and confirmed (`is_seen`).
    `staged` counts the rows that the service keeps ready to be written, `done` those of the current phase. Once
    `has_begun`, some of its rows may be records. `run` names the gateway that works on it, and `tries` counts the
    gateways that crashed since it last got on.
    """

    id: str
    service: str
    command: str
    upload: str
    filename: str
    bytes: int
    sha256: str
    actor: Actor
    dry_run: bool
    created_at: datetime
    token_id: str | None = None
    state: str = "waiting"
    phase: str = "reading"
    has_begun: bool = False
    run: str | None = None
    total: int = 0
    unreadable: ErrorCount = ErrorCount()
    hidden: int = 0
    first_hidden: tuple[int, ...] = ()
    is_seen: bool = False
    place: int = -1
    done: int = 0
    staged: int = 0
    refused: ErrorCount = ErrorCount()
    through: int = 0
    tries: int = 0
    problem: dict[str, str] | None = None
    ended_at: datetime | None = None

    @property
    def wrong(self) -> ErrorCount:
        """The rows that could not be read, and those that the service refused."""
        return self.unreadable + self.refused

    @property
    def readable(self) -> int:
        """The number of rows that the service is asked to check."""
        return self.total - self.unreadable.rows

    @property
    def written(self) -> int:
        """The number of rows that are records, once all have been checked."""
        return self.total - self.staged - self.refused.rows

    @property
    def waits_to_be_seen(self) -> bool:
        """True where it has rows to write that the uploader may not know of."""
        return self.hidden > 0 and not self.is_seen

    @property
    def is_confirmed(self) -> bool:
        """True where its rows are written, or will be without another confirmation."""
        return not self.dry_run and self.state in ("waiting", "running", "done")

    @property
    def can_be_confirmed(self) -> bool:
        """True where its rows have been checked, however it ended afterwards."""
        return self.state in ("checked", "stopped") or (self.state, self.phase) == ("failed", "writing")

    def require_repeated_by(self, other: Import) -> None:
        """Raise `CommandIdReused` where its uploader sends another file, or for another command."""
        if (self.method, self.sha256) != (other.method, other.sha256):
            used_at = format_instant(self.created_at)
            raise CommandIdReused(import_id=self.id, used_for=f"import: {self.method}", used_at=used_at)

    @property
    def method(self) -> str:
        """The command with its service."""
        return f"{self.service}.{self.command}"


def confirmed(sheet: Import, actor: Actor, token_id: str | None) -> Import:
    """Let its rows be written, as what the uploader may do now; they are checked once more before."""
    unchecked = replace(sheet, **UNCHECKED, refused=ErrorCount(), tries=0, problem=None, ended_at=None)
    waiting = LIFECYCLE.move(sheet.state, "waiting")
    return replace(unchecked, state=waiting, dry_run=False, is_seen=True, actor=actor, token_id=token_id)


def ended(sheet: Import, state: str, problem: Problem | None = None) -> Import:
    """End it in a state; `problem` says why it failed."""
    words = {"zh": problem.zh, "en": problem.en} if problem else None
    return replace(sheet, state=LIFECYCLE.move(sheet.state, state), problem=words)
