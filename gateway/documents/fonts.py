"""Fonts: the best file of this machine that has every character of a text, so that no square is drawn for one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import PurePath
from typing import Any

SANS = (
    "wqy-microhei",
    "NotoSansCJK-Regular",
    "NotoSansSC",
    "SourceHanSans",
    "wqy-zenhei",
    "msyh",
    "simhei",
    "PingFang",
)
SERIF = ("NotoSerifCJK-Regular", "NotoSerifSC", "SourceHanSerif", "simsun", *SANS)
"""Font files by their names, the most readable first; any other file that has the characters comes after them."""

OF_CHINA = (" SC", " CN")
"""Endings of the faces of a collection that write letters as in mainland China."""


def font_for(texts: Iterable[str], *, size: float, best: Sequence[str] = SANS) -> Any:
    """Find a font for these texts; None where no font of this machine has all their characters."""
    from matplotlib.font_manager import FontPath, FontProperties  # noqa: PLC0415 (a second, for those who draw)

    file = font_with("".join(texts), _font_files(), best)
    return FontProperties(fname=FontPath(file, _face(file)), size=size) if file else None


def font_with(characters: Iterable[str], files: Iterable[str], best: Sequence[str] = SANS) -> str | None:
    """Return the best of these font files that has all of these characters."""
    needed = {ord(character) for character in characters if not character.isspace()}
    ranked = sorted(files, key=lambda file: _rank(file, best))
    return next((file for file in ranked if needed <= _characters(file)), None)


@cache
def _font_files() -> tuple[str, ...]:
    """List the system's fonts, not those of matplotlib's list, which lacks what was installed after it was made."""
    from matplotlib.font_manager import findSystemFonts  # noqa: PLC0415 (as above)

    return tuple(findSystemFonts())


def _rank(file: str, best: Sequence[str]) -> tuple[int, str]:
    name = PurePath(file).name.lower()
    return next((place for place, known in enumerate(best) if name.startswith(known.lower())), len(best)), file


@cache
def _characters(file: str) -> frozenset[int]:
    from matplotlib.ft2font import FT2Font  # noqa: PLC0415 (as above)

    try:
        return frozenset(FT2Font(file).get_charmap())
    except (OSError, RuntimeError):  # it was removed meanwhile, or is a bitmap font
        return frozenset()


@cache
def _face(file: str) -> int:
    """Choose a face of a collection: its faces share their characters, but write them differently."""
    from matplotlib.ft2font import FT2Font  # noqa: PLC0415 (as above)

    names = [FT2Font(file, face_index=number).family_name for number in range(FT2Font(file).num_faces)]
    return next((number for number, name in enumerate(names) if name.endswith(OF_CHINA)), 0)
