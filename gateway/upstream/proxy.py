"""The passage: the services' own commands and queries over HTTP.

What there is stands in each service's `describe`, so that a new command appears here without a line of ours.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from time import monotonic
from typing import Any
from urllib.parse import quote

import eventlet
from pymongo.errors import PyMongoError
from structlog import get_logger

from gateway.http import parameters
from gateway.http.admission import Bulkhead
from gateway.http.messages import NOT_STORED, Reply, Request
from gateway.identity.authentication import Authentication
from gateway.upstream import descriptions as description
from gateway.upstream import list_parameters
from gateway.upstream.accepted_commands import AcceptedCommands
from gateway.upstream.descriptions import Descriptions, ServiceDescription
from gateway.upstream.parked_counts import ParkedCounts
from services.chassis.client import Caller, CallerProvider
from services.chassis.entrypoints import command_id, expected_version
from services.chassis.mongo import database, patiently
from services.chassis.problem import FieldError, InvalidInput, Problem, Unavailable
from services.contract.topology import SERVICES
from services.contract.view import Kind

PATIENCE = 0.2  # seconds that a command waits for the broker before it is accepted for later
CATCH_UP = 1.0  # seconds between two looks after a service and the commands that wait for it
AGAIN = 1.0  # seconds after which a service is asked again whether it has what it did not have
HOLDS = 60.0  # seconds that its description holds while it can be asked

HEADERS = {"command_id": "Idempotency-Key", "expected_version": "If-Match"}

log = get_logger()


class ServiceProxy:
    """To the services and back; every call carries the caller's own token."""

    def __init__(
        self,
        caller: Caller,
        acceptance: AcceptedCommands,
        parked: ParkedCounts,
        descriptions: Descriptions,
        room: Bulkhead,
    ) -> None:
        self._caller = caller
        self._descriptions = descriptions
        self._room = room
        self._acceptance = acceptance
        self._parked = parked
        self._described: dict[str, ServiceDescription] = {}

    def command(self, service: str, name: str, request: Request) -> Reply:
        """`Idempotency-Key` is the command's id (X-01), `If-Match` the version that the caller saw (X-03)."""
        described = self._describe(service, has=lambda known: name in known.commands)
        if name not in described.commands:
            raise parameters.not_known("command", "命令", name, described.commands)
        arguments = _arguments(request)
        request.command_id = arguments["command_id"]
        try:
            if not self._caller.link.wait_up(PATIENCE):
                raise Unavailable("The broker cannot be reached.", "消息服务暂不可用。")
            done = self.ask(service, name, arguments, request)
        except Unavailable as away:
            if described.commands[name].confidential:
                raise
            described.commands[name].check(arguments, actor=request.actor)
            return self._accept(service, name, arguments, request, away)
        plural, id_ = described.commands[name].kind.plural, quote(done["id"])
        return Reply(done, headers={"ETag": _etag(done), "Location": f"/api/v1/{service}/{plural}/{id_}"})

    def ask(self, service: str, method: str, arguments: dict[str, Any], request: Request) -> Any:
        """As the caller, among so many to one service that each is answered in good time; else `Overloaded`."""
        with self._room.place(service):
            return self._caller.call(service, method, arguments, token=request.token)

    def accepted(self, command_id: str, request: Request) -> Any:
        """What became of a command that was answered with 202."""
        return self._acceptance.find(command_id, actor=request.actor)

    def catch_up(self, service: str) -> None:
        """Hear what a service has parked and can do, and give it what waits for it; `Unavailable` while it is away."""
        self._parked.hear(service, self._caller.call(service, "ping", {}).get("parked", 0))
        self._describe(service, has=lambda known: monotonic() - known.heard < HOLDS)
        self._acceptance.give(service, partial(self._caller.call, service))

    def _accept(self, service: str, name: str, arguments: dict[str, Any], request: Request, away: Unavailable) -> Reply:
        """202, once it is stored; where it cannot be, the caller keeps it and sends it again with the same id."""
        command_id = arguments["command_id"]
        try:
            told = self._acceptance.keep(service, name, arguments, actor=request.actor, token_id=request.token_id)
        except PyMongoError:
            away.involved["command_id"] = command_id
            raise away from None
        return Reply(told, 202, {"Location": f"/api/v1/commands/{quote(command_id, safe='')}"})

    def question(self, service: str, name: str, request: Request) -> Reply:
        """A query of the service's own, as it described it; the answer may be for the eyes of who asks alone."""
        described = self._describe(service, has=lambda known: name in known.questions)
        if name not in described.questions:
            raise parameters.not_known("question", "查询", name, described.questions)
        asked = parameters.read(request.args, list_parameters.described(described.questions[name]))
        return Reply(self.ask(service, name, asked, request), headers=NOT_STORED)

    def page(self, service: str, plural: str, request: Request) -> Any:
        kind = self._kind(service, plural)
        arguments = list_parameters.listing(request.args, kind)
        return self.ask(service, f"list_{plural}", arguments, request)

    def record(self, service: str, plural: str, id_: str, request: Request) -> Reply:
        found = self._of_record("get_{}", service, plural, id_, request)
        return Reply(found, headers={"ETag": _etag(found)})

    def history(self, service: str, plural: str, id_: str, request: Request) -> Any:
        return self._of_record("history_of_{}", service, plural, id_, request)

    def _of_record(self, method: str, service: str, plural: str, id_: str, request: Request) -> Any:
        kind = self._kind(service, plural)
        return self.ask(service, method.format(kind.name), {"id": id_}, request)

    def _kind(self, service: str, plural: str) -> Kind:
        described = self._describe(service, has=lambda known: plural in known.kinds)
        if plural not in described.kinds:
            raise parameters.not_known("kind of record", "记录类别", plural, described.kinds)
        return described.kinds[plural]

    def _describe(self, service: str, *, has: Callable[[ServiceDescription], bool]) -> ServiceDescription:
        """What it said last, unless that lacks something it may have learnt since."""
        if service not in SERVICES:
            raise parameters.not_known("service", "服务", service, SERVICES)
        known = self._described.get(service)
        if known and (has(known) or monotonic() - known.heard < AGAIN):
            return known
        said = self._caller.call(service, "describe", {})
        self._described[service] = description.read(service, said, heard=monotonic())
        self._descriptions.hear(service, said)
        return self._described[service]


