"""Comparable names, so that the same name written in two ways is recognised."""

from __future__ import annotations

import unicodedata


def normalised(name: str) -> str:
    """Drop spaces, punctuation, full-width forms and case: `乐山市 茶叶协会` and `乐山市茶叶协会` are one name.

    Symbols stay, and so does `#`: C, C# and C++ are three names. A name of nothing but punctuation keeps it.
    """
    while (plain := _plain(name)) != name:  # removals may join letters that have another form together
        name = plain
    return name


def _plain(name: str) -> str:
    folded = unicodedata.normalize("NFKC", name).casefold()
    letters = "".join(letter for letter in folded if not _separates(letter))
    return unicodedata.normalize("NFKC", letters or folded)


def _separates(letter: str) -> bool:
    """True for a space, a punctuation mark or an invisible character."""
    return letter != "#" and unicodedata.category(letter)[0] in "ZPC"
