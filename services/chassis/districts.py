"""Districts: whoever is bound to one writes, and reads what is confidential, there only, and nothing municipal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.chassis.problem import NotAllowed
from services.chassis.tokens import Actor


def require_everywhere(actor: Actor) -> None:
    """Raise `NotAllowed` for an actor who is bound to a district."""
    if actor.district is not None:
        raise NotAllowed(yours=actor.district)


def is_within(actor: Actor, state: Mapping[str, Any]) -> bool:
    """True unless the actor is bound to another district than the record's, which may have none."""
    return actor.district is None or state.get("district") == actor.district


def require_within(actor: Actor, state: Mapping[str, Any]) -> None:
    """Raise `NotAllowed` where the actor is bound to another district than the record's."""
    if not is_within(actor, state):
        raise NotAllowed(district=state.get("district"), yours=actor.district)
