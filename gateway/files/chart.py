"""Charts: bars as PNG. Labels are Chinese where this machine has a font for every character of them, else codes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from pathlib import PurePath
from typing import Any

FONTS = (
    "wqy-microhei",
    "NotoSansCJK-Regular",
    "NotoSansSC",
    "SourceHanSans",
    "wqy-zenhei",
    "msyh",
    "simhei",
    "PingFang",
)
"""Font files by their names, the ones that read best first; any other that has the characters comes after them."""

BLUE, RED, GREY = "#2F5C8F", "#B22222", "#666666"
CENTIMETRES = 2.54  # in an inch
DOTS = 150  # in an inch


@dataclass(frozen=True)
class Bar:
    """What a bar is called, in Chinese and by its code, how long it is, and what stands at its end."""

    label: str
    code: str
    length: float
    says: str


def across(bars: Sequence[Bar], *, unit: str, mark: float | None = None) -> bytes:
    """Bars from left to right, the first one on top; `mark` is a line that they are meant to reach."""
    figure, axes = _figure(15, 1.2 + 0.95 * len(bars))
    font = _font_for([unit, *(bar.label for bar in bars)])
    places = range(len(bars), 0, -1)
    axes.barh(places, [bar.length for bar in bars], height=0.55, color=BLUE)
    axes.set_yticks(places, labels=_labels(bars, font), font=font)
    longest = max(mark or 0, *(bar.length for bar in bars)) or 1
    axes.set_xlim(0, longest * 1.2)
    for place, bar in zip(places, bars, strict=True):
        axes.text(bar.length + longest * 0.01, place, bar.says, va="center", fontsize=8, color=GREY)
    if mark is not None:
        axes.axvline(mark, color=RED, linewidth=1, linestyle="--")
    _number(axes.xaxis)
    if font:
        axes.set_xlabel(unit, font=font)
    return _png(figure)


def upright(bars: Sequence[Bar], *, unit: str) -> bytes:
    """Bars next to each other, the first one on the left."""
    figure, axes = _figure(15, 6.5)
    font = _font_for([unit, *(bar.label for bar in bars)])
    places = range(len(bars))
    axes.bar(places, [bar.length for bar in bars], width=0.55, color=BLUE)
    axes.set_xticks(places, labels=_labels(bars, font), font=font)
    for place, bar in zip(places, bars, strict=True):
        if bar.length:
            axes.text(place, bar.length, bar.says, ha="center", va="bottom", fontsize=8, color=GREY)
    axes.set_ylim(0, (max(bar.length for bar in bars) or 1) * 1.15)
    _number(axes.yaxis)
    if font:
        axes.set_ylabel(unit, font=font)
    return _png(figure)


def font_with(characters: Iterable[str], files: Iterable[str]) -> str | None:
    """The first of these font files that has all of these characters."""
    wanted = {ord(character) for character in characters if not character.isspace()}
    return next((file for file in sorted(files, key=_rank) if wanted <= _characters(file)), None)


def _number(axis: Any) -> None:
    """Whole numbers along it, none of them twice."""
    from matplotlib.ticker import MaxNLocator  # noqa: PLC0415 (a second and 35 MB, for those who draw)

    axis.set_major_locator(MaxNLocator(nbins=7, integer=True, min_n_ticks=1))
    axis.set_major_formatter("{x:,.0f}")


def _labels(bars: Sequence[Bar], font: Any) -> list[str]:
    return [bar.label if font else bar.code for bar in bars]


def _font_for(texts: Iterable[str]) -> Any:
    """None where no font of this machine has all that these texts need: then they are not drawn at all."""
    from matplotlib.font_manager import FontProperties  # noqa: PLC0415 (as above)

    file = font_with("".join(texts), _font_files())
    return FontProperties(fname=file, size=9) if file else None


@cache
def _font_files() -> tuple[str, ...]:
    """Asked of the system, not of matplotlib's list, which does not know what was installed since it was made."""
    from matplotlib.font_manager import findSystemFonts  # noqa: PLC0415 (as above)

    return tuple(findSystemFonts())


def _rank(file: str) -> tuple[int, str]:
    name = PurePath(file).name.lower()
    return next((place for place, known in enumerate(FONTS) if name.startswith(known.lower())), len(FONTS)), file


@cache
def _characters(file: str) -> frozenset[int]:
    from matplotlib.ft2font import FT2Font  # noqa: PLC0415 (as above)

    try:
        return frozenset(FT2Font(file).get_charmap())
    except (OSError, RuntimeError):  # it was removed meanwhile, or is a bitmap font
        return frozenset()


def _figure(width: float, height: float) -> tuple[Any, Any]:
    """Of so many centimetres; without pyplot, which keeps every figure."""
    from matplotlib.figure import Figure  # noqa: PLC0415 (as above)

    figure = Figure(figsize=(width / CENTIMETRES, height / CENTIMETRES), dpi=DOTS, layout="constrained")
    axes = figure.add_subplot()
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=8)
    return figure, axes


def _png(figure: Any) -> bytes:
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415 (as above)

    drawn = BytesIO()
    FigureCanvasAgg(figure).print_png(drawn)
    return drawn.getvalue()
