"""The gateway: how the world reaches the plan's numbers and the services."""

from __future__ import annotations

from typing import Any

from gateway import recounts, schemas, shapes, sources
from gateway.desk import Reporting
from gateway.operations import Operating
from gateway.passage import Passages
from gateway.recounts import Recounting
from gateway.reply import Reply, Request
from gateway.sources import Surveying
from gateway.web import Condition, endpoint
from services.chassis.listener import batches
from services.contract.event import Event
from services.contract.topology import LEDGER_QUEUE

OPERATOR = ("operator",)
RECOUNTERS = ("verifier", "chair", "finance", "operator")


class Gateway:
    """Keeps what the plan counts, proves it from the records, and passes commands and questions on."""

    name = "gateway"

    desk = Reporting()
    services = Passages()
    condition = Condition()
    operations = Operating()
    recounting = Recounting()
    surveying = Surveying()

    @batches(LEDGER_QUEUE)
    def take(self, events: list[Event]) -> None:
        self.desk.take(events)

    @endpoint("GET", "/api/v1/plans", public=True)
    def plans(self, _: Request) -> Any:
        return self.desk.plans()

    @endpoint("GET", "/api/v1/plans/<year>", public=True)
    def plan(self, _: Request, year: str) -> Any:
        return self.desk.plan(year)

    @endpoint("GET", "/api/v1/plans/<year>/progress", public=True, asks=schemas.PROGRESS)
    def progress(self, request: Request, year: str) -> Any:
        return self.desk.progress(year, request.asked)

    @endpoint("GET", "/api/v1/kpis/<code>", asks=schemas.KPI)
    def kpi(self, request: Request, code: str) -> Any:
        return self.desk.kpi(code, request.asked)

    @endpoint("GET", "/api/v1/kpis/<code>/records", asks=schemas.RECORDS)
    def records(self, request: Request, code: str) -> Any:
        return self.desk.records(code, request.asked)

    @endpoint("GET", "/api/v1/records/<service>/<kind>/<id_>/history")
    def history(self, _: Request, service: str, kind: str, id_: str) -> Any:
        return self.desk.history(service, kind, id_)

    @endpoint("POST", "/api/v1/recounts", roles=RECOUNTERS, takes=schemas.Recount, answers={202: recounts.RECOUNT})
    def recount(self, request: Request) -> Reply:
        return self.recounting.begin(request)

    @endpoint("GET", "/api/v1/recounts", asks=schemas.RECOUNTS, answers={200: shapes.page(recounts.OUTLINE)})
    def all_recounts(self, request: Request) -> Any:
        return self.recounting.page(request.asked)

    @endpoint("GET", "/api/v1/recounts/<id_>", answers={200: recounts.RECOUNT})
    def one_recount(self, _: Request, id_: str) -> Any:
        return self.recounting.find(id_)

    @endpoint("GET", "/api/v1/sources", answers={200: sources.SOURCES})
    def all_sources(self, _: Request) -> Any:
        return self.surveying.all()

    @endpoint("POST", "/api/v1/<service>/<command>")
    def command(self, request: Request, service: str, command: str) -> Reply:
        return self.services.command(service, command, request)

    @endpoint("GET", "/api/v1/commands/<command_id>")
    def accepted(self, request: Request, command_id: str) -> Any:
        return self.services.accepted(command_id, request)

    @endpoint("GET", "/api/v1/<service>/<plural>", asks=None)
    def page(self, request: Request, service: str, plural: str) -> Any:
        return self.services.page(service, plural, request)

    @endpoint("GET", "/api/v1/<service>/<plural>/<id_>")
    def record(self, request: Request, service: str, plural: str, id_: str) -> Reply:
        return self.services.record(service, plural, id_, request)

    @endpoint("GET", "/api/v1/<service>/<plural>/<id_>/history")
    def history_at_service(self, request: Request, service: str, plural: str, id_: str) -> Any:
        return self.services.history(service, plural, id_, request)

    @endpoint("GET", "/api/v1/operations/status", roles=OPERATOR)
    def status(self, request: Request) -> Any:
        return self.operations.status(request)

    @endpoint("POST", "/api/v1/operations/<job>", roles=OPERATOR)
    def begin_job(self, request: Request, job: str) -> Reply:
        return self.operations.begin(job, request)

    @endpoint("GET", "/api/v1/operations/<job>", roles=OPERATOR)
    def job(self, _: Request, job: str) -> Any:
        return self.operations.job(job)

    @endpoint("GET", "/api/v1/operations/parked", roles=OPERATOR, asks=schemas.PARKED)
    def parked(self, request: Request) -> Any:
        return self.operations.parked(request)

    @endpoint("GET", "/api/v1/operations/parked/<service>/<id_>", roles=OPERATOR)
    def parked_message(self, request: Request, service: str, id_: str) -> Any:
        return self.operations.parked_message(service, id_, request)

    @endpoint("POST", "/api/v1/operations/parked/<service>/<id_>/replay", roles=OPERATOR)
    def replay(self, request: Request, service: str, id_: str) -> Any:
        return self.operations.settle("replay_parked", service, id_, request)

    @endpoint("POST", "/api/v1/operations/parked/<service>/<id_>/discard", roles=OPERATOR)
    def discard(self, request: Request, service: str, id_: str) -> Any:
        return self.operations.settle("discard_parked", service, id_, request)

    @endpoint("GET", "/health", public=True)
    def health(self, _: Request) -> Reply:
        return Reply.of(self.condition.health())

    @endpoint("GET", "/ready", public=True)
    def ready(self, _: Request) -> Reply:
        return Reply.of(self.condition.ready())

    @endpoint("GET", "/metrics", public=True)
    def metrics(self, _: Request) -> Reply:
        return Reply.of(self.condition.metrics())
