"""The run of a recount: every part of a KPI is counted here and at its service, record by record.

Events are on their way meanwhile, so a difference is looked at again until it is settled or has stayed. The figure
that is shown is compared with the gateway's own records too, where no event was taken in while both were read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import islice
from time import monotonic
from typing import Any
from urllib.parse import quote

import eventlet
import msgspec

from gateway.kpi.plan_answers import unit
from gateway.kpi.plan_index import AskedPeriod, KpiLine
from gateway.read_model.store import Store
from gateway.reconciliation import own_records
from gateway.reconciliation.comparison import Ask
from gateway.reconciliation.jobs import Progress
from gateway.reconciliation.own_records import KpiPart
from gateway.reconciliation.record_pairs import CountedRecord, Figure, RecordPair, Total, pair_records
from services.chassis.mongo import Document, patiently
from services.chassis.problem import Unavailable

PATIENCE = 5.0  # seconds that a difference has to stay
PAUSE = 0.25  # seconds between two looks
WATCHED = 50_000  # differences that are looked at again together
PAGE = 2_000  # records in one answer of a service
AGAIN = 1_000  # records that are looked at again in one call
COUNTED_WITHIN = 60.0  # seconds that a service may take for a page


@dataclass(frozen=True)
class RecountQuestion:
    """A KPI in a period (a stock: up to its end), of the whole municipality or one district."""

    line: KpiLine
    asked: AskedPeriod
    district: str | None

    def document(self) -> Document:
        """Describe it for the recount's document."""
        period = self.asked.period
        return {
            "kpi": self.line.kpi.code,
            "unit": unit(self.line.kpi.unit),
            "plan": self.line.plan.year,
            "period": period.name,
            "first": period.first.isoformat(),
            "last": period.last.isoformat(),
            "district": self.district,
        }


@dataclass(frozen=True)
class PartResult:
    """The figures of one part of a KPI: at both sides, and as it is shown; `differing` counts the records."""

    part: str
    title: dict[str, str]
    of: str
    measure: str
    ours: Figure
    theirs: Figure
    shown: Figure
    differing: int
    equal: bool


@dataclass(frozen=True)
class RecountResult:
    """The parts that were counted so far, and the revision of the ledger that the last one was counted at."""

    parts: tuple[PartResult, ...] = ()
    revision: int | None = None

    @property
    def is_equal(self) -> bool:
        """True where no part differs."""
        return all(part.equal for part in self.parts)


def recount(ask: Ask, store: Store, question: RecountQuestion, progress: Progress) -> None:
    """Count every part at both sides; differences are findings, and `progress.result` is a `RecountResult`."""
    results: tuple[PartResult, ...] = ()
    for part in own_records.parts(question.line):
        progress.at = f"{part.name} {part.rule.of.key}"
        result, revision = PartRecount(ask, store, question, part, progress).run()
        if not patiently(store.exists):
            raise Unavailable("The ledger was made anew meanwhile.", "台账已在此期间重建。")
        results = (*results, result)
        progress.result = msgspec.to_builtins(RecountResult(results, revision))


