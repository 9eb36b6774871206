"""Names made comparable, so that the same name written twice is seen."""

from __future__ import annotations

import re
import unicodedata


def normalised(name: str) -> str:
    """Without spaces, punctuation, full-width forms and case: `乐山市 茶叶协会` and `乐山市茶叶协会` are one name."""
    letters = re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", name).casefold())
    return unicodedata.normalize("NFKC", letters)
