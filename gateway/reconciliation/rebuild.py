"""Rebuild: the gateway's collections are made anew from the services' histories, while the old ones answer.

Events that come in meanwhile go to both. The new collections take their place once a comparison with every service
has found them equal; a rebuild that ends before leaves everything as it was.
"""

from __future__ import annotations

from collections.abc import Iterator

from bson.errors import BSONError
from pymongo.errors import PyMongoError

from gateway.read_model.generations import Generations
from gateway.read_model.store import LedgerMissing, Store
from gateway.reconciliation.comparison import Ask, Block, ChainFlaw, Comparison, Difference, histories
from gateway.reconciliation.jobs import Progress
from services.chassis.document import event
from services.chassis.mongo import Document, patiently
from services.chassis.problem import Conflict, Unavailable
from services.contract import KINDS
from services.contract.event import Event
from services.contract.topology import SERVICES
from services.contract.view import BrokenView, Kind

BATCH = 500  # events that are taken in together
NOT_TAKEN = "not_taken"  # the finding for a version that cannot be taken in
ROUNDS = 5  # times that records that differ are filled again


def rebuild(ask: Ask, generations: Generations, progress: Progress) -> None:
    """Fill a new generation and let it serve; versions that are broken or cannot be taken in are findings.

    Raises `Unavailable` where a service does not answer, `Conflict` where records still differ after `ROUNDS`.
    """
    kinds = list(KINDS.values())
    progress.total = 2 * patiently(lambda: generations.serving().count_records(kinds))  # filled, and compared
    with generations.filling() as store:
        filling = Filling(ask, store, progress)
        for kind in kinds:
            filling.fill(Block(kind, "", None))
        filling.make_equal(kinds)
        patiently(lambda: store.note_compared(filling.not_taken()))
        progress.at = "switch"
        patiently(lambda: generations.serve(store))


class Filling:
    """Fills one store with the services' records; filling again changes nothing."""

    def __init__(self, ask: Ask, store: Store, progress: Progress) -> None:
        self._ask, self._store, self._progress = ask, store, progress
        self._flaws: set[ChainFlaw] = set()

    def fill(self, block: Block) -> None:
        """Take in the whole histories of a block's records."""
        self._progress.at = block.kind.key
        for records in histories(self._ask, block):
            events = [event for record in records for event in self._events(block.kind, record)]
            for first in range(0, len(events), BATCH):
                self._take_events(events[first : first + BATCH])
            self._progress.done += len(records)

    def make_equal(self, kinds: list[Kind]) -> None:
        """Fill again the records that differ and stay so, until only those differ that cannot be taken in."""
        for _ in range(ROUNDS):
            differing = self._differing(kinds)
            if not differing:
                return
            for block in dict.fromkeys(difference.block for difference in differing):
                self.fill(block)
            kinds = list(dict.fromkeys(difference.block.kind for difference in differing))
        raise Conflict(
            "Records of the services and of the new ledger differ.",
            "各服务的记录与新台账不一致。",
            records=len(differing),
        )

    def not_taken(self) -> dict[str, int]:
        """Count for each service the records of which versions could not be taken in."""
        services = [kind.service for kind, _ in self._incomplete()]
        return {service: services.count(service) for service in SERVICES}

    def _differing(self, kinds: list[Kind]) -> list[Difference]:
        comparison = Comparison(self._ask, self._store, self._progress)
        lasting = [difference for batch in comparison.lasting(kinds) for difference in batch]
        if comparison.away:
            raise Unavailable(service=", ".join(sorted(comparison.away)))
        incomplete = self._incomplete()
        return [each for each in lasting if (each.block.kind, each.id) not in incomplete]

    def _incomplete(self) -> set[tuple[Kind, str]]:
        return {(flaw.kind, flaw.id) for flaw in self._flaws if flaw.field == NOT_TAKEN}

    def _events(self, kind: Kind, record: Document) -> Iterator[Event]:
        """Yield the events that a history was published as; a version that the contract cannot read is a finding."""
        if broken := record["broken"]:
            self._report(kind, record["id"], broken["version"], broken["what"])
        for entry in record["entries"]:
            try:
                published = event(kind, record["id"], entry)
                kind.read(published.data)
            except (BrokenView, KeyError):
                self._report(kind, record["id"], entry.get("version", 0), NOT_TAKEN)
            else:
                yield published

    def _take_events(self, events: list[Event]) -> None:
        """Take in all at once, or each alone where one of them cannot be taken in."""
        if self._is_taken(events):
            return
        for event_ in events:
            if not self._is_taken([event_]):
                self._report(event_.kind, event_.record, event_.version, NOT_TAKEN)

    def _is_taken(self, events: list[Event]) -> bool:
        try:
            patiently(lambda: self._store.take_events(events))
        except LedgerMissing:
            raise Unavailable("The new ledger was dropped.", "新台账已被删除。") from None
        except (PyMongoError, BSONError, ArithmeticError, TypeError, ValueError):
            return False
        return True

    def _report(self, kind: Kind, id_: str, version: int, field: str) -> None:
        """Add a finding once, however often it is met."""
        flaw = ChainFlaw(kind, id_, version, "service", field)
        if flaw not in self._flaws:
            self._flaws.add(flaw)
            self._progress.add_finding(flaw.document())
