"""Comparison: the services' records against the gateway's copy of them, by versions and by content.

Events are on their way while both are read, so a difference is looked at again until it is gone or has stayed.
Versions only grow, so a difference is gone for good once each side has reached the version that the other one had. No
clock decides.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import groupby
from operator import attrgetter
from time import monotonic
from typing import Any, NamedTuple

import eventlet

from gateway.read_model.store import Store
from gateway.reconciliation.jobs import Progress
from services.chassis.mongo import Document, patiently
from services.chassis.problem import Problem, Unavailable
from services.contract.event import cause_of
from services.contract.view import Kind

PATIENCE = 5.0  # seconds that a difference has to stay
PAUSE = 0.25  # seconds between two looks
BUCKET = 5_000  # records that are compared at once
PAGE = 1_000  # records whose whole histories are fetched at once
WATCHED = 100_000  # differences that are looked at again together

Ask = Callable[..., Any]
"""`ask(service, method, **arguments)` answers as the service does; raises `Unavailable`."""

ROW_FIELDS = {"hash": "hash", "happened": "happened", "at": "time", "by": "actor", "view": "data"}
"""The gateway's field for each field of a history's entry; the cause is compared by itself."""


class Block(NamedTuple):
    """The records of a kind from one id (exclusive) to another (inclusive; None: to the last one)."""

    kind: Kind
    after: str
    through: str | None


class Difference(NamedTuple):
    """A record whose copy differs: its version, 0 where its service has none, that of the copy, and its rows.

    The gateway keeps a row for every version that it has taken in.
    """

    block: Block
    id: str
    version: int
    copy: int
    rows: int

    @property
    def is_behind(self) -> bool:
        """True where the copy lacks versions."""
        return self.copy < self.version or self.rows < self.version

    @property
    def complete(self) -> int:
        """The version up to which the copy has everything."""
        return self.copy if self.rows == self.copy else 0

    @property
    def direction(self) -> str:
        """The kind of its difference, as the API names it."""
        if self.is_behind:
            return "behind"
        return "ahead" if self.version else "unknown"

    def is_gone(self, now: Difference) -> bool:
        """Tell whether each side has reached what the other one had; `now` is how they are at present."""
        return min(now.copy, now.rows) >= self.version and now.version >= max(self.copy, self.rows)

    def document(self) -> Document:
        """Describe it for the findings of a job."""
        return {
            "service": self.block.kind.service,
            "kind": self.block.kind.name,
            "id": self.id,
            "version": self.version,
            "copy": self.copy,
            "rows": self.rows,
            "what": self.direction,
        }


class Comparison:
    """Compares versions; services that did not answer are in `away`, and their records are not compared."""

    def __init__(self, ask: Ask, store: Store, progress: Progress) -> None:
        self._ask, self._store, self._progress = ask, store, progress
        self.away: set[str] = set()

    def lasting(self, kinds: Iterable[Kind]) -> Iterator[list[Difference]]:
        """Yield the differences that stay, at most about `WATCHED` at a time."""
        seen: list[Difference] = []
        for batch in self._first_look(kinds):
            seen += batch
            if len(seen) >= WATCHED:
                yield self.staying(seen)
                seen = []
        yield self.staying(seen)

    def staying(self, seen: list[Difference]) -> list[Difference]:
        """Return those that stay for `PATIENCE`, as they are then."""
        until, staying = monotonic() + PATIENCE, seen
        first = {(difference.block, difference.id): difference for difference in seen}
        while staying and monotonic() < until:
            eventlet.sleep(PAUSE)
            now = [
                again for block, group in groupby(staying, attrgetter("block")) for again in self._again(block, group)
            ]
            staying = [again for again in now if not first[again.block, again.id].is_gone(again)]
        return staying

    def _first_look(self, kinds: Iterable[Kind]) -> Iterator[list[Difference]]:
        for kind in kinds:
            yield from self._until_away(kind.service, self._differing_buckets, kind)

    def _differing_buckets(self, kind: Kind) -> Iterator[list[Difference]]:
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
        answer = self._ask(kind.service, "versions", kind=kind.name, after=after, through=through)
        ours = patiently(lambda: self._store.versions_of(kind.key, after, through))
        return differences(block, answer["records"], ours)

    def _again(self, block: Block, before: Iterable[Difference]) -> list[Difference]:
        """Compare a block again; return the differences of the same records."""
        ids = {difference.id for difference in before}
        looks = self._until_away(block.kind.service, lambda block: [self._differences(block)], block)
        return [again for batch in looks for again in batch if again.id in ids]

    def _until_away(self, service: str, look: Callable[[Any], Iterable[Any]], at: Any) -> Iterator[Any]:
        """Yield what `look(at)` yields, up to where the service no longer answers."""
        if service in self.away:
            return
        try:
            yield from look(at)
        except Unavailable:
            self.away.add(service)


def is_equal(theirs: Mapping[str, int], ours: Mapping[str, int]) -> bool:
    """Tell whether the gateway has every record of a bucket in its newest version, and a row for each version.

    A copy is never ahead of its record, so equal sums are equal records.
    """
    return (ours["records"], ours["versions"], ours["entries"]) == (
        theirs["records"],
        theirs["versions"],
        theirs["versions"],
    )


def differences(
    block: Block, theirs: Mapping[str, Sequence[int]], ours: Mapping[str, Sequence[int]]
) -> list[Difference]:
    """Find the differences of a block; `theirs` has [version, entries] by id, `ours` (version, rows)."""
    compared = [_compare(block, id_, theirs, ours) for id_ in sorted(theirs.keys() | ours.keys())]
    return [each for each in compared if not each.version == each.copy == each.rows]


def _compare(
    block: Block, id_: str, theirs: Mapping[str, Sequence[int]], ours: Mapping[str, Sequence[int]]
) -> Difference:
    version = theirs[id_][0] or 0 if id_ in theirs else 0
    copy, rows = ours.get(id_, (0, 0))
    return Difference(block, id_, version, copy, rows)


# --- by content ------------------------------------------------------------------------------------------------------


class ChainFlaw(NamedTuple):
    """A version whose content has changed since it was written, and the side (`service`, `gateway`) that changed it.

    With `text` as its side nothing has changed: the field has characters that nobody can see.
    """

    kind: Kind
    id: str
    version: int
    side: str
    field: str

    def document(self) -> Document:
        """Describe it for the findings of a job."""
        return {
            "service": self.kind.service,
            "kind": self.kind.name,
            "id": self.id,
            "version": self.version,
            "at": self.side,
            "what": self.field,
        }


def verify(ask: Ask, store: Store, kinds: Iterable[Kind], progress: Progress) -> set[str]:
    """Compare every entry of every history, bit by bit, with the gateway's row; return services that did not answer."""
    away = set()
    for kind in kinds:
        try:
            _verify_kind(kind, ask, store, progress)
        except Unavailable:
            away.add(kind.service)
    return away


