"""Comparisons: whether a work was entered before, and how similar an entry is to the other ones (A-07).

Two titles are as similar as the pairs of letters that they have in common; that points at a copy and decides nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from services.awards.domain.entry import LIFECYCLE, Entry
from services.kernel.name import normalised

AWARDED = "awarded"
SEEN = tuple(state for state in LIFECYCLE.states if state != "withdrawn")  # a withdrawn entry may come again


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """The result for the other entries of a programme; `similarity` in percent, None where there are none."""

    similarity: int | None = None
    similar_entry_id: str | None = None
    prior_entry_ids: tuple[str, ...] = ()
    awarded_entry_ids: tuple[str, ...] = ()


def compare(entry: Entry, others: Iterable[tuple[str, Entry]]) -> Comparison:
    """Compare an entry with these of its programme, by id; of equally similar ones the first is named."""
    seen = [(other_id, other) for other_id, other in others if other.state in SEEN]
    likeness = {other_id: alike(entry, other) for other_id, other in seen}
    closest = max(likeness, key=lambda other_id: likeness[other_id], default=None)
    prior = [(id_, other) for id_, other in seen if other.edition_id != entry.edition_id and is_same(entry, other)]
    return Comparison(
        similarity=likeness[closest] if closest else None,
        similar_entry_id=closest if closest and likeness[closest] else None,
        prior_entry_ids=tuple(other_id for other_id, _ in prior),
        awarded_entry_ids=tuple(other_id for other_id, other in prior if other.state == AWARDED),
    )


def is_same(one: Entry, other: Entry) -> bool:
    """True for the same title with the same first entrant, or the same file of the work."""
    return not set(one.work_keys).isdisjoint(other.work_keys)


def alike(one: Entry, other: Entry) -> int:
    """Rate the similarity of two entries in percent: 100 is the same title or the same work."""
    return 100 if is_same(one, other) else similarity(one.material.title, other.material.title)


def similarity(one: str, other: str) -> int:
    """Count the pairs of neighbouring letters that two titles share, twice, among all pairs; in whole percent."""
    these, those = _pairs(normalised(one)), _pairs(normalised(other))
    return 200 * (these & those).total() // (these.total() + those.total())


def _pairs(title: str) -> Counter[str]:
    """Pairs of neighbouring letters; a title of one letter is a pair of its own."""
    return Counter(title[place : place + 2] for place in range(max(len(title) - 1, 1)))
