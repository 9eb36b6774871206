"""Control characters: signs that a document cannot show, and XML cannot even hold; they are left out of it."""

from __future__ import annotations

import re

_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")


def without_controls(text: str) -> str:
    """Leave out what is neither a letter nor a blank, a tab or the end of a line."""
    return _CONTROLS.sub("", text)


def on_one_line(text: str) -> str:
    """Leave out the same, and put a blank for each tab and line feed."""
    return " ".join(without_controls(text).split())
