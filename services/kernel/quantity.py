"""Quantities: whole person-times and money in whole fen; a missing quantity is None and never 0 (X-06)."""

from __future__ import annotations

from services.kernel.refusal import Refusal


class NotWhole(Refusal, rule="X-06", zh="人次和金额(分)必须是非负整数"):
    """Person-times and money (in fen) are whole numbers, zero or more."""


def whole(**quantities: object) -> None:
    """Raise `NotWhole` for a negative number, a fraction or anything else; None is allowed, it means not counted."""
    for name, value in quantities.items():
        if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 0):
            raise NotWhole(**{name: value})
