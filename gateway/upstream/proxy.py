"""Service proxy: the services' own commands and queries over HTTP.

They are taken from each service's `describe`, so that a new command appears here without a line of ours.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from time import monotonic
from typing import Any
from urllib.parse import quote

from pymongo.errors import PyMongoError

from gateway.http import parameters
from gateway.http.admission import Bulkhead
from gateway.http.messages import NOT_STORED, Reply, Request
from gateway.http.parameters import NOTHING
from gateway.identity.authentication import Authentication
from gateway.upstream import descriptions, list_parameters
from gateway.upstream.accepted_commands import AcceptedCommands
from gateway.upstream.descriptions import Descriptions, ServiceDescription
from gateway.upstream.parked_counts import ParkedCounts
from services.chassis.client import Caller, CallerProvider
from services.chassis.entrypoints import command_id, expected_version
from services.chassis.loop import Loop
from services.chassis.mongo import database, patiently
from services.chassis.problem import FieldError, InvalidInput, Unavailable
from services.chassis.tokens import DelegatedTokens
from services.contract import wire
from services.contract.topology import SERVICES
from services.contract.view import Kind

PATIENCE = 0.2  # seconds that a command waits for the broker before it is accepted for later
CATCH_UP_EVERY = 1.0  # seconds between two calls to a service for its condition and the commands that wait for it
DESCRIBE_AGAIN = 1.0  # seconds until a service is asked again for what its description lacks
DESCRIPTION_LIFETIME = 60.0  # seconds after which a description is read again while the service answers

HEADERS = {"command_id": "Idempotency-Key", "expected_version": "If-Match"}


class ServiceProxy:
    """Forwards commands and queries to the services in the caller's name."""

    def __init__(
        self,
        caller: Caller,
        accepted: AcceptedCommands,
        parked: ParkedCounts,
        descriptions: Descriptions,
        bulkhead: Bulkhead,
        tokens: DelegatedTokens,
    ) -> None:
        self._caller, self._accepted, self._parked = caller, accepted, parked
        self._descriptions, self._bulkhead, self._tokens = descriptions, bulkhead, tokens
        self._read: dict[str, ServiceDescription] = {}

    def command(self, service: str, name: str, request: Request) -> Reply:
        """Send a command: `Idempotency-Key` is its id (X-01), `If-Match` the version that the caller saw (X-03).

        While the service is away the command is checked and stored, and answered with 202; a confidential one is not
        stored, and raises `Unavailable`.
        """
        description = self._describe(service, has=lambda described: name in described.commands)
        if name not in description.commands:
            raise parameters.not_known("command", "命令", name, description.commands)

        command, arguments = description.commands[name], _arguments(request)
        request.command_id = arguments["command_id"]
        try:
            record = self._send(service, name, arguments, request)
        except Unavailable as unavailable:
            if command.confidential:
                raise
            command.check(arguments, actor=request.actor)
            return self._accept(service, name, arguments, request, unavailable)
        location = f"/api/v1/{service}/{command.kind.plural}/{quote(record['id'])}"
        return Reply(record, headers={"ETag": _etag(record), "Location": location})

    def ask(self, service: str, method: str, arguments: dict[str, Any], request: Request) -> Any:
        """Call a service as the caller; `Overloaded` where so many calls are under way that it would take too long."""
        with self._bulkhead.place(service):
            return self._caller.call(service, method, arguments, token=self._tokens.token_for(request.actor, service))

    def accepted(self, command_id: str, request: Request) -> Any:
        """Show what became of a command that was answered with 202."""
        return self._accepted.find(command_id, actor=request.actor)

    def catch_up(self, service: str) -> None:
        """Update what is known of a service, and give it the commands that wait; `Unavailable` while it is away."""
        self._parked.note(service, self._caller.call(service, "ping", {}).get("parked", 0))
        self._describe(service, has=lambda described: monotonic() - described.read_at < DESCRIPTION_LIFETIME)
        self._accepted.give(service, partial(self._caller.call, service))

    def question(self, service: str, name: str, request: Request) -> Reply:
        """Send a query that the service describes; the answer may be meant for the caller alone, and is not cached."""
        description = self._describe(service, has=lambda described: name in described.questions)
        if name not in description.questions:
            raise parameters.not_known("question", "查询", name, description.questions)

        params = parameters.read(request.args, list_parameters.described(description.questions[name]))
        return Reply(self.ask(service, name, params, request), headers=NOT_STORED)

    def page(self, service: str, plural: str, request: Request) -> Any:
        """List records of a kind as their service has them."""
        kind = self._kind(service, plural)
        office = self._read[service].office[plural]
        arguments = list_parameters.listing(request.args, {**kind.fields, **office})
        return self.ask(service, f"list_{plural}", arguments, request)

    def record(self, service: str, plural: str, id_: str, request: Request) -> Reply:
        """Show a record as its service has it, with its version as ETag; one for each class of readers."""
        personal = {"personal": True} if request.params.get("personal") else {}
        record = self._ask_of_record("get_{}", service, plural, id_, request, **personal)
        beside = record.keys() - {"id", "version", *self._kind(service, plural).fields}
        return Reply(record, headers={"ETag": _etag(record, {name: record[name] for name in beside})})

    def history(self, service: str, plural: str, id_: str, request: Request) -> Any:
        """Show every version of a record as its service has it."""
        return self._ask_of_record("history_of_{}", service, plural, id_, request)

    def _send(self, service: str, name: str, arguments: dict[str, Any], request: Request) -> dict[str, Any]:
        if not self._caller.link.wait_up(PATIENCE):
            raise Unavailable("The broker cannot be reached.", "消息服务暂不可用。")
        record: dict[str, Any] = self.ask(service, name, arguments, request)
        return record

    def _accept(
        self, service: str, name: str, arguments: dict[str, Any], request: Request, unavailable: Unavailable
    ) -> Reply:
        """Answer 202 once the command is stored; if it cannot be, the caller has to send it again with the same id."""
        command_id = arguments["command_id"]
        try:
            accepted = self._accepted.accept(service, name, arguments, actor=request.actor, token_id=request.token_id)
        except PyMongoError:
            unavailable.involved["command_id"] = command_id
            raise unavailable from None
        return Reply(accepted, 202, {"Location": f"/api/v1/commands/{quote(command_id, safe='')}"})

    def _ask_of_record(self, method: str, service: str, plural: str, id_: str, request: Request, **asked: Any) -> Any:
        kind = self._kind(service, plural)
        return self.ask(service, method.format(kind.name), {"id": id_, **asked}, request)

    def _kind(self, service: str, plural: str) -> Kind:
        description = self._describe(service, has=lambda described: plural in described.kinds)
        if plural not in description.kinds:
            raise parameters.not_known("kind of record", "记录类别", plural, description.kinds)
        return description.kinds[plural]

    def _describe(self, service: str, *, has: Callable[[ServiceDescription], bool]) -> ServiceDescription:
        """The service's last description; read anew where it lacks something that the service may have by now."""
        if service not in SERVICES:
            raise parameters.not_known("service", "服务", service, SERVICES)
        known = self._read.get(service)
        if known and (has(known) or monotonic() - known.read_at < DESCRIBE_AGAIN):
            return known

        answer = self._caller.call(service, "describe", {})
        self._read[service] = descriptions.read(service, answer, read_at=monotonic())
        self._descriptions.note(service, answer)
        return self._read[service]


