"""Metrics of the numbers: whether they are complete, and how many records differ from their service."""

from __future__ import annotations

from prometheus_client import Gauge

from gateway.read_model.store import comparison_instants, differing_records
from gateway.reporting.query_service import SharedQueryService
from services.chassis.provider import Provider

COMPLETE = Gauge("kexie_numbers_complete", "1 while nothing is missing from any number of any plan, else 0.")
DIFFERING = Gauge(
    "kexie_ledger_differing_records", "Records that differed from their service at the last comparison.", ["source"]
)
COMPARED = Gauge("kexie_ledger_compared_timestamp_seconds", "Time of the last comparison with a service.", ["source"])


class MetricsProvider(Provider[None]):
    """Sets the metrics of the numbers whenever Prometheus asks; provides nothing to the service itself."""

    reporting = SharedQueryService()

    def start(self) -> None:
        self.container.config["HEALTH"].shows.append(self._set_metrics)

    def provide(self) -> None:
        return None

    def _set_metrics(self) -> None:
        query_service = self.reporting.query_service
        COMPLETE.set(query_service.completeness()["complete"])
        ledger = query_service.generations.ask(lambda store: store.read_counts({})).ledger
        DIFFERING.clear()  # a rebuilt ledger has not been compared with any service
        for service, records in differing_records(ledger).items():
            DIFFERING.labels(service).set(records)
        COMPARED.clear()
        for service, at in comparison_instants(ledger).items():
            COMPARED.labels(service).set(at.timestamp())
