"""A story: commands sent one after the other; different stories do not wait for each other."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

from services.kernel.calendar import SHANGHAI

ROLES = {
    "clerk": ("recorder",),
    "clerk-2": ("recorder",),
    "reviewer": ("verifier",),
    "reviewer-2": ("verifier",),
    "chair": ("chair",),
    "accountant": ("finance",),
}
"""The people of the demo, as opaque ids, and their roles; all others are judges."""

JUDGE = ("judge",)
OPENS = time(9)  # the office


@dataclass(frozen=True)
class Step:
    """A command with its expected outcome: `done`, or the code of the rule that refuses it."""

    service: str
    command: str
    by: str
    arguments: dict[str, Any]
    command_id: str
    expected: str = "done"
    patient: bool = False  # sent again until an event has brought what it needs
    expected_later: str = "X-12"  # another rule that may refuse it in a second run
    at: str | None = None  # an instant of 2011; None: now
    until: str | None = None  # no command: wait until this has happened to a record


@dataclass
class Story:
    """Steps in their order, with ids made of the story's name, so that a second run repeats the same commands."""

    name: str
    steps: list[Step] = field(default_factory=list)
    _moment: datetime | None = None

    def on(self, day: date) -> None:
        """Date the next commands on this day, one a second from nine o'clock."""
        self._moment = datetime.combine(day, OPENS, tzinfo=SHANGHAI)

    def tell(
        self,
        service: str,
        command: str,
        /,
        *,
        by: str = "clerk",
        expected: str = "done",
        patient: bool = False,
        expected_later: str = "X-12",
        **arguments: Any,
    ) -> None:
        """Add a command; days become texts, arguments that are None are left out."""
        present = {name: _plain(value) for name, value in arguments.items() if value is not None}
        step = Step(
            service, command, by, present, f"demo.{self.name}.{len(self.steps)}",
            expected=expected, patient=patient, expected_later=expected_later, at=self._next(),
        )  # fmt: skip
        self.steps.append(step)

    def wait(self, service: str, kind: str, record_id: str, *, until: str) -> None:
        """Wait until this has happened to a record."""
        name = f"demo.{self.name}.{len(self.steps)}"
        self.steps.append(Step(service, f"history_of_{kind}", "clerk", {"id": record_id}, name, until=until))

    def repeat(self) -> None:
        """Add the last command once more with the same id, as after a lost response."""
        self.steps.append(self.steps[-1])

    def _next(self) -> str | None:
        if self._moment is None:
            return None
        self._moment += timedelta(seconds=1)
        return self._moment.isoformat()


def sha256_of(*words: object) -> str:
    """Return the digest of a file that could exist."""
    return hashlib.sha256("/".join(map(str, words)).encode()).hexdigest()


def _plain(value: Any) -> Any:
    if isinstance(value, date):
        return value.isoformat()
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value
