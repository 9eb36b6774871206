"""Separation of duties: a person who entered a figure, score or grant may not verify or approve it (X-05)."""

from __future__ import annotations

from services.kernel.refusal import Refusal


class SamePerson(Refusal, rule="X-05", zh="填报人不得核实或批准自己填报的内容"):
    """Whoever entered this may not verify or approve it."""


def separate(*, entered_by: str, by: str) -> None:
    """Raise `SamePerson` where both are one person (X-05)."""
    if entered_by == by:
        raise SamePerson(entered_by=entered_by)
