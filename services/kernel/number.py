"""Comparable numbers of documents and vouchers, so that the same number written in two ways is recognised.

Unlike in a name, signs matter: `3-12` (the twelfth of March) and `31-2` are two vouchers.
"""

from __future__ import annotations

import re
import unicodedata

from services.kernel.text import without_invisible

ONE_SIGN = str.maketrans({**dict.fromkeys("〔[【", "("), **dict.fromkeys("〕]】", ")"), **dict.fromkeys("‐–—―−", "-")})


def comparable(number: str) -> str:
    """Drop spaces, case and kinds of bracket or dash: `川财教 [2011] 88号` and `川财教〔2011〕88号` are one."""
    plain = unicodedata.normalize("NFKC", without_invisible(number))
    return re.sub(r"\s+", "", plain).translate(ONE_SIGN).casefold()
