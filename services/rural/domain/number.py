"""Numbers of documents and vouchers made comparable, so that the same number written twice is seen.

Unlike in a name, signs matter: `3-12` (the twelfth of March) and `31-2` are two vouchers.
"""

from __future__ import annotations

import re
import unicodedata

ONE_SIGN = str.maketrans({**dict.fromkeys("〔[【", "("), **dict.fromkeys("〕]】", ")"), **dict.fromkeys("‐–—―−", "-")})


def comparable(number: str) -> str:
    """Without spaces, case and kinds of bracket or dash: `川财教 [2011] 88号` and `川财教〔2011〕88号` are one."""
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", number)).translate(ONE_SIGN).casefold()
