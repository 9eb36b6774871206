"""Requests and replies: JSON answers, and every error as problem+json in the caller's language and in both."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from werkzeug import wrappers

from gateway.http.session import Session
from services.chassis.health import Answer
from services.chassis.tokens import Actor
from services.contract import wire

JSON, PROBLEM = "application/json", "application/problem+json"

NOBODY = Actor("")


NOT_STORED = {"Cache-Control": "no-store"}
"""A header for what its reader alone may see."""


@dataclass(frozen=True)
class Reply:
    """An answer with headers, or one that is no JSON; whatever else a method returns is sent as JSON.

    A body that is an iterator of bytes is sent piece by piece, after the method's worker has ended.
    """

    body: Any
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = JSON
    packed: bytes | None = None  # the body in gzip, where it was packed before

    @staticmethod
    def of(said: Answer) -> Reply:
        """What a process says of its health."""
        status, content_type, body = said
        return Reply(body, status, content_type=content_type)

    def response(self) -> Response:
        body = self.body if isinstance(self.body, bytes | Iterator) else wire.encode(self.body)
        response = Response(body, self.status, dict(self.headers), content_type=self.content_type)
        response.packed = self.packed
        return response


class Response(wrappers.Response):
    """An answer on its way out."""

    packed: bytes | None = None


class Request(wrappers.Request):
    """A request with what the endpoint has read of it.

    `params` are its parameters and `body` its JSON, both checked as the endpoint declares them. `token` is the
    caller's, verified, and `actor` is who that is; at a public address there is neither. A caller with a session has a
    token that the gateway signed for this request.
    """

    route = "-"  # of the address that it asks at
    path_values: Mapping[str, Any]
    params: Mapping[str, Any]
    body: Mapping[str, Any]
    token: str | None = None
    actor = NOBODY
    session: Session | None = None
    identified_by: str | None = None  # token, session, or the login that was tried
    token_id: str | None = None
    command_id: str | None = None

    @property
    def content(self) -> bytes:
        """The whole body; one that is too long raises, also where it comes in chunks and could be cut off unseen."""
        found = self.get_data()
        self.stream.read(1)
        return found