class ServiceProxyProvider(CallerProvider):
    """Provides the gateway's `ServiceProxy`, and gives services the commands that were accepted for them."""

    parked = ParkedCounts()
    descriptions = Descriptions()
    authentication = Authentication()

    def setup(self) -> None:
        super().setup()
        config = self.container.config
        settings = config["SETTINGS"]
        tokens = DelegatedTokens(settings.token_private_key)
        accepted = AcceptedCommands(
            database(settings, self.container.service_name)["accepted"],
            config["CLOCK"],
            tokens,
            self.authentication.current_rights,
            at_most=settings.accepted_limit,
        )
        patiently(accepted.prepare)
        bulkhead = Bulkhead(settings.http_at_once // 2)
        self._proxy = ServiceProxy(self._caller, accepted, self.parked, self.descriptions, bulkhead, tokens)

    def start(self) -> None:
        super().start()
        self._loops = [  # one for each service, so that a service which is away holds up no other
            Loop(f"catching up {service}", partial(self._catch_up, service), seconds=CATCH_UP_EVERY, at_once=True)
            for service in SERVICES
        ]
        for loop in self._loops:
            loop.start(self.container)

    def stop(self) -> None:
        """Cut off what is being given: it is given again, under the same id."""
        for loop in self._loops:
            loop.kill()
        super().stop()

    def provide(self) -> ServiceProxy:
        return self._proxy

    def _catch_up(self, service: str) -> None:
        if self._caller.link.is_up:
            with suppress(Unavailable):  # it is away, and its commands go on waiting
                self._proxy.catch_up(service)


def _arguments(request: Request) -> dict[str, Any]:
    """The command's input, with its id and the version that the caller saw; a null counts as none."""
    arguments, headers = parameters.body(request.content), request.headers
    known = _agreed("command_id", arguments.pop("command_id", None), headers.get("Idempotency-Key"))
    version = parameters.seen_version(headers.get("If-Match"))
    seen = expected_version(_agreed("expected_version", arguments.pop("expected_version", None), version))
    arguments["command_id"] = command_id(known) or str(uuid.uuid4())
    return arguments if seen is None else {**arguments, "expected_version": seen}


def _agreed(name: str, in_body: Any, in_header: Any) -> Any:
    """The value of the body or of the header; `InvalidInput` where both have one and they differ."""
    if in_body is not None and in_header is not None and in_body != in_header:
        header = HEADERS[name]
        raise InvalidInput(FieldError(name, f"Not the value of the header {header}.", f"与标头 {header} 不一致。"))
    return in_header if in_body is None else in_body


def _etag(record: Mapping[str, Any], beside: Mapping[str, Any] = NOTHING) -> str:
    """Make a record's tag of its version, and of the fields beside its view that this caller gets."""
    shown = f".{hashlib.blake2b(wire.canonical(beside), digest_size=6).hexdigest()}" if beside else ""
    return f'"{record["version"]}{shown}"'
