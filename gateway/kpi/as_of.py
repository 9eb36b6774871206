"""As-of counters: the current counters minus every change that was learned after the instant. Pure.

Every version of a record says since when it is known, so a question in November about October costs as much as has
changed in November, however many records there are.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from gateway.kpi.measures import Changes, Increments, Measure

Data = Mapping[str, Any]


@dataclass(frozen=True)
class Touched:
    """A record that changed after the instant: its data `now`, and `then`, in that version; None: it was not known."""

    record: str
    now: Data
    then: Data | None
    version: int


def known_then(now: int, learnt: Collection[int]) -> int:
    """Return the newest version that was known before those `learnt` since; 0 where none was.

    All versions up to `now` must be there.
    """
    return next((version for version in range(now, 0, -1) if version not in learnt), 0)


def unwound(measures: Iterable[Measure], touched: Iterable[Touched]) -> Increments:
    """Compute the increments that turn the current counts into those of the instant."""
    by_kind: dict[str, list[Measure]] = {}
    for measure in measures:
        by_kind.setdefault(measure.rule.of.key, []).append(measure)

    changes = Changes()
    for record in touched:
        for measure in by_kind.get(record.record.partition("/")[0], ()):
            changes.replace(measure, record.now, record.then)
    return changes.increments()


def patched(
    documents: Mapping[str, Data], increments: Increments, needed: Collection[str]
) -> dict[str, dict[str, Any]]:
    """Add the increments to copies of the documents of counts that are needed; one may be there only by increments."""
    copies = {id_: _copy(documents.get(id_, {"_id": id_})) for id_ in needed if id_ in documents or id_ in increments}
    for id_ in copies.keys() & increments.keys():
        for path, by in increments[id_].items():
            _add(copies[id_], path.split("."), by)
    return copies


def _copy(node: Any) -> Any:
    return {name: _copy(inner) for name, inner in node.items()} if isinstance(node, Mapping) else node


def _add(node: dict[str, Any], path: list[str], by: int) -> None:
    for name in path[:-1]:
        node = node.setdefault(name, {})
    node[path[-1]] = node.get(path[-1], 0) + by
