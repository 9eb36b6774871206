"""Statements that count once a second person verified them (X-05), and never again once one rejected them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeVar

from services.kernel import Change, Lifecycle
from services.kernel.duty import separate

LIFECYCLE = Lifecycle(recorded=("verified", "rejected"), verified=("rejected",))
STANDING = ("recorded", "verified")


@dataclass(frozen=True, kw_only=True)
class Statement:
    """What one person recorded and another one verifies."""

    recorded_by: str
    verified_by: str | None = None
    state: str = "recorded"


S = TypeVar("S", bound=Statement)


def verify(statement: S, *, by: str) -> Change[S]:
    """Let it stand and count; its recorder does not (X-05)."""
    state = LIFECYCLE.move(statement.state, "verified")
    separate(entered_by=statement.recorded_by, by=by)

    return Change(replace(statement, state=state, verified_by=by), "verified")


def reject(statement: S, *, reason: str) -> Change[S]:
    """Take it off, also one that was verified; what is right is recorded anew."""
    return Change(replace(statement, state=LIFECYCLE.move(statement.state, "rejected")), "rejected", reason)
