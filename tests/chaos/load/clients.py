"""The doors that a command can go through: RPC, and the gateways' HTTP. Each asks once and says what was answered."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from http.client import HTTPException
from random import Random
from typing import Any

import eventlet

from services.chassis.client import Caller
from services.chassis.problem import Malfunction, NotFound, Overloaded, Problem, Unavailable
from services.chassis.settings import Settings
from tests.chaos.log.command_log import Command, Outcome

PATIENCE = 3.0  # seconds for one try
LOOK = 0.3  # seconds between two questions after a command that was accepted for later
HANDED_ON_WITHIN = 200.0  # seconds for such a command
NOBODY = "method"  # what "not found" names where a service's queue is gone, and not a record

Token = Callable[[str], str]
"""Who gives a command -> the token."""


class Unanswered(Exception):
    """Nobody knows what became of it; it may be sent again."""


class Forgotten(Exception):
    """A gateway accepted it, and knows nothing of it any more."""


class Rpc:
    """Straight to the services."""

    def __init__(self, settings: Settings, token: Token) -> None:
        self._caller = Caller(settings, "clerks")
        self._token = token

    def open(self) -> None:
        self._reading = eventlet.spawn(self._caller.link.run)

    def close(self) -> None:
        self._caller.link.stop()
        self._reading.wait()

    def give(self, command: Command) -> Outcome:
        """Raises Unanswered."""
        given = {**command.arguments, "command_id": command.id}
        try:
            return _done(self._call(command.by, command.service, command.method, given))
        except Problem as problem:
            return Outcome(state="refused", rule=problem.code)

    def get(self, by: str, service: str, kind: str, record: str) -> Mapping[str, Any] | None:
        """The record as its service tells it, None where it has none; raises Unanswered."""
        try:
            found: Mapping[str, Any] = self._call(by, service, f"get_{kind}", {"id": record})
        except Problem:
            return None
        return found

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
    """Over any of the gateways; a command that is accepted for later is asked after until it is settled."""

    def __init__(self, urls: Sequence[str], token: Token, random: Random) -> None:
        self.urls = tuple(urls)
        self._token = token
        self._random = random

    def give(self, command: Command) -> Outcome:
        """Raises Unanswered and Forgotten."""
        path, key = f"/api/v1/{command.service}/{command.method}", {"Idempotency-Key": command.id}
        status, said = self._ask(self._any(), path, by=command.by, body=command.arguments, headers=key)
        return self._in_the_end(command) if status == 202 else _outcome(status, said)

    def get(self, url: str, path: str, *, by: str) -> tuple[int, Any]:
        """Raises Unanswered."""
        return self._ask(url, path, by=by)

    def _in_the_end(self, command: Command) -> Outcome:
        deadline = time.monotonic() + HANDED_ON_WITHIN
        while time.monotonic() < deadline:
            eventlet.sleep(LOOK)
            try:
                status, said = self._ask(self._any(), f"/api/v1/commands/{command.id}", by=command.by)
            except Unanswered:
                continue
            if status == 404:
                raise Forgotten(command.id)
            if status == 200 and said["state"] == "done":
                return _done(said["record"])
            if status == 200 and said["state"] == "refused":
                return Outcome(state="refused", rule=said["problem"]["code"])
        raise Unanswered("accepted, and not handed on")

    def _any(self) -> str:
        return self._random.choice(self.urls)

    def _ask(
        self, url: str, path: str, *, by: str, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, Any]:
        """Status and answer of what is not our mistake or an outage."""
        content = None if body is None else json.dumps(body).encode()
        told = {"Authorization": f"Bearer {self._token(by)}", "Content-Type": "application/json", **(headers or {})}
        request = urllib.request.Request(url + path, data=content, headers=told)  # noqa: S310 - our own gateway
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as answer:  # noqa: S310
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, _read(error)
        except (OSError, HTTPException, ValueError) as error:
            raise Unanswered(type(error).__name__) from error


def _read(error: urllib.error.HTTPError) -> Any:
    """The problem; raises Unanswered for one that says nothing about what was asked."""
    try:
        said = json.load(error)
    except (OSError, HTTPException, ValueError) as broken:
        raise Unanswered(type(broken).__name__) from broken
    if error.code == 429 or error.code >= 500 or (error.code == 404 and NOBODY in said.get("involved", ())):
        raise Unanswered(str(said.get("code")))
    return said


def _outcome(status: int, said: Mapping[str, Any]) -> Outcome:
    return _done(said) if status == 200 else Outcome(state="refused", rule=said["code"])


def _done(said: Mapping[str, Any]) -> Outcome:
    return Outcome(state="done", record=said["id"], version=said["version"])