class PartRecount:
    """The recount of one part of a KPI."""

    def __init__(self, ask: Ask, store: Store, question: RecountQuestion, part: KpiPart, progress: Progress) -> None:
        self._store, self._question, self._part, self._progress = store, question, part, progress
        period = question.asked.period
        arguments = {
            "rule": part.rule.say() | {"by": []},
            "first": period.first.isoformat(),
            "last": period.last.isoformat(),
        }
        if question.district:
            arguments["district"] = question.district
        self._ask = partial(ask, part.rule.of.service, timeout=COUNTED_WITHIN, **arguments)
        self._ours, self._theirs = Total(part.rule.measure), Total(part.rule.measure)
        self._differing = 0

    def run(self) -> tuple[PartResult, int]:
        """Count it; return the result and the revision of the ledger that it was read at."""
        _, before = self._shown()
        self._compare()
        shown, after = self._shown()
        is_shown = before != after or shown == self._ours.figure()
        return self._result(shown, is_equal=not self._differing and is_shown), after

    def _compare(self) -> None:
        self._progress.total += self._ask("tally")["records"]
        pairs = pair_records(_stream(self._read_ours), _stream(self._read_theirs))
        while suspects := list(islice(self._suspects(pairs), WATCHED)):
            for pair in self._staying(suspects):
                self._report(pair)

    def _result(self, shown: Figure, *, is_equal: bool) -> PartResult:
        return PartResult(
            part=self._part.name,
            title={"zh": self._part.title.zh, "en": self._part.title.en},
            of=self._part.rule.of.key,
            measure=self._part.rule.measure,
            ours=self._ours.figure(),
            theirs=self._theirs.figure(),
            shown=shown,
            differing=self._differing,
            equal=is_equal,
        )

    def _suspects(self, pairs: Iterator[RecordPair]) -> Iterator[str]:
        """Yield the ids of records that differ at first sight; the others are counted at both sides."""
        for pair in pairs:
            if pair.differs:
                yield pair.id
            else:
                self._count(pair)

    def _staying(self, suspects: list[str]) -> Iterator[RecordPair]:
        """Yield the pairs that still differ after `PATIENCE`, as they are then; the others are counted."""
        first = staying = {pair.id: pair for pair in self._look(suspects)}
        until = monotonic() + PATIENCE
        while staying := self._still_differing(staying, first):
            if monotonic() > until:
                break
            eventlet.sleep(PAUSE)
            staying = {pair.id: pair for pair in self._look(list(staying))}
        yield from staying.values()

    def _still_differing(
        self, pairs: Mapping[str, RecordPair], first: Mapping[str, RecordPair]
    ) -> dict[str, RecordPair]:
        """The pairs that are not settled; a settled one is counted as its newer side has it."""
        settled = [pair for id_, pair in pairs.items() if pair.is_settled(first[id_])]
        for pair in settled:
            self._count(RecordPair(pair.newer(), pair.newer()))
        gone = {pair.id for pair in settled}
        return {id_: pair for id_, pair in pairs.items() if id_ not in gone}

    def _look(self, ids: list[str]) -> Iterator[RecordPair]:
        """Read these records at both sides, in as many calls as it takes; those that neither side has are left out."""
        for first in range(0, len(ids), AGAIN):
            batch = ids[first : first + AGAIN]
            answer = self._ask("tally_records", ids=batch)
            theirs = {record.id: record for record in map(_record, answer["records"])}
            ours = self._look_up_ours(batch)
            yield from (RecordPair(ours.get(id_), theirs.get(id_)) for id_ in batch if id_ in ours or id_ in theirs)

    def _count(self, pair: RecordPair) -> None:
        self._ours.add(pair.here)
        self._theirs.add(pair.there)

    def _report(self, pair: RecordPair) -> None:
        self._count(pair)
        self._differing += 1
        kind = self._part.rule.of
        history = f"/api/v1/records/{kind.service}/{kind.name}/{quote(pair.id, safe='')}/history"
        finding = {"part": self._part.name, "service": kind.service, "kind": kind.name, "history": history}
        self._progress.add_finding(finding | pair.document())

    # --- both sides --------------------------------------------------------------------------------------------------

    def _read_ours(self, after: str) -> tuple[list[CountedRecord], str | None]:
        rule, asked, district = self._part.rule, self._question.asked, self._question.district
        return patiently(lambda: own_records.read_page(self._store, rule, asked, district=district, after=after))

    def _look_up_ours(self, ids: list[str]) -> dict[str, CountedRecord]:
        rule, asked, district = self._part.rule, self._question.asked, self._question.district
        return patiently(lambda: own_records.look_up(self._store, rule, asked, ids, district=district))

    def _shown(self) -> tuple[Figure, int]:
        line, asked, district = self._question.line, self._question.asked, self._question.district
        return patiently(lambda: own_records.shown_figure(self._store, line, self._part, asked, district=district))

    def _read_theirs(self, after: str) -> tuple[list[CountedRecord], str | None]:
        page = self._ask("tally_records", limit=PAGE, **({"after": after} if after else {}))
        self._progress.done += len(page["records"])
        return [_record(answer) for answer in page["records"]], page["through"]


def _stream(read: Callable[[str], tuple[list[CountedRecord], str | None]]) -> Iterator[CountedRecord]:
    """Yield all records of one side, page by page."""
    after: str | None = ""
    while after is not None:
        records, after = read(after)
        yield from records


def _record(answer: Mapping[str, Any]) -> CountedRecord:
    return CountedRecord(answer["id"], answer["version"], answer["day"], answer["amount"])
