"""A finding: an invariant that does not hold, and how much was lost or doubled by that."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import islice

SHOWN = 5  # examples


@dataclass(frozen=True)
class Finding:
    """An invariant that does not hold, in words for people; `lost` and `doubled` count commands, events or records."""

    invariant: str  # I1 to I9, or `fault` for a fault that did not strike or heal
    text: str
    lost: int = 0
    doubled: int = 0


def report(
    invariant: str, problem: str, examples: Collection[object], *, lost: bool = False, doubled: bool = False
) -> Iterator[Finding]:
    """Make one finding of all examples, none where there are none; each example was lost, or doubled, or neither."""
    if examples:
        number = len(examples)
        shown = ", ".join(str(example) for example in islice(examples, SHOWN))
        text = f"{number} {problem}: {shown}{', ...' if number > SHOWN else ''}"
        yield Finding(invariant, text, lost=number if lost else 0, doubled=number if doubled else 0)
