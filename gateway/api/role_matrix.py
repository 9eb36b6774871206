"""The role matrix as a page: a row for each address, a column for each role."""

from __future__ import annotations

from collections.abc import Iterable

from gateway.api.catalogue import Operation
from gateway.http.caching import PrecompressedDocument
from gateway.pages import rendering
from services.chassis.tokens import ROLES

NAMES = {
    "viewer": "查看",
    "recorder": "填报",
    "verifier": "核实",
    "chair": "领导",
    "judge": "评委",
    "finance": "财务",
    "operator": "运维",
    "system": "外部系统",
}


def page(operations: Iterable[Operation]) -> PrecompressedDocument:
    """Render the matrix of these operations."""
    return rendering.page("/roles", roles={role: NAMES[role] for role in ROLES}, operations=list(operations))
