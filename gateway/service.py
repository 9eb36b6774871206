"""The gateway: which endpoints and listeners it is made of, and what they depend on."""

from __future__ import annotations

from gateway.api.documentation import DocumentationProvider
from gateway.endpoints.alerts import AlertEndpoints
from gateway.endpoints.documents import DocumentEndpoints
from gateway.endpoints.identity import IdentityEndpoints
from gateway.endpoints.imports import ImportEndpoints
from gateway.endpoints.kpis import KpiEndpoints
from gateway.endpoints.operations import OperationsEndpoints
from gateway.endpoints.plans import PlanEndpoints
from gateway.endpoints.public import PublicEndpoints
from gateway.endpoints.services import ServiceEndpoints
from gateway.identity.accounts import AccountsProvider
from gateway.identity.api_tokens import IssuedTokens
from gateway.identity.audit_trail import AuditTrailProvider
from gateway.imports.uploads import UploadsProvider
from gateway.notifications.alert_requests import AlertRequestsProvider
from gateway.notifications.event_stream import EventStreamProvider
from gateway.operations.freshness import FreshnessMonitorProvider
from gateway.operations.health import HealthProvider
from gateway.operations.metrics import MetricsProvider
from gateway.operations.operator_requests import OperatorRequestsProvider
from gateway.reconciliation.recounts import RecountsProvider
from gateway.reporting.editions import EditionsProvider
from gateway.reporting.plan_commands import PlanCommandsProvider
from gateway.reporting.query_service import QueryServiceProvider
from gateway.upstream.proxy import ServiceProxyProvider
from services.chassis.listener import batches
from services.contract.event import Event
from services.contract.topology import LEDGER_QUEUE


class Gateway(
    PlanEndpoints,
    KpiEndpoints,
    AlertEndpoints,
    ServiceEndpoints,
    PublicEndpoints,
    ImportEndpoints,
    IdentityEndpoints,
    OperationsEndpoints,
    DocumentEndpoints,
):
    """Keeps what the plan counts, proves it from the records, and passes commands and questions on to the services."""

    name = "gateway"

    query_service = QueryServiceProvider()
    services = ServiceProxyProvider()
    event_stream = EventStreamProvider()
    alert_requests = AlertRequestsProvider()
    process_health = HealthProvider()
    operator_requests = OperatorRequestsProvider()
    plan_commands = PlanCommandsProvider()
    editions = EditionsProvider()
    imports = UploadsProvider()
    recount_requests = RecountsProvider()
    sources = FreshnessMonitorProvider()
    gauges = MetricsProvider()
    accounts = AccountsProvider()
    issued_tokens = IssuedTokens()
    trail = AuditTrailProvider()
    docs = DocumentationProvider()

    @batches(LEDGER_QUEUE)
    def take(self, events: list[Event]) -> None:
        """Take a batch of events into the read model; traces show this method by its name."""
        self.query_service.take_events(events)
