"""Figures to draw on, without pyplot, which keeps every figure in memory."""

from __future__ import annotations

from typing import Any

MILLIMETRES = 25.4  # in an inch


def new_figure(width: float, height: float, **options: Any) -> Any:
    """Make a figure of so many millimetres, on which a text is drawn as it is: a `$` begins no mathematics."""
    import matplotlib as mpl  # noqa: PLC0415 (a second and 35 MB, for those who draw)
    from matplotlib.figure import Figure  # noqa: PLC0415 (as above)

    mpl.rcParams["text.parse_math"] = False
    return Figure(figsize=(width / MILLIMETRES, height / MILLIMETRES), **options)