class ServiceProxyProvider(CallerProvider):
    """Gives the gateway its way to the services, where a service would get the bare caller."""

    parked = ParkedCounts()
    descriptions = Descriptions()
    callers = Authentication()

    def setup(self) -> None:
        super().setup()
        config = self.container.config
        settings = config["SETTINGS"]
        accepted = database(settings, self.container.service_name)["accepted"]
        acceptance = AcceptedCommands(
            accepted, config["CLOCK"], settings.token_private_key, self.callers.as_now, at_most=settings.accepted_limit
        )
        patiently(acceptance.prepare)
        room = Bulkhead(settings.http_at_once // 2)
        self._passage = ServiceProxy(self._caller, acceptance, self.parked, self.descriptions, room)

    def start(self) -> None:
        super().start()
        self._catching_up = [  # each service by itself: one that is away holds up no other
            self.container.spawn_managed_thread(partial(self._run, service), identifier=f"catching up {service}")
            for service in SERVICES
        ]

    def stop(self) -> None:
        for thread in self._catching_up:  # whatever is cut off is done again, under the same id
            thread.kill()
        super().stop()

    def _run(self, service: str) -> None:
        while True:
            try:
                if self._caller.link.is_up:
                    with suppress(Unavailable):  # it is away: what waits for it goes on waiting
                        self._passage.catch_up(service)
            except (Problem, PyMongoError) as error:
                log.info("accepted commands wait", waits_for=service, error=type(error).__name__)
            eventlet.sleep(CATCH_UP)

    def provide(self) -> ServiceProxy:
        return self._passage


def _arguments(request: Request) -> dict[str, Any]:
    """The command's input, with its id and the version that the caller saw; null is none."""
    arguments, headers = parameters.body(request.content), request.headers
    known = _one("command_id", arguments.pop("command_id", None), headers.get("Idempotency-Key"))
    version = parameters.seen_version(headers.get("If-Match"))
    seen = expected_version(_one("expected_version", arguments.pop("expected_version", None), version))
    arguments["command_id"] = command_id(known) or str(uuid.uuid4())
    return arguments if seen is None else {**arguments, "expected_version": seen}


def _one(name: str, said: Any, header: Any) -> Any:
    """What the body says or the header; where both do, they have to say the same."""
    if said is not None and header is not None and said != header:
        of = HEADERS[name]
        raise InvalidInput(FieldError(name, f"Not what the header {of} says.", f"与标头 {of} 不一致。"))
    return header if said is None else said


def _etag(record: dict[str, Any]) -> str:
    return f'"{record["version"]}"'
