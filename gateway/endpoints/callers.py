"""Groups of callers that several endpoints admit."""

from __future__ import annotations

from typing import Any

from services.chassis.tokens import ROLES

EVERYBODY: dict[str, Any] = {"roles": ROLES}  # judges too
OPERATOR: dict[str, Any] = {"roles": ("operator",), "everywhere": True}
CHAIR: dict[str, Any] = {"roles": ("chair",), "everywhere": True}
PLANNERS: dict[str, Any] = {"roles": ("chair", "operator"), "everywhere": True}
RECOUNTERS = ("verifier", "chair", "finance", "operator")
