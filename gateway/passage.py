"""The passage: the services' own commands and queries over HTTP.

What there is stands in each service's `describe`, so that a new command appears here without a line of ours.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from time import monotonic
from typing import Any
from urllib.parse import quote

import eventlet
from eventlet.event import Event as Signal
from pymongo.errors import PyMongoError
from structlog import get_logger

from gateway import schemas
from gateway.acceptance import Acceptance
from gateway.reply import Reply, Request
from services.chassis.client import Caller, Services
from services.chassis.mongo import database, patiently
from services.chassis.problem import FieldError, InvalidInput, NotFound, Unavailable
from services.contract import KINDS
from services.contract.topology import SERVICES
from services.contract.view import Kind

PATIENCE = 0.2  # seconds that a command waits for the broker before it is accepted for later
CATCH_UP = 0.5  # seconds between two looks for accepted commands
AGAIN = 1.0  # seconds after which a service is asked again whether it has what it did not have


log = get_logger()


@dataclass(frozen=True)
class Description:
    """What a service said it can do, and when."""

    kinds: dict[str, Kind]  # by their plural
    commands: dict[str, Kind]
    heard: float


class Passage:
    """To the services and back; every call carries the caller's own token."""

    def __init__(self, caller: Caller, acceptance: Acceptance) -> None:
        self._caller = caller
        self._acceptance = acceptance
        self._described: dict[str, Description] = {}

    def command(self, service: str, name: str, request: Request) -> Reply:
        """`Idempotency-Key` is the command's id (X-01), `If-Match` the version that the caller saw (X-03)."""
        described = self._describe(service, has=lambda known: name in known.commands)
        if name not in described.commands:
            raise _unknown("command", "命令", name, described.commands)
        schemas.read(request.args, {})
        arguments = _arguments(request)
        try:
            if not self._caller.link.wait_up(PATIENCE):
                raise Unavailable("The broker cannot be reached.", "消息服务暂不可用。")
            done = self._caller.call(service, name, arguments, token=request.token)
        except Unavailable as away:
            return self._accept(service, name, arguments, request, away)
        plural, id_ = described.commands[name].plural, quote(done["id"])
        return Reply(done, headers={"ETag": _etag(done), "Location": f"/api/v1/{service}/{plural}/{id_}"})

    def accepted(self, command_id: str, request: Request) -> Any:
        """What became of a command that was answered with 202."""
        schemas.read(request.args, {})
        return self._acceptance.find(command_id, actor=request.actor)

    def catch_up(self) -> None:
        """Learn what the services can do while they can be asked, and give them the commands that wait for them."""
        for service in set(SERVICES) - set(self._described):
            with suppress(Unavailable):
                self._describe(service, has=lambda known: bool(known.commands))
        self._acceptance.give(
            lambda held, token: self._caller.call(held["service"], held["command"], held["arguments"], token=token)
        )

    def _accept(self, service: str, name: str, arguments: dict[str, Any], request: Request, away: Unavailable) -> Reply:
        """202, once it is stored; where it cannot be, the caller keeps it and sends it again with the same id."""
        command_id = arguments["command_id"]
        try:
            told = self._acceptance.keep(service, name, arguments, actor=request.actor)
        except PyMongoError:
            away.involved["command_id"] = command_id
            raise away from None
        return Reply(told, 202, {"Location": f"/api/v1/commands/{quote(command_id, safe='')}"})

    def page(self, service: str, plural: str, request: Request) -> Any:
        kind = self._kind(service, plural)
        arguments = schemas.listing(request.args, kind)
        return self._caller.call(service, f"list_{plural}", arguments, token=request.token)

    def record(self, service: str, plural: str, id_: str, request: Request) -> Reply:
        found = self._of_record("get_{}", service, plural, id_, request)
        return Reply(found, headers={"ETag": _etag(found)})

    def history(self, service: str, plural: str, id_: str, request: Request) -> Any:
        return self._of_record("history_of_{}", service, plural, id_, request)

    def _of_record(self, method: str, service: str, plural: str, id_: str, request: Request) -> Any:
        kind = self._kind(service, plural)
        schemas.read(request.args, {})
        return self._caller.call(service, method.format(kind.name), {"id": id_}, token=request.token)

    def _kind(self, service: str, plural: str) -> Kind:
        described = self._describe(service, has=lambda known: plural in known.kinds)
        if plural not in described.kinds:
            raise _unknown("kind of record", "记录类别", plural, described.kinds)
        return described.kinds[plural]

    def _describe(self, service: str, *, has: Callable[[Description], bool]) -> Description:
        """What it said last, unless that lacks something it may have learnt since."""
        if service not in SERVICES:
            raise _unknown("service", "服务", service, SERVICES)
        known = self._described.get(service)
        if known and (has(known) or monotonic() - known.heard < AGAIN):
            return known
        try:
            said = self._caller.call(service, "describe", {})
        except NotFound:
            raise Unavailable(f"{service} has never been started.", f"{service} 尚未启动。") from None
        self._described[service] = _description(service, said)
        return self._described[service]


