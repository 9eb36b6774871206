"""Numbers that point at a person: identity cards of 18 or 15 digits, and mobile telephones; no id may hold one (X-08).

A number stands out where no hexadecimal digit touches it: a UUID is never taken for one.
"""

from __future__ import annotations

import re
from datetime import date

BEFORE, AFTER = r"(?<![0-9A-Fa-f])(?:id)?", r"(?![0-9A-Fa-f])"
MOBILE = re.compile(rf"{BEFORE}(?:(?:00)?86[._:-]?)?1[3-9]\d[._:-]?\d{{4}}[._:-]?\d{{4}}{AFTER}", re.A)
IDENTITY = re.compile(rf"{BEFORE}([1-8]\d{{16}}[\dXx]|[1-8]\d{{14}}){AFTER}", re.A)

WEIGHTS = [pow(2, power, 11) for power in range(17, 0, -1)]  # ISO 7064, MOD 11-2
CHECKS = "10X98765432"


def has_person_number(text: str) -> bool:
    """Return whether the number of an identity card or of a mobile telephone stands in the text."""
    return bool(MOBILE.search(text)) or any(map(_is_identity, IDENTITY.findall(text)))


def _is_identity(number: str) -> bool:
    """A day of birth, and in 18 digits the right check digit (GB 11643)."""
    if len(number) == 15:
        return _is_day(f"19{number[6:12]}")
    weighted = sum(weight * int(digit) for weight, digit in zip(WEIGHTS, number[:-1], strict=True))
    return _is_day(number[6:14]) and CHECKS[weighted % 11] == number[-1].upper()


def _is_day(digits: str) -> bool:
    try:
        return 1850 <= date(int(digits[:4]), int(digits[4:6]), int(digits[6:])).year < 2100
    except ValueError:
        return False
