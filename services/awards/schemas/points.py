"""Points and weights, exact."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from services.chassis.fields import Text


class Points(Text):
    """Points or weights, exact to two decimals: a text, since no number of JSON is exact."""

    pattern = r"[0-9]{1,6}(\.[0-9]{1,2})?"
    says = ("A number like 12.5, as a text.", "须为数字文本，如 12.5。")

    def __init__(self, *, required: bool = True) -> None:
        super().__init__(max=9, required=required)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        return Decimal(super()._deserialize(value, attr, data, **kwargs))