class Passages(Services):
    """Gives the gateway its way to the services, where a service would get the bare caller."""

    def setup(self) -> None:
        super().setup()
        config = self.container.config
        settings = config["SETTINGS"]
        accepted = database(settings, self.container.service_name)["accepted"]
        acceptance = Acceptance(accepted, config["CLOCK"], settings.token_private_key)
        patiently(acceptance.prepare)
        self._passage = Passage(self._caller, acceptance)
        self._halt = Signal()

    def start(self) -> None:
        super().start()
        self._catching_up = self.container.spawn_managed_thread(self._run, identifier="accepted commands")

    def stop(self) -> None:
        self._halt.send()
        self._catching_up.wait()
        super().stop()

    def _run(self) -> None:
        while not self._halt.ready():
            try:
                if self._caller.link.is_up:
                    self._passage.catch_up()
            except (Unavailable, PyMongoError) as error:
                log.info("accepted commands wait", error=type(error).__name__)
            with eventlet.Timeout(CATCH_UP, False):
                self._halt.wait()

    def get_dependency(self, worker_ctx: Any) -> Passage:  # type: ignore[override]  # noqa: ARG002
        return self._passage


def _description(service: str, said: dict[str, Any]) -> Description:
    """Of what it said, the part that this gateway's contract knows too."""
    kinds = {name: KINDS[f"{service}.{name}"] for name in said["kinds"] if f"{service}.{name}" in KINDS}
    return Description(
        kinds={kind.plural: kind for kind in kinds.values()},
        commands={name: kinds[one["kind"]] for name, one in said["commands"].items() if one["kind"] in kinds},
        heard=monotonic(),
    )


def _arguments(request: Request) -> dict[str, Any]:
    """The command's input, with its id and the version that the caller saw."""
    arguments = schemas.body(request.content)
    _put(arguments, "command_id", request.headers.get("Idempotency-Key"), header="Idempotency-Key")
    if if_match := request.headers.get("If-Match"):
        _put(arguments, "expected_version", schemas.seen_version(if_match), header="If-Match")
    return {"command_id": str(uuid.uuid4()), **arguments}


def _put(arguments: dict[str, Any], name: str, value: Any, *, header: str) -> None:
    """A header's value among the arguments; where the body says it too, it has to say the same."""
    if value is None:
        return
    if arguments.setdefault(name, value) != value:
        raise InvalidInput(FieldError(name, f"Not what the header {header} says.", f"与标头 {header} 不一致。"))


def _etag(record: dict[str, Any]) -> str:
    return f'"{record["version"]}"'


def _unknown(what: str, zh: str, name: str, known: Iterable[str]) -> NotFound:
    listed = ", ".join(sorted(known))
    return NotFound(
        f"There is no {what} {name[:60]!r}; known: {listed}.", f"没有名为“{name[:60]}”的{zh}；可用：{listed}。"
    )
