"""Comparison: what the services hold against what the gateway holds of it, by versions and by content.

Events are on their way while both are read, so that a difference is looked at again until it is gone or has stayed;
versions only grow, so that it is gone for good once each side has reached what the other one had. No clock decides.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import groupby
from time import monotonic
from typing import Any, NamedTuple

import eventlet

from gateway.kpi.ledger import Document
from gateway.read_model.store import Store
from gateway.reconciliation.jobs import Progress
from services.chassis.mongo import patiently
from services.chassis.problem import Problem, Unavailable
from services.contract.view import Kind

PATIENCE = 5.0  # seconds that a difference has to stay
PAUSE = 0.25  # seconds between two looks
BUCKET = 5_000  # records that are compared at once
PAGE = 1_000  # records whose whole histories are fetched at once
WATCHED = 100_000  # differences that are looked at again together

Ask = Callable[..., Any]
"""`ask(service, method, **arguments)`: what the service answers; raises `Unavailable`."""

SAME = {"hash": "hash", "happened": "happened", "at": "time", "by": "actor", "because": "cause", "view": "data"}
"""What a history's entry says, and the word for it in the gateway's row."""


class Block(NamedTuple):
    """The records of a kind from one id (exclusive) to another (inclusive; None: to the last one)."""

    kind: Kind
    after: str
    through: str | None


class Difference(NamedTuple):
    """A record as its service has it, 0 where it has not, and the gateway's copy: its version, and how many it kept."""

    block: Block
    id: str
    version: int
    copy: int
    rows: int

    @property
    def is_behind(self) -> bool:
        return self.copy < self.version or self.rows < self.version

    @property
    def complete(self) -> int:
        """The version up to which the copy has everything."""
        return self.copy if self.rows == self.copy else 0

    @property
    def what(self) -> str:
        if self.is_behind:
            return "behind"
        return "ahead" if self.version else "unknown"

    def is_gone(self, now: Difference) -> bool:
        return min(now.copy, now.rows) >= self.version and now.version >= max(self.copy, self.rows)

    def say(self) -> Document:
        return {
            "service": self.block.kind.service,
            "kind": self.block.kind.name,
            "id": self.id,
            "version": self.version,
            "copy": self.copy,
            "rows": self.rows,
            "what": self.what,
        }


class Comparison:
    """Compares versions; the services that did not answer are `away`, and their records are not compared."""

    def __init__(self, ask: Ask, store: Store, progress: Progress) -> None:
        self._ask, self._store, self._progress = ask, store, progress
        self.away: set[str] = set()

    def lasting(self, kinds: Iterable[Kind]) -> Iterator[list[Difference]]:
        """The differences that stay."""
        seen: list[Difference] = []
        for kind in kinds:
            for found in self._reached(kind.service, self._differing, kind):
                seen += found
                if len(seen) >= WATCHED:
                    yield self.staying(seen)
                    seen = []
        yield self.staying(seen)

    def staying(self, seen: list[Difference]) -> list[Difference]:
        """Those of them that stay, as they are then."""
        until, last = monotonic() + PATIENCE, seen
        first = {(one.block, one.id): one for one in seen}
        while last and monotonic() < until:
            eventlet.sleep(PAUSE)
            now = [one for block, some in groupby(last, _block) for one in self._again(block, {d.id for d in some})]
            last = [one for one in now if not first[one.block, one.id].is_gone(one)]
        return last

    def _differing(self, kind: Kind) -> Iterator[list[Difference]]:
        after: str | None = ""
        while after is not None:
            self._progress.at = kind.key
            theirs = self._ask(kind.service, "bucket", kind=kind.name, after=after, limit=BUCKET)
            block = Block(kind, after, theirs["through"])
            if not is_equal(theirs, patiently(partial(self._store.bucket_sums, kind.key, *block[1:]))):
                yield self._differences(block)
            self._progress.done += theirs["records"]
            after = block.through

    def _differences(self, block: Block) -> list[Difference]:
        kind, after, through = block
        said = self._ask(kind.service, "versions", kind=kind.name, after=after, through=through)
        held = patiently(lambda: self._store.versions_of(kind.key, after, through))
        return differences(block, said["records"], held)

    def _again(self, block: Block, ids: set[str]) -> list[Difference]:
        return [
            one
            for found in self._reached(block.kind.service, lambda one: [self._differences(one)], block)
            for one in found
            if one.id in ids
        ]

    def _reached(self, service: str, look: Callable[[Any], Iterable[Any]], at: Any) -> Iterator[Any]:
        """What there is to see there, up to where the service no longer answers."""
        if service in self.away:
            return
        try:
            yield from look(at)
        except Unavailable:
            self.away.add(service)


