"""The check of how complete an answer is: it reads the dead letters, and what services reported of theirs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from gateway.kpi.completeness import Completeness, as_known
from gateway.kpi.plan_answers import Answer
from gateway.kpi.plan_index import KpiLine, MilestoneLine
from gateway.read_model.generations import Generations
from gateway.read_model.store import Counts, differing_records
from gateway.reporting.question import AnswerTime
from services.chassis.periodic_read import PeriodicRead

PARKED_MAX_AGE = 1.0  # seconds that an answer may be behind the dead letters


class CompletenessCheck:
    """Says with every answer how far it can be trusted (G-12)."""

    def __init__(self, generations: Generations, parked_there: Mapping[str, int]) -> None:
        self._generations, self._parked_there = generations, parked_there
        self._parked: dict[str, int] = {}
        self._periodic_read = PeriodicRead(self._read_parked, seconds=PARKED_MAX_AGE)

    def answer(
        self,
        counts: Counts,
        moment: AnswerTime,
        lines: Iterable[KpiLine | MilestoneLine] = (),
        *,
        services: Iterable[str] = (),
    ) -> Answer:
        """Answer for these lines and the records of these services; for an instant of the past only which it is."""
        if moment.as_of is not None:
            return as_known(moment.as_of)

        self._periodic_read.if_due()
        state = counts.ledger
        completeness = Completeness(
            as_of=moment.now,
            revision=state["revision"],
            heard=state["heard"],
            counted=counts.counted,
            compared=differing_records(state),
            is_rebuilding=self._generations.is_filling(),
            parked=self._parked,
            parked_there=self._parked_there,
        )
        return completeness.answer(lines, services=services)

    def _read_parked(self) -> None:
        self._parked = self._generations.serving().parked()
