"""Money: counted in whole fen (X-06), written by people in yuan.

A field holds money where its name is `fen` or ends in `_fen`.
"""

from __future__ import annotations

from decimal import Decimal

FEN_PER_YUAN = 100


class PartOfFen(ValueError):
    """An amount of yuan with more than two decimals."""


def is_money(field: str) -> bool:
    """Tell by a field's name whether it holds fen."""
    return field == "fen" or field.endswith("_fen")


def to_yuan(fen: int) -> Decimal:
    """Convert exactly: 1200050 fen are 12000.5 yuan."""
    return Decimal(fen) / FEN_PER_YUAN


def to_fen(yuan: Decimal) -> int:
    """Convert exactly; raises `PartOfFen` rather than round."""
    fen = yuan * FEN_PER_YUAN
    if fen != fen.to_integral_value():
        raise PartOfFen(yuan)

    return int(fen)


def format_yuan(fen: int, *, grouped: bool = False) -> str:
    """Write fen as yuan with two decimals: `12000.50`, grouped `12,000.50`."""
    return f"{to_yuan(fen):{',' if grouped else ''}.2f}"
