"""A change: the answer of a rule that allows something."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Change(Generic[T]):
    """A record after a change, and what happened to it (a happening of its contract).

    `reason` stays in the owner's history (X-04) and is never published, since people write names into it (X-08).
    """

    record: T
    happened: str
    reason: str | None = None
