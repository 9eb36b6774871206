"""Figures of judging: exact fractions until they are stored, then Decimals of four places, the same on every machine.

A third has no end in Decimal: 1/3 + 1/3 and 2/3 would differ in their last digit, so that a judge who scored all alike
would seem to have a spread, and the first in the list would win a tie. Hence nothing is rounded on the way, and a
stored figure is rounded once, half to even; neither floats nor the context of Decimal take part.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from math import isqrt, lcm
from statistics import median

__all__ = ["WHOLE", "is_plain", "kept", "mean", "median", "root", "trimmed_mean", "units", "variance"]

LARGEST = 1_000_000  # of a score or a weight
PLACES = 4  # decimals of every figure that is kept
WHOLE: int = 10**PLACES  # ten-thousandths
ROOT_PLACES = 50  # decimals of a square root that has no end
TRIMMED_FROM = 5  # scores; of fewer none is dropped


def is_plain(number: Decimal) -> bool:
    """True for a number that may be entered: finite, from 0 to `LARGEST`, with no more decimals than a figure keeps."""
    if not number.is_finite() or not 0 <= number <= LARGEST:
        return False
    return not number or (number.adjusted() >= -PLACES and WHOLE % number.as_integer_ratio()[1] == 0)


def units(number: Decimal) -> int:
    """Convert a plain number into ten-thousandths."""
    numerator, denominator = number.as_integer_ratio()
    return numerator * WHOLE // denominator


def kept(value: Fraction) -> Decimal:
    """Round a figure as it is recorded, compared and shown."""
    return Decimal(f"{round(value * WHOLE)}E-{PLACES}")


def root(value: Fraction) -> Fraction:
    """Take the square root: exact where it is a fraction, else cut off after `ROOT_PLACES`."""
    unit = value.denominator * 10**ROOT_PLACES
    return Fraction(isqrt(value.numerator * unit**2 // value.denominator), unit)


def mean(values: Sequence[Fraction]) -> Fraction:
    """Take the exact mean."""
    parts, whole = _parts(values)
    return Fraction(sum(parts), whole * len(parts))


def trimmed_mean(values: Sequence[Fraction]) -> Fraction:
    """Take the mean without one highest and one lowest score, from five scores on."""
    return mean(sorted(values)[1:-1] if len(values) >= TRIMMED_FROM else values)


def variance(values: Sequence[Fraction]) -> Fraction:
    """Take the variance of the values themselves (the population), not a sample's estimate."""
    parts, whole = _parts(values)
    n = len(parts)
    return Fraction(n * sum(part**2 for part in parts) - sum(parts) ** 2, (n * whole) ** 2)


def _parts(values: Sequence[Fraction]) -> tuple[list[int], int]:
    """Return the numerators over a common denominator: far faster than adding fractions."""
    whole = lcm(*(value.denominator for value in values))
    return [value.numerator * (whole // value.denominator) for value in values], whole
