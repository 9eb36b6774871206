"""Operations: what operators see and do of the whole system from here: how it is, jobs, and what is parked."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import eventlet
from pymongo.errors import PyMongoError
from structlog import get_logger

from gateway.http import pagination, parameters
from gateway.http.messages import Reply, Request
from gateway.operations import system_status
from gateway.reconciliation import inputs
from gateway.reconciliation.jobs import Jobs
from gateway.reconciliation.maintenance import Maintenance
from gateway.reporting.query_service import QueryService, SharedQueryService
from services.chassis import parking
from services.chassis.client import Caller, CallerProvider
from services.chassis.fields import load
from services.chassis.mongo import database
from services.chassis.parked import ParkedMessages
from services.chassis.problem import NotFound, Problem, Unavailable
from services.chassis.settings import Settings
from services.chassis.version import VERSION
from services.contract.topology import SERVICES

LOOK = 1.0  # seconds between two looks whether a comparison is due
HERE = "gateway"

log = get_logger()


class OperatorRequests:
    """Each method answers a request of an operator."""

    def __init__(
        self, caller: Caller, settings: Settings, query_service: QueryService, jobs: Jobs, parked: ParkedMessages
    ) -> None:
        self._caller, self._settings, self._query_service, self._jobs, self._parked = (
            caller,
            settings,
            query_service,
            jobs,
            parked,
        )
        self._upkeep = Maintenance(caller, settings, query_service.generations, jobs)
        self.tend = self._upkeep.tend

    def status(self, request: Request) -> Any:
        """How all of it is now."""
        queues = eventlet.spawn(system_status.messages, self._settings)
        services = system_status.conditions(self._caller, request.token)
        waiting, alarms = parking.waiting(database(self._settings, HERE))
        standing = self._query_service.completeness()
        here = {"version": VERSION, "generation": standing["generation"], "parked": waiting, "alarms": alarms}
        return {
            "services": services,
            "gateway": {**here, "jobs": self._jobs.all()},
            "queues": queues.wait(),
            "heard": standing["freshness"],
            **{name: standing[name] for name in ("as_of", "revision", "complete", "reasons")},
        }

    def begin(self, job: str, request: Request) -> Reply:
        """202 with the job; `Conflict` while one of that name runs."""
        self._check(job)
        asked = load(inputs.JOBS[job], parameters.body(request.content))
        return Reply(
            self._upkeep.start(job, asked, by=request.actor.id), 202, {"Location": f"/api/v1/operations/{job}"}
        )

    def job(self, job: str) -> Any:
        self._check(job)
        return self._jobs.find(job)

    def _check(self, job: str) -> None:
        if job not in self._upkeep.works:
            raise parameters.not_known("job", "任务", job, self._upkeep.works)

    # --- what is parked ----------------------------------------------------------------------------------------------

    def parked(self, request: Request) -> Any:
        """A page of what one of the five has parked, or the first page of all of them together."""
        wanted = dict(request.params)
        service = wanted.pop("service", None)
        if service:
            return self._page(service, wanted, request)
        return self._everywhere(wanted, request)

    def _everywhere(self, wanted: Mapping[str, Any], request: Request) -> Any:
        """The oldest of all; there is no cursor, `away` are those that could not be asked."""
        asked = {name: eventlet.spawn(self._page_or_none, name, wanted, request) for name in (*SERVICES, HERE)}
        pages = {name: page.wait() for name, page in asked.items()}
        found = [item for page in pages.values() if page for item in page["items"]]
        return {
            "items": sorted(found, key=lambda item: item["parked_at"])[: wanted.get("limit", pagination.PAGE)],
            "total": sum(page["total"] for page in pages.values() if page),
            "cursor": None,
            "away": [name for name, page in pages.items() if page is None],
        }

    def _page_or_none(self, service: str, wanted: Mapping[str, Any], request: Request) -> Any:
        with eventlet.Timeout(system_status.WITHIN, False), suppress(Unavailable, NotFound):
            return self._page(service, wanted, request)
        return None

    def _page(self, service: str, wanted: Mapping[str, Any], request: Request) -> Any:
        page = self._ask(service, "list_parked", wanted, request)
        return {**page, "items": [{"service": service, **item} for item in page["items"]]}

    def parked_message(self, service: str, id_: str, request: Request) -> Any:
        return self._ask(service, "show_parked", {"id": id_}, request)

    def settle(self, method: str, service: str, id_: str, request: Request) -> Any:
        """Replay or discard it, and say why."""
        return self._ask(service, method, {**request.body, "id": id_}, request)

    def _ask(self, service: str, method: str, given: Mapping[str, Any], request: Request) -> Any:
        if service == HERE:
            return getattr(self._parked, method)(given, by=request.actor.id)
        if service not in SERVICES:
            raise parameters.not_known("service", "服务", service, (*SERVICES, HERE))
        return self._caller.call(service, method, given, token=request.token)


class OperatorRequestsProvider(CallerProvider):
    """Gives the gateway its operations, over a connection of their own: a comparison holds up no command."""

    reporting = SharedQueryService()
    parked_messages = ParkedMessages()

    def setup(self) -> None:
        super().setup()
        config = self.container.config
        settings = config["SETTINGS"]
        jobs = database(settings, self.container.service_name)["jobs"]
        self._jobs = Jobs(jobs, self.container.spawn_managed_thread)

    def start(self) -> None:
        super().start()
        settings, parked = self.container.config["SETTINGS"], self.parked_messages
        self._operations = OperatorRequests(self._caller, settings, self.reporting.query_service, self._jobs, parked)
        self._tending = self.container.spawn_managed_thread(self._tend, identifier="upkeep")

    def stop(self) -> None:
        self._tending.kill()
        self._jobs.stop()
        super().stop()

    def _tend(self) -> None:
        while True:
            eventlet.sleep(LOOK)
            try:
                if self._caller.link.is_up:
                    self._operations.tend()
            except (Problem, PyMongoError) as error:
                log.info("not compared yet", error=type(error).__name__)

    def provide(self) -> OperatorRequests:
        return self._operations
