"""A story: commands that are given one after the other; different stories do not wait for each other."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import date
from typing import Any

ROLES = {
    "clerk": ("recorder",),
    "clerk-2": ("recorder",),
    "reviewer": ("verifier",),
    "reviewer-2": ("verifier",),
    "chair": ("chair",),
    "accountant": ("finance",),
}
"""Who acts in the demo, as opaque ids, and in which roles."""


@dataclass(frozen=True)
class Step:
    """One command and what it is expected to lead to: `done`, or the code of the rule that refuses it."""

    service: str
    command: str
    by: str
    arguments: dict[str, Any]
    command_id: str
    expected: str = "done"
    patient: bool = False  # what it needs comes by an event of another service: not found yet, it is given again


@dataclass
class Story:
    """Steps in their order; ids are made of the story's name, so that telling it again repeats the same commands."""

    name: str
    steps: list[Step] = field(default_factory=list)

    def tell(
        self,
        service: str,
        command: str,
        /,
        *,
        by: str = "clerk",
        expected: str = "done",
        patient: bool = False,
        **arguments: Any,
    ) -> None:
        """The next command; days become texts, what is None is left out."""
        given = {name: _plain(value) for name, value in arguments.items() if value is not None}
        self.steps.append(Step(service, command, by, given, f"demo.{self.name}.{len(self.steps)}", expected, patient))

    def repeat(self) -> None:
        """The last command once more with the same id, as after a lost answer."""
        self.steps.append(self.steps[-1])


def sha256_of(*words: object) -> str:
    """The id of a file that there could be."""
    return hashlib.sha256("/".join(map(str, words)).encode()).hexdigest()


def _plain(value: Any) -> Any:
    if isinstance(value, date):
        return value.isoformat()
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value
