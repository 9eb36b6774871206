"""Watching: whether the numbers are complete, told to Prometheus whenever it asks."""

from __future__ import annotations

from prometheus_client import Gauge

from gateway.read_model.store import compared, compared_at
from gateway.reporting.query_service import QueryService, SharedQueryService
from services.chassis.provider import Provider

COMPLETE = Gauge("kexie_numbers_complete", "1 while nothing is missing from any number of any plan, else 0.")
DIFFERING = Gauge("kexie_ledger_differing_records", "Records that differed from their service at last.", ["source"])
COMPARED = Gauge("kexie_ledger_compared_timestamp_seconds", "When a service was compared last.", ["source"])


class MetricsProvider(Provider[None]):
    """Shows how far the numbers of this gateway can be trusted."""

    reporting = SharedQueryService()

    def start(self) -> None:
        self._query_service: QueryService = self.reporting.query_service
        self.container.config["HEALTH"].shows.append(self._show)

    def _show(self) -> None:
        COMPLETE.set(self._query_service.completeness()["complete"])
        ledger = self._query_service.generations.ask(lambda store: store.read({})).ledger
        DIFFERING.clear()  # a ledger that was made anew was compared with nobody
        for service, records in compared(ledger).items():
            DIFFERING.labels(service).set(records)
        COMPARED.clear()
        for service, at in compared_at(ledger).items():
            COMPARED.labels(service).set(at.timestamp())

    def provide(self) -> None:
        return None
