"""Actors as documents: who sent what is done later, as which roles and for which district."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.chassis.tokens import Actor


def write_actor(actor: Actor) -> dict[str, Any]:
    """Write an actor; the same one is always written alike."""
    return {"id": actor.id, "roles": sorted(actor.roles), "district": actor.district}


def read_actor(document: Mapping[str, Any]) -> Actor:
    """Read a stored actor."""
    return Actor(document["id"], frozenset(document["roles"]), document["district"])
