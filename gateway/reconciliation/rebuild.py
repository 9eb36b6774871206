"""Rebuild: the gateway's collections are made anew from the services' histories, while the old ones go on answering.

Events that come in meanwhile go to both. The new ones take their place once a comparison with every service has found
them equal; a rebuild that ends before leaves everything as it was.
"""

from __future__ import annotations

from collections.abc import Iterator

from bson.errors import BSONError
from pymongo.errors import PyMongoError

from gateway.kpi.ledger import Document
from gateway.read_model.generations import Generations
from gateway.read_model.store import LedgerMissing, Store
from gateway.reconciliation.comparison import Ask, Block, ChainFlaw, Comparison, Difference, histories
from gateway.reconciliation.jobs import Progress
from services.chassis.document import event
from services.chassis.mongo import patiently
from services.chassis.problem import Conflict, Unavailable
from services.contract import KINDS
from services.contract.event import Event
from services.contract.topology import SERVICES
from services.contract.view import BrokenView, Kind

BATCH = 500  # events that are taken in at once
NOT_TAKEN = "not_taken"  # what is found of a version that has no place here
ROUNDS = 5  # times that what differs is filled again


def rebuild(ask: Ask, generations: Generations, progress: Progress) -> None:
    """Raises `Unavailable` where a service does not answer; what was broken or could not be taken in is found."""
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
    """Fills one store with what the services have; the same again changes nothing."""

    def __init__(self, ask: Ask, store: Store, progress: Progress) -> None:
        self._ask, self._store, self._progress = ask, store, progress
        self._flaws: set[ChainFlaw] = set()

    def fill(self, block: Block) -> None:
        """Take in the whole histories of these records."""
        self._progress.at = block.kind.key
        for records in histories(self._ask, block):
            events = [event for record in records for event in self._events(block.kind, record)]
            for first in range(0, len(events), BATCH):
                self._take_events(events[first : first + BATCH])
            self._progress.done += len(records)

    def make_equal(self, kinds: list[Kind]) -> None:
        """Fill again whatever differs and stays so, until nothing does but what cannot be taken in."""
        for _ in range(ROUNDS):
            different = self._different(kinds)
            if not different:
                return
            for block in dict.fromkeys(one.block for one in different):
                self.fill(block)
            kinds = list(dict.fromkeys(one.block.kind for one in different))
        raise Conflict(
            "Records of the services and of the new ledger differ.",
            "各服务的记录与新台账不一致。",
            records=len(different),
        )

    def not_taken(self) -> dict[str, int]:
        """For each service how many of its records are not here as they are there."""
        lacking = [kind.service for kind, _ in self._lacking()]
        return {service: lacking.count(service) for service in SERVICES}

    def _different(self, kinds: list[Kind]) -> list[Difference]:
        comparison = Comparison(self._ask, self._store, self._progress)
        found = [one for some in comparison.lasting(kinds) for one in some]
        if comparison.away:
            raise Unavailable(service=", ".join(sorted(comparison.away)))
        lacking = self._lacking()
        return [one for one in found if (one.block.kind, one.id) not in lacking]

    def _lacking(self) -> set[tuple[Kind, str]]:
        return {(flaw.kind, flaw.id) for flaw in self._flaws if flaw.what == NOT_TAKEN}

    def _events(self, kind: Kind, record: Document) -> Iterator[Event]:
        if broken := record["broken"]:
            self._find(kind, record["id"], broken["version"], broken["what"])
        for entry in record["entries"]:
            try:
                made = event(kind, record["id"], entry)
                kind.read(made.data)
            except (BrokenView, KeyError):
                self._find(kind, record["id"], entry.get("version", 0), NOT_TAKEN)
            else:
                yield made

    def _take_events(self, events: list[Event]) -> None:
        """All at once, or each alone where one of them cannot be taken in."""
        if self._is_taken(events):
            return
        for one in events:
            if not self._is_taken([one]):
                self._find(one.kind, one.record, one.version, NOT_TAKEN)

    def _is_taken(self, events: list[Event]) -> bool:
        try:
            patiently(lambda: self._store.take_events(events))
        except LedgerMissing:
            raise Unavailable("The new ledger was dropped.", "新台账已被删除。") from None
        except (PyMongoError, BSONError, ArithmeticError, TypeError, ValueError):
            return False
        return True

    def _find(self, kind: Kind, id_: str, version: int, what: str) -> None:
        """Tell it once, however often it is met."""
        flaw = ChainFlaw(kind, id_, version, "service", what)
        if flaw not in self._flaws:
            self._flaws.add(flaw)
            self._progress.find(flaw.say())
