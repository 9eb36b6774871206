"""The work of a recount: every part of a KPI is counted here and at its service, record by record.

Events are on their way meanwhile, so that a difference is looked at again until it is settled or has stayed. The number
that is shown is held against the gateway's own records too, where nothing was taken in while both were read.
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

from gateway.kpi.plan_index import AskedPeriod, KpiLine
from gateway.read_model.store import Store
from gateway.reconciliation import own_records
from gateway.reconciliation.comparison import Ask
from gateway.reconciliation.jobs import Document, Progress
from gateway.reconciliation.own_records import Part
from gateway.reconciliation.record_pairs import Pair, Row, Total, paired
from services.chassis.mongo import patiently
from services.chassis.problem import Unavailable

PATIENCE = 5.0  # seconds that a difference has to stay
PAUSE = 0.25  # seconds between two looks
WATCHED = 50_000  # differences that are looked at again together
PAGE = 2_000  # records that a service tells at once
AGAIN = 1_000  # records that are looked at again at once
COUNTED_WITHIN = 60.0  # seconds that a service may take for a page


@dataclass(frozen=True)
class RecountQuestion:
    """A KPI in a period (a stock since ever), of the whole municipality or one district."""

    line: KpiLine
    asked: AskedPeriod
    district: str | None

    def say(self) -> Document:
        period = self.asked.period
        return {
            "kpi": self.line.kpi.code,
            "plan": self.line.plan.year,
            "period": period.name,
            "first": period.first.isoformat(),
            "last": period.last.isoformat(),
            "district": self.district,
        }


def recount(ask: Ask, store: Store, question: RecountQuestion, progress: Progress) -> None:
    """Count every part at both sides; what differs is found, `progress.result` says what each part makes."""
    for part in own_records.parts(question.line):
        progress.at = f"{part.name} {part.rule.of.key}"
        said, revision = PartCount(ask, store, question, part, progress).run()
        if not patiently(store.exists):
            raise Unavailable("The ledger was made anew meanwhile.", "台账已在此期间重建。")
        progress.result = {"parts": [*progress.result.get("parts", []), said], "revision": revision}


class PartCount:
    """One part of a KPI, counted here and at its service."""

    def __init__(self, ask: Ask, store: Store, question: RecountQuestion, part: Part, progress: Progress) -> None:
        self._store, self._question, self._part, self._progress = store, question, part, progress
        period = question.asked.period
        asked = {
            "rule": part.rule.say() | {"by": []},
            "first": period.first.isoformat(),
            "last": period.last.isoformat(),
        }
        if question.district:
            asked["district"] = question.district
        self._ask = partial(ask, part.rule.of.service, timeout=COUNTED_WITHIN, **asked)
        self._ours, self._theirs = Total(part.rule.measure), Total(part.rule.measure)
        self._differing = 0

    def run(self) -> tuple[Document, int]:
        """What it makes at both sides, and the revision of the ledger that this was read of."""
        _, before = self._shown()
        self._compare()
        shown, after = self._shown()
        is_shown = before != after or shown == self._ours.say()
        return self._say(shown) | {"equal": not self._differing and is_shown}, after

    def _compare(self) -> None:
        self._progress.total += self._ask("tally")["records"]
        pairs = paired(_stream(self._read_ours), _stream(self._read_theirs))
        while suspects := list(islice(self._suspects(pairs), WATCHED)):
            for pair in self._staying(suspects):
                self._name(pair)

    def _say(self, shown: Document) -> Document:
        return {
            "part": self._part.name,
            "title": {"zh": self._part.title.zh, "en": self._part.title.en},
            "of": self._part.rule.of.key,
            "measure": self._ours.how,
            "ours": self._ours.say(),
            "theirs": self._theirs.say(),
            "shown": shown,
            "differing": self._differing,
        }

    def _suspects(self, pairs: Iterator[Pair]) -> Iterator[str]:
        """The ids of records that differ at first sight; the others are counted at both sides."""
        for pair in pairs:
            if pair.differs:
                yield pair.id
            else:
                self._count(pair)

    def _staying(self, suspects: list[str]) -> Iterator[Pair]:
        """Those that still differ after a while, as they are then; the others are counted at both sides."""
        first = last = {pair.id: pair for pair in self._look(suspects)}
        until = monotonic() + PATIENCE
        while last:
            staying = {}
            for id_, pair in last.items():
                if pair.is_settled(first[id_]):
                    self._count(Pair(pair.newer(), pair.newer()))
                else:
                    staying[id_] = pair
            if not staying or monotonic() > until:
                yield from staying.values()
                return
            eventlet.sleep(PAUSE)
            last = {pair.id: pair for pair in self._look(list(staying))}

    def _look(self, ids: list[str]) -> Iterator[Pair]:
        """These records at both sides, in as many calls as it takes; one that is at neither is not there."""
        for first in range(0, len(ids), AGAIN):
            some = ids[first : first + AGAIN]
            theirs = {row.id: row for row in map(_row, self._ask("tally_records", ids=some)["records"])}
            ours = self._ours_of(some)
            yield from (Pair(ours.get(id_), theirs.get(id_)) for id_ in some if id_ in ours or id_ in theirs)

    def _count(self, pair: Pair) -> None:
        self._ours.add(pair.here)
        self._theirs.add(pair.there)

    def _name(self, pair: Pair) -> None:
        self._count(pair)
        self._differing += 1
        kind = self._part.rule.of
        history = f"/api/v1/records/{kind.service}/{kind.name}/{quote(pair.id, safe='')}/history"
        found = {"part": self._part.name, "service": kind.service, "kind": kind.name, "history": history}
        self._progress.find(found | pair.say())

    # --- both sides --------------------------------------------------------------------------------------------------

    def _read_ours(self, after: str) -> tuple[list[Row], str | None]:
        rule, asked, district = self._part.rule, self._question.asked, self._question.district
        return patiently(lambda: own_records.rows(self._store, rule, asked, district=district, after=after))

    def _ours_of(self, ids: list[str]) -> dict[str, Row]:
        rule, asked, district = self._part.rule, self._question.asked, self._question.district
        return patiently(lambda: own_records.rows_of(self._store, rule, asked, ids, district=district))

    def _shown(self) -> tuple[Document, int]:
        district = self._question.district
        return patiently(
            lambda: own_records.shown(
                self._store, self._question.line, self._part, self._question.asked, district=district
            )
        )

    def _read_theirs(self, after: str) -> tuple[list[Row], str | None]:
        page = self._ask("tally_records", limit=PAGE, **({"after": after} if after else {}))
        self._progress.done += len(page["records"])
        return [_row(said) for said in page["records"]], page["through"]


def _stream(read: Callable[[str], tuple[list[Row], str | None]]) -> Iterator[Row]:
    """All rows of one side, page by page."""
    after: str | None = ""
    while after is not None:
        found, after = read(after)
        yield from found


def _row(said: Mapping[str, Any]) -> Row:
    return Row(said["id"], said["version"], said["day"], said["amount"])
