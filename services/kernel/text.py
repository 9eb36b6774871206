"""Texts as people write them: what one may hold, and how it is kept, so that no two look alike and are not.

- Refused are control characters, halves of a character, code points that are none, and signs that turn the direction of
  what follows them: a text with one of these is not what it shows. A text of lines may have line feeds and tabs.
- Dropped are all other invisible characters, like a zero-width space, which come along with copied text.
- What looks the same is written the same (NFC); every blank but the wide one is a space, and none stands at an end.

Private characters are kept, since rare names are written with them; so are variants of a character that are asked for.
"""

from __future__ import annotations

import unicodedata

LINES = "\n\t"
TURNING = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
VISIBLE = frozenset("\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd")
"""Signs that Unicode counts among the invisible, but that are written around the digits after them."""
WIDE_BLANK = "\u3000"


class NotAText(ValueError):
    """A text with a character that none may have."""

    def __init__(self, character: str) -> None:
        self.character = f"U+{ord(character):04X}"
        super().__init__(self.character)


def kept(text: str, *, lines: bool = False) -> str:
    """Return a text as it is kept; raises `NotAText`."""
    if not text.isprintable():
        text = _line_ends(text) if lines else text
        for character in text:
            if _is_refused(character) and not (lines and character in LINES):
                raise NotAText(character)
        text = "".join(map(_blank, without_invisible(text)))
    return unicodedata.normalize("NFC", text).strip()


def without_invisible(text: str) -> str:
    """Drop the characters that nobody can see."""
    return text if text.isprintable() else "".join(character for character in text if not _is_invisible(character))


def hidden_characters(text: str) -> list[str]:
    """Name the characters of a text, as `U+200B`, that none may have or nobody can see; a text may have lines."""
    if text.isprintable():
        return []
    hidden = (one for one in text if one not in LINES and (_is_refused(one) or _is_invisible(one)))
    return [f"U+{ord(one):04X}" for one in dict.fromkeys(hidden)]


def _is_refused(character: str) -> bool:
    code = ord(character)
    is_no_character = code & 0xFFFE == 0xFFFE or 0xFDD0 <= code <= 0xFDEF
    return character in TURNING or is_no_character or unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp")


def _is_invisible(character: str) -> bool:
    return unicodedata.category(character) == "Cf" and character not in VISIBLE


def _blank(character: str) -> str:
    return " " if unicodedata.category(character) == "Zs" and character != WIDE_BLANK else character


def _line_ends(text: str) -> str:
    """Write the end of a line as one line feed, however the sender's system has it."""
    return text.replace("\r\n", "\n").replace("\r", "\n")