def _verify_kind(kind: Kind, ask: Ask, store: Store, progress: Progress) -> None:
    progress.at = kind.key
    for records in histories(ask, Block(kind, "", None)):
        for flaw in _flaws_of(kind, records, store):
            progress.add_finding(flaw.document())
        progress.done += len(records)


def _flaws_of(kind: Kind, records: list[Document], store: Store) -> Iterator[ChainFlaw]:
    ids = [record["id"] for record in records]
    rows, views = _rows(store, kind, ids), _views(store, kind, ids)
    for record in records:
        yield from flaws(kind, record, rows.get(record["id"], []), views.get(record["id"]))


def flaws(kind: Kind, record: Document, rows: Iterable[Document], view: Document | None) -> Iterator[ChainFlaw]:
    """Find the flaws of a record: where its own chain is broken, then where the gateway's rows and view differ.

    Texts of an earlier release may have characters that nobody can see; the record is whole, but somebody should look.
    """
    if record["broken"]:
        yield ChainFlaw(kind, record["id"], record["broken"]["version"], "service", record["broken"]["what"])
    for text in record.get("hidden", ()):
        yield ChainFlaw(kind, record["id"], record["version"], "text", text)
    by_version = {row["_id"]["version"]: row for row in rows}
    for entry in record["entries"]:
        version = entry.get("version")
        row = by_version.get(version) if isinstance(version, int) else None
        field = _differing_field(entry, row) if row else None
        if field:
            yield ChainFlaw(kind, record["id"], version, "gateway", field)
        elif view and view["version"] == version and view["data"] != entry.get("view"):
            yield ChainFlaw(kind, record["id"], version, "gateway", "view")


def _differing_field(entry: Document, row: Document) -> str | None:
    differing = (ours for theirs, ours in ROW_FIELDS.items() if entry.get(theirs) != row.get(ours))
    return next(differing, None if _has_the_same_cause(entry, row) else "cause")


def _has_the_same_cause(entry: Document, row: Document) -> bool:
    """Compare the causes; before 0.2.0 an event named a command by the id itself."""
    because = entry.get("because")
    return row.get("cause") in (because, cause_of(str(because)))


def histories(ask: Ask, block: Block) -> Iterator[list[Document]]:
    """Yield the whole histories of a block's records, page by page; the next page is fetched meanwhile."""
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
    """Fetch a page; a problem is returned to the thread that waits for the page, which raises it."""
    try:
        return ask(kind.service, "histories", kind=kind.name, after=after, limit=PAGE)
    except Problem as problem:
        return problem


def _rows(store: Store, kind: Kind, ids: list[str]) -> dict[str, list[Document]]:
    return patiently(lambda: store.rows_of(kind.key, ids))


def _views(store: Store, kind: Kind, ids: list[str]) -> dict[str, Document]:
    views = patiently(lambda: store.views_of(kind.key, ids))
    return {view["_id"].removeprefix(f"{kind.key}/"): view for view in views}