def _block(difference: Difference) -> Block:
    return difference.block


def is_equal(theirs: Mapping[str, int], ours: Mapping[str, int]) -> bool:
    """Has the gateway every record of a bucket, in its newest version, and a row for each of the versions?

    A copy is never ahead of its record, so that equal sums are equal records.
    """
    return (ours["records"], ours["versions"], ours["entries"]) == (
        theirs["records"],
        theirs["versions"],
        theirs["versions"],
    )


def differences(
    block: Block, theirs: Mapping[str, Sequence[int]], ours: Mapping[str, Sequence[int]]
) -> list[Difference]:
    """`theirs` has [version, entries] by id, `ours` (version, rows)."""
    found = []
    for id_ in sorted(theirs.keys() | ours.keys()):
        version = theirs[id_][0] or 0 if id_ in theirs else 0
        copy, rows = ours.get(id_, (0, 0))
        if not version == copy == rows:
            found.append(Difference(block, id_, version, copy, rows))
    return found


class ChainFlaw(NamedTuple):
    """A version that is not what it was when it was written, and who has it so."""

    kind: Kind
    id: str
    version: int
    at: str
    what: str

    def say(self) -> Document:
        told = {"service": self.kind.service, "kind": self.kind.name, "id": self.id, "version": self.version}
        return told | {"at": self.at, "what": self.what}


def verify(ask: Ask, store: Store, kinds: Iterable[Kind], progress: Progress) -> set[str]:
    """Compare every entry of every history, bit by bit, with the gateway's row; the services that did not answer."""
    away = set()
    for kind in kinds:
        try:
            for flaw in _flaws_of(kind, ask, store, progress):
                progress.find(flaw.say())
        except Unavailable:
            away.add(kind.service)
    return away


def _flaws_of(kind: Kind, ask: Ask, store: Store, progress: Progress) -> Iterator[ChainFlaw]:
    progress.at = kind.key
    for records in histories(ask, Block(kind, "", None)):
        ids = [record["id"] for record in records]
        rows, views = _rows(store, kind, ids), _views(store, kind, ids)
        for record in records:
            yield from flaws(kind, record, rows.get(record["id"], []), views.get(record["id"]))
        progress.done += len(ids)


def flaws(kind: Kind, record: Document, rows: Iterable[Document], view: Document | None) -> Iterator[ChainFlaw]:
    """What is wrong with one record: its own chain first, then what the gateway's rows and view say otherwise."""
    if record["broken"]:
        yield ChainFlaw(kind, record["id"], record["broken"]["version"], "service", record["broken"]["what"])
    held = {row["_id"]["version"]: row for row in rows}
    for entry in record["entries"]:
        version = entry.get("version")
        row = held.get(version) if isinstance(version, int) else None
        if row and (what := next((word for name, word in SAME.items() if entry.get(name) != row.get(word)), None)):
            yield ChainFlaw(kind, record["id"], version, "gateway", what)
        elif view and view["version"] == version and view["data"] != entry.get("view"):
            yield ChainFlaw(kind, record["id"], version, "gateway", "view")


def histories(ask: Ask, block: Block) -> Iterator[list[Document]]:
    """The whole histories of these records, page by page; the next one is fetched while one is worked on."""
    kind, after, through = block
    coming = eventlet.spawn(_page, ask, kind, after)
    while coming is not None:
        page = coming.wait()
        if isinstance(page, Problem):
            raise page
        after = page["through"]
        is_last = after is None or (through is not None and after >= through)
        coming = None if is_last else eventlet.spawn(_page, ask, kind, after)
        yield [record for record in page["records"] if through is None or record["id"] <= through]


def _page(ask: Ask, kind: Kind, after: str) -> Any:
    try:
        return ask(kind.service, "histories", kind=kind.name, after=after, limit=PAGE)
    except Problem as problem:  # for whoever waits for the page
        return problem


def _rows(store: Store, kind: Kind, ids: list[str]) -> dict[str, list[Document]]:
    return patiently(lambda: store.rows_of(kind.key, ids))


def _views(store: Store, kind: Kind, ids: list[str]) -> dict[str, Document]:
    prefix = f"{kind.key}/"
    wanted = {"_id": {"$in": [prefix + id_ for id_ in ids]}}
    return patiently(lambda: {view["_id"].removeprefix(prefix): view for view in store.views.find(wanted)})
