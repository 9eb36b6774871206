"""Charts: bars as PNG. Labels are Chinese where this machine has a font for every character of them, else codes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from gateway.documents.figures import new_figure
from gateway.documents.fonts import font_for

BLUE, RED, GREY = "#2F5C8F", "#B22222", "#666666"
DOTS = 150  # in an inch


@dataclass(frozen=True)
class Bar:
    """A bar with its name in Chinese and by code, its length, and the text at its end."""

    label: str
    code: str
    length: float
    text: str


def across(bars: Sequence[Bar], *, unit: str, mark: float | None = None) -> bytes:
    """Draw horizontal bars, the first on top; `mark` is the length that they are meant to reach. Returns a PNG."""
    figure, axes = _figure(150, 12 + 9.5 * len(bars))
    font = font_for([unit, *(bar.label for bar in bars)], size=9)
    places = range(len(bars), 0, -1)
    axes.barh(places, [bar.length for bar in bars], height=0.55, color=BLUE)
    axes.set_yticks(places, labels=_labels(bars, font), font=font)
    longest = max(mark or 0, *(bar.length for bar in bars)) or 1
    axes.set_xlim(0, longest * 1.2)
    for place, bar in zip(places, bars, strict=True):
        axes.text(bar.length + longest * 0.01, place, bar.text, va="center", fontsize=8, color=GREY)
    if mark is not None:
        axes.axvline(mark, color=RED, linewidth=1, linestyle="--")
    _number(axes.xaxis)
    if font:
        axes.set_xlabel(unit, font=font)
    return _png(figure)


def upright(bars: Sequence[Bar], *, unit: str) -> bytes:
    """Draw vertical bars, the first on the left. Returns a PNG."""
    figure, axes = _figure(150, 65)
    font = font_for([unit, *(bar.label for bar in bars)], size=9)
    places = range(len(bars))
    axes.bar(places, [bar.length for bar in bars], width=0.55, color=BLUE)
    axes.set_xticks(places, labels=_labels(bars, font), font=font)
    for place, bar in zip(places, bars, strict=True):
        if bar.length:
            axes.text(place, bar.length, bar.text, ha="center", va="bottom", fontsize=8, color=GREY)
    axes.set_ylim(0, (max(bar.length for bar in bars) or 1) * 1.15)
    _number(axes.yaxis)
    if font:
        axes.set_ylabel(unit, font=font)
    return _png(figure)


def _number(axis: Any) -> None:
    """Label the axis with whole numbers, none of them twice."""
    from matplotlib.ticker import MaxNLocator  # noqa: PLC0415 (a second and 35 MB, for those who draw)

    axis.set_major_locator(MaxNLocator(nbins=7, integer=True, min_n_ticks=1))
    axis.set_major_formatter("{x:,.0f}")


def _labels(bars: Sequence[Bar], font: Any) -> list[str]:
    return [bar.label if font else bar.code for bar in bars]


def _figure(width: float, height: float) -> tuple[Any, Any]:
    """Make a figure of so many millimetres with one pair of axes."""
    figure = new_figure(width, height, dpi=DOTS, layout="constrained")
    axes = figure.add_subplot()
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=8)
    return figure, axes


def _png(figure: Any) -> bytes:
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415 (as above)

    drawn = BytesIO()
    FigureCanvasAgg(figure).print_png(drawn)
    return drawn.getvalue()
