"""Separation of duties: who enters a figure, score or grant may not verify or approve the same one (X-05)."""

from __future__ import annotations

from services.kernel.refusal import Refusal


class SamePerson(Refusal, rule="X-05", zh="填报人不得核实或批准自己填报的内容"):
    """Whoever entered this may not verify or approve it."""


def separate(*, entered_by: str, by: str) -> None:
    """Refuse when both are one person (X-05)."""
    if entered_by == by:
        raise SamePerson(entered_by=entered_by)
