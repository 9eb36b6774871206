"""A story: commands that are given one after the other; different stories do not wait for each other."""

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
"""Who acts in the demo, as opaque ids, and in which roles; whoever else acts sits on a jury."""

JUDGE = ("judge",)
OPENS = time(9)  # the office


@dataclass(frozen=True)
class Step:
    """One command and what it is expected to lead to: `done`, or the code of the rule that refuses it."""

    service: str
    command: str
    by: str
    arguments: dict[str, Any]
    command_id: str
    expected: str = "done"
    patient: bool = False  # what it needs comes by an event: until then it is given again
    told_again: str = "X-12"  # by which rule what is refused may be refused as well, once the year has gone on
    at: str | None = None  # the instant of 2011 at which it came; None: now
    until: str | None = None  # no command but a look: what has to have happened to a record before the story goes on


@dataclass
class Story:
    """Steps in their order; ids are made of the story's name, so that telling it again repeats the same commands."""

    name: str
    steps: list[Step] = field(default_factory=list)
    _moment: datetime | None = None

    def on(self, day: date) -> None:
        """From now on it is this day, as a rehearsal has it: one command comes a second after the other."""
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
        told_again: str = "X-12",
        **arguments: Any,
    ) -> None:
        """The next command; days become texts, what is None is left out."""
        given = {name: _plain(value) for name, value in arguments.items() if value is not None}
        step = Step(
            service, command, by, given, f"demo.{self.name}.{len(self.steps)}",
            expected=expected, patient=patient, told_again=told_again, at=self._next(),
        )  # fmt: skip
        self.steps.append(step)

    def wait(self, service: str, kind: str, record_id: str, *, until: str) -> None:
        """Go on once this has happened to a record because of an event."""
        name = f"demo.{self.name}.{len(self.steps)}"
        self.steps.append(Step(service, f"history_of_{kind}", "clerk", {"id": record_id}, name, until=until))

    def repeat(self) -> None:
        """The last command once more with the same id, as after a lost answer."""
        self.steps.append(self.steps[-1])

    def _next(self) -> str | None:
        if self._moment is None:
            return None
        self._moment += timedelta(seconds=1)
        return self._moment.isoformat()


def sha256_of(*words: object) -> str:
    """The id of a file that there could be."""
    return hashlib.sha256("/".join(map(str, words)).encode()).hexdigest()


def _plain(value: Any) -> Any:
    if isinstance(value, date):
        return value.isoformat()
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value
