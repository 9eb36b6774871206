"""The gateway: how the world reaches the plan's numbers and the services."""

from __future__ import annotations

from typing import Any

from gateway import schemas
from gateway.alerting import Alerting
from gateway.alerts import ALERT, INBOX, NEW_RULE, RULE, RULES
from gateway.deliveries import DELIVERIES, DELIVERY
from gateway.desk import Reporting
from gateway.editions import Closing
from gateway.live import EVENTS, Broadcasting
from gateway.operations import Operating
from gateway.passage import Passages
from gateway.planning import Deciding
from gateway.reply import Reply, Request
from gateway.web import Condition, endpoint
from services.chassis.listener import batches
from services.contract.event import Event
from services.contract.topology import LEDGER_QUEUE

OPERATOR = ("operator",)
CHAIR = ("chair",)
PLANNERS = ("chair", "operator")


class Gateway:
    """Keeps what the plan counts, proves it from the records, and passes commands and questions on."""

    name = "gateway"

    desk = Reporting()
    services = Passages()
    live = Broadcasting()
    alarms = Alerting()
    condition = Condition()
    operations = Operating()
    planning = Deciding()
    editions = Closing()

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

    @endpoint("POST", "/api/v1/plans", roles=PLANNERS, takes=schemas.PlanFile)
    def apply_plan(self, request: Request) -> Any:
        return self.planning.apply(request.said, by=request.actor.id)

    @endpoint("POST", "/api/v1/plans/<year>/targets/<code>", roles=CHAIR, takes=schemas.Target)
    def revise_target(self, request: Request, year: str, code: str) -> Any:
        return self.planning.revise(year, code, request.said, by=request.actor.id)

    @endpoint("POST", "/api/v1/plans/<year>/periods/<period>/close", roles=CHAIR, takes=schemas.Close)
    def close_period(self, request: Request, year: str, period: str) -> Any:
        return self.editions.close(year, period, by=request.actor.id, why=request.said["why"])

    @endpoint("GET", "/api/v1/plans/<year>/periods/<period>/editions")
    def all_editions(self, _: Request, year: str, period: str) -> Any:
        return self.editions.all(year, period)

    @endpoint("GET", "/api/v1/plans/<year>/periods/<period>/editions/<no>")
    def edition(self, _: Request, year: str, period: str, no: str) -> Reply:
        return self.editions.one(year, period, no)

    @endpoint("GET", "/api/v1/items/<no>", public=True, asks=schemas.ITEM)
    def item(self, request: Request, no: str) -> Any:
        return self.desk.item(no, request.asked)

    @endpoint("GET", "/api/v1/milestones/<code>", asks=schemas.THEN)
    def milestone(self, request: Request, code: str) -> Any:
        return self.desk.milestone(code, request.asked)

    @endpoint("GET", "/api/v1/kpis/<code>", asks=schemas.KPI)
    def kpi(self, request: Request, code: str) -> Any:
        return self.desk.kpi(code, request.asked)

    @endpoint("GET", "/api/v1/kpis/<code>/series", asks=schemas.SERIES)
    def series(self, request: Request, code: str) -> Any:
        return self.desk.series(code, request.asked)

    @endpoint("GET", "/api/v1/kpis/<code>/records", asks=schemas.RECORDS)
    def records(self, request: Request, code: str) -> Any:
        return self.desk.records(code, request.asked)

    @endpoint("GET", "/api/v1/records/<service>/<kind>/<id_>/history", asks=schemas.THEN)
    def history(self, request: Request, service: str, kind: str, id_: str) -> Any:
        return self.desk.history(service, kind, id_, request.asked)

    @endpoint("GET", "/api/v1/events", public=True, answers={200: EVENTS})
    def events(self, request: Request) -> Reply:
        return self.live.stream(request)

    @endpoint("POST", "/api/v1/alerts/rules", takes=schemas.AlertRule, answers={201: NEW_RULE})
    def make_alert_rule(self, request: Request) -> Reply:
        return self.alarms.make(request)

    @endpoint("GET", "/api/v1/alerts/rules", asks=schemas.RULES, answers={200: RULES})
    def alert_rules(self, request: Request) -> Any:
        return self.alarms.rules(request)

    @endpoint("GET", "/api/v1/alerts/rules/<id_>", answers={200: RULE})
    def alert_rule(self, request: Request, id_: str) -> Any:
        return self.alarms.rule(id_, request)

    @endpoint("POST", "/api/v1/alerts/rules/<id_>/retire", answers={200: RULE})
    def retire_alert_rule(self, request: Request, id_: str) -> Any:
        return self.alarms.retire(id_, request)

    @endpoint("GET", "/api/v1/alerts", asks=schemas.INBOX, answers={200: INBOX})
    def alerts(self, request: Request) -> Any:
        return self.alarms.inbox(request)

    @endpoint("POST", "/api/v1/alerts/<id_>/read", answers={200: ALERT})
    def read_alert(self, request: Request, id_: str) -> Any:
        return self.alarms.read(id_, request)

    @endpoint(
        "GET",
        "/api/v1/alerts/deliveries",
        roles=OPERATOR,
        asks=schemas.DELIVERIES,
        answers={200: DELIVERIES},
    )
    def deliveries(self, request: Request) -> Any:
        return self.alarms.deliveries(request)

    @endpoint("POST", "/api/v1/alerts/deliveries/<id_>/again", roles=OPERATOR, answers={200: DELIVERY})
    def deliver_again(self, _: Request, id_: str) -> Any:
        return self.alarms.again(id_)

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
