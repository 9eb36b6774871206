"""The past: what the gateway knew at an instant, out of what it knows now and what it learnt since.

Every version of a record says since when it is known. What was counted then is what is counted now, less what newer
versions have changed; whoever asks about October in November pays for the changes of November only. Pure.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from gateway.kpi.measures import Changes, Increments, Measure

Data = Mapping[str, Any]


@dataclass(frozen=True)
class Touched:
    """A record of which something was learnt since: its view now, and then, in that version; None: nobody knew it."""

    record: str
    now: Data
    then: Data | None
    version: int


def known_then(now: int, learnt: Collection[int]) -> int:
    """The newest version that was known before these were learnt, if all up to `now` are there; 0: none was."""
    return next((version for version in range(now, 0, -1) if version not in learnt), 0)


def unwound(measures: Iterable[Measure], touched: Iterable[Touched]) -> Increments:
    """What to add to the counts of now, so that they are those of then."""
    by_kind: dict[str, list[Measure]] = {}
    for measure in measures:
        by_kind.setdefault(measure.rule.of.key, []).append(measure)
    changes = Changes()
    for one in touched:
        for measure in by_kind.get(one.record.partition("/")[0], ()):
            changes.replace(measure, one.now, one.then)
    return changes.increments()


def patched(held: Mapping[str, Data], increments: Increments, wanted: Collection[str]) -> dict[str, dict[str, Any]]:
    """Those documents of counts that are wanted, with these increments added to them."""
    found = {id_: _copy(held.get(id_, {"_id": id_})) for id_ in wanted if id_ in held or id_ in increments}
    for id_ in found.keys() & increments.keys():
        for path, by in increments[id_].items():
            _add(found[id_], path.split("."), by)
    return found


def _copy(node: Any) -> Any:
    return {name: _copy(inner) for name, inner in node.items()} if isinstance(node, Mapping) else node


def _add(node: dict[str, Any], path: list[str], by: int) -> None:
    for name in path[:-1]:
        node = node.setdefault(name, {})
    node[path[-1]] = node.get(path[-1], 0) + by
