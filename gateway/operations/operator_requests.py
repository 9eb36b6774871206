"""Requests of operators: the status of the whole system, maintenance jobs, and parked messages (dead letters)."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from typing import Any

import eventlet

from gateway.http import pagination, parameters
from gateway.http.messages import Reply, Request
from gateway.operations import broker_status, system_status
from gateway.operations.troubles import troubles
from gateway.reconciliation import inputs
from gateway.reconciliation.jobs import Jobs
from gateway.reconciliation.maintenance import Maintenance
from gateway.reporting.query_service import QueryService, SharedQueryService
from services.chassis import parking, upkeep
from services.chassis.client import Caller, CallerProvider
from services.chassis.fields import load
from services.chassis.loop import Loop
from services.chassis.mongo import database
from services.chassis.parked import ParkedMessages
from services.chassis.problem import NotFound, Unavailable
from services.chassis.settings import Settings
from services.chassis.tokens import DelegatedTokens
from services.chassis.version import VERSION
from services.contract.topology import SERVICES

MAINTAIN_EVERY = 1.0  # seconds between two looks whether a comparison is due
GATEWAY = "gateway"


class OperatorRequests:
    """Answers the requests of operators; everything beyond the gateway is asked with the operator's own token."""

    def __init__(
        self,
        caller: Caller,
        settings: Settings,
        query_service: QueryService,
        *,
        jobs: Jobs,
        maintenance: Maintenance,
        parked: ParkedMessages,
    ) -> None:
        self._caller, self._settings, self._query_service = caller, settings, query_service
        self._tokens = DelegatedTokens(settings.token_private_key)
        self._jobs, self._maintenance, self._parked = jobs, maintenance, parked

    def status(self, request: Request) -> Any:
        """Show the condition of every service, every queue and the gateway itself."""
        looking = eventlet.spawn(broker_status.look, self._settings)
        services = system_status.conditions(self._caller, partial(self._tokens.token_for, request.actor))
        own = database(self._settings, GATEWAY)
        waiting, alarms = parking.waiting(own)
        standing, broker = self._query_service.completeness(), looking.wait()
        status = {
            "services": services,
            "gateway": {
                "version": VERSION,
                "generation": standing["generation"],
                "parked": waiting,
                "alarms": alarms,
                "jobs": {last.id: last.outline() for last in self._jobs.all()},
                **upkeep.machine(own),
            },
            "queues": broker.pop("queues"),
            "broker": broker,
            "heard": standing["freshness"],
            **{name: standing[name] for name in ("as_of", "revision", "complete", "reasons")},
        }
        return {**status, "troubles": troubles(status)}

    # --- jobs --------------------------------------------------------------------------------------------------------

    def begin(self, job: str, request: Request) -> Reply:
        """Begin a job and answer 202; `Conflict` while one of that name runs."""
        self._check_is_known(job)
        params = load(inputs.JOBS[job], parameters.body(request.content))

        begun = self._maintenance.start(job, params, by=request.actor.id)
        return Reply(begun.answer(), 202, {"Location": f"/api/v1/operations/{job}"})

    def job(self, job: str) -> Any:
        """Show how far the last job of this name has come."""
        self._check_is_known(job)
        last = self._jobs.find(job)
        return last.answer() if last else {"job": job, "state": "none"}

    def _check_is_known(self, job: str) -> None:
        if job not in self._maintenance.works:
            raise parameters.not_known("job", "任务", job, self._maintenance.works)

    # --- parked messages ---------------------------------------------------------------------------------------------

    def parked(self, request: Request) -> Any:
        """List the messages parked at one service or at the gateway, or the oldest of all of them."""
        params = dict(request.params)
        service = params.pop("service", None)
        return self._page(service, params, request) if service else self._pages_of_all(params, request)

    def parked_message(self, service: str, id_: str, request: Request) -> Any:
        """Show a parked message with its body and its traceback."""
        return self._ask(service, "show_parked", {"id": id_}, request)

    def settle(self, method: str, service: str, id_: str, request: Request) -> Any:
        """Replay or discard a parked message, for the reason that the operator gives."""
        return self._ask(service, method, {**request.body, "id": id_}, request)

    def _pages_of_all(self, params: Mapping[str, Any], request: Request) -> Any:
        """The oldest messages of all, without a cursor; `away` lists what did not answer."""
        asked = {name: eventlet.spawn(self._page_or_none, name, params, request) for name in (*SERVICES, GATEWAY)}
        pages = {name: page.wait() for name, page in asked.items()}
        items = [item for page in pages.values() if page for item in page["items"]]
        return {
            "items": sorted(items, key=lambda item: item["parked_at"])[: params.get("limit", pagination.PAGE)],
            "total": sum(page["total"] for page in pages.values() if page),
            "cursor": None,
            "away": [name for name, page in pages.items() if page is None],
        }

    def _page_or_none(self, service: str, params: Mapping[str, Any], request: Request) -> Any:
        with eventlet.Timeout(system_status.TIMEOUT, False), suppress(Unavailable, NotFound):
            return self._page(service, params, request)
        return None

    def _page(self, service: str, params: Mapping[str, Any], request: Request) -> Any:
        page = self._ask(service, "list_parked", params, request)
        return {**page, "items": [{"service": service, **item} for item in page["items"]]}

    def _ask(self, service: str, method: str, params: Mapping[str, Any], request: Request) -> Any:
        if service == GATEWAY:
            return getattr(self._parked, method)(params, by=request.actor.id)
        if service not in SERVICES:
            raise parameters.not_known("service", "服务", service, (*SERVICES, GATEWAY))
        return self._caller.call(service, method, params, token=self._tokens.token_for(request.actor, service))


class OperatorRequestsProvider(CallerProvider):
    """Provides the gateway's `OperatorRequests`, and begins the comparisons that are due.

    They call services over a connection of their own, so that a comparison holds up no command.
    """

    reporting = SharedQueryService()
    parked_messages = ParkedMessages()

    def setup(self) -> None:
        super().setup()
        jobs = database(self.container.config["SETTINGS"], self.container.service_name)["jobs"]
        self._jobs = Jobs(jobs, self.container.spawn_managed_thread)

    def start(self) -> None:
        super().start()
        settings, query_service = self.container.config["SETTINGS"], self.reporting.query_service
        self._maintenance = Maintenance(self._caller, settings, query_service.generations, self._jobs)
        self._requests = OperatorRequests(
            self._caller,
            settings,
            query_service,
            jobs=self._jobs,
            maintenance=self._maintenance,
            parked=self.parked_messages,
        )
        self._loop = Loop("maintenance", self._maintain, seconds=MAINTAIN_EVERY)
        self._loop.start(self.container)

    def stop(self) -> None:
        self._loop.kill()
        self._jobs.stop()
        super().stop()

    def provide(self) -> OperatorRequests:
        return self._requests

    def _maintain(self) -> None:
        if self._caller.link.is_up:
            self._maintenance.compare_when_due()
