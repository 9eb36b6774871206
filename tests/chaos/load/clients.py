"""The ways for a command: RPC, also through the door, and the gateways' HTTP.

A client asks once and returns the answer as an outcome."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from random import Random
from typing import Any

import eventlet

from services.chassis.client import Caller
from services.chassis.problem import Malfunction, NotFound, Overloaded, Problem, Unavailable
from services.chassis.settings import Settings
from tests.chaos.log.command_log import Command, Outcome
from tests.http_client import NO_HEADERS, NoResponse, Response, request_json
from tests.waiting import poll

PATIENCE = 3.0  # seconds for one try
LOOK = 0.3  # seconds between two questions after a command that was accepted for later
HANDED_ON_WITHIN = 200.0  # seconds for such a command
NOBODY = "method"  # named by "not found" where a service's queue is gone, and not a record

Token = Callable[[str], str]
"""Person -> token."""


class Unanswered(Exception):
    """Nobody knows what became of the command; it may be sent again."""


class Forgotten(Exception):
    """A gateway accepted the command, and knows nothing of it any more."""


class Rpc:
    """Calls of the services, over the virtual host of the settings."""

    def __init__(self, settings: Settings, token: Token) -> None:
        self._caller = Caller(settings, "clerks")
        self._token = token

    def open(self) -> None:
        """Begin to read answers, before the first call."""
        self._reading = eventlet.spawn(self._caller.link.run)

    def close(self) -> None:
        """Close the connection, after the last call."""
        self._caller.link.stop()
        self._reading.wait()

    def give(self, command: Command) -> Outcome:
        """Send the command once; raise Unanswered."""
        arguments = {**command.arguments, "command_id": command.sent_as}
        try:
            return _done(self._call(command.by, command.service, command.method, arguments))
        except Problem as problem:
            return Outcome(state="refused", rule=problem.code)

    def get(self, by: str, service: str, kind: str, record: str) -> Mapping[str, Any] | None:
        """Read the record at its service, None where it has none; raise Unanswered."""
        try:
            view: Mapping[str, Any] = self._call(by, service, f"get_{kind}", {"id": record})
        except Problem:
            return None
        return view

    def _call(self, by: str, service: str, method: str, arguments: Mapping[str, Any]) -> Any:
        try:
            return self._caller.call(service, method, arguments, token=self._token(by), timeout=PATIENCE)
        except (Unavailable, Overloaded, Malfunction) as error:
            raise Unanswered(error.code) from error
        except NotFound as problem:
            if NOBODY in problem.involved:
                raise Unanswered("nobody serves") from problem
            raise


class Http:
    """Requests to any of the gateways; a command that is accepted for later is followed until it is settled."""

    def __init__(self, urls: Sequence[str], token: Token, random: Random) -> None:
        self.urls = tuple(urls)
        self._token = token
        self._random = random

    def give(self, command: Command) -> Outcome:
        """Send the command once; raise Unanswered and Forgotten."""
        path, key = f"/api/v1/{command.service}/{command.method}", {"Idempotency-Key": command.sent_as}
        response = self._ask(self._any_url(), path, by=command.by, body=command.arguments, headers=key)
        return self._settled(command) if response.status == 202 else _outcome(response)

    def get(self, url: str, path: str, *, by: str) -> Response:
        """Read a page of this gateway; raise Unanswered."""
        return self._ask(url, path, by=by)

    def _settled(self, command: Command) -> Outcome:
        """The outcome of a command that was accepted for later."""
        outcome = poll(partial(self._state, command), within=HANDED_ON_WITHIN, every=LOOK)
        if outcome is None:
            raise Unanswered("accepted, and not handed on")
        return outcome

    def _state(self, command: Command) -> Outcome | None:
        """None while the command is not settled, or where the gateway that is asked does not answer."""
        try:
            response = self._ask(self._any_url(), f"/api/v1/commands/{command.sent_as}", by=command.by)
        except Unanswered:
            return None
        if response.status == 404:
            raise Forgotten(command.id)
        state = response.body["state"] if response.status == 200 else None
        if state == "refused":
            return Outcome(state="refused", rule=response.body["problem"]["code"])
        return _done(response.body["record"]) if state == "done" else None

    def _any_url(self) -> str:
        return self._random.choice(self.urls)

    def _ask(
        self, url: str, path: str, *, by: str, body: Any = None, headers: Mapping[str, str] = NO_HEADERS
    ) -> Response:
        """Return an answer that settles the matter; raise Unanswered for one that does not, or for none."""
        try:
            response = request_json(url + path, token=self._token(by), body=body, headers=headers, timeout=PATIENCE)
        except NoResponse as error:
            raise Unanswered(str(error)) from error
        if _settles_nothing(response):
            raise Unanswered(str(response.body.get("code")))
        return response


def _settles_nothing(response: Response) -> bool:
    """Whether the answer is an outage or "not now", and says nothing about what was asked."""
    is_deserted = response.status == 404 and NOBODY in response.body.get("involved", ())
    return response.status == 429 or response.status >= 500 or is_deserted


def _outcome(response: Response) -> Outcome:
    return _done(response.body) if response.status == 200 else Outcome(state="refused", rule=response.body["code"])


def _done(record: Mapping[str, Any]) -> Outcome:
    return Outcome(state="done", record=record["id"], version=record["version"])
