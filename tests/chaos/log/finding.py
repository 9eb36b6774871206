"""A finding: an invariant that does not hold, and how much was lost or doubled by that."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

SHOWN = 5  # examples


@dataclass(frozen=True)
class Finding:
    invariant: str
    text: str
    lost: int = 0
    doubled: int = 0


def found(
    invariant: str, what: str, examples: Collection[object], *, lost: bool = False, doubled: bool = False
) -> Iterator[Finding]:
    """One finding for all of these, none where there are none; each is something `lost` or `doubled`, or neither."""
    if examples:
        number = len(examples)
        shown = ", ".join(str(one) for one, _ in zip(examples, range(SHOWN), strict=False))
        text = f"{number} {what}: {shown}{', ...' if number > SHOWN else ''}"
        yield Finding(invariant, text, lost=number if lost else 0, doubled=number if doubled else 0)
