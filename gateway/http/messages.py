"""Requests as endpoints read them, and replies as they make them."""

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
"""The actor of a request that nobody was asked to identify."""

NOT_STORED = {"Cache-Control": "no-store"}
"""A header for answers that no cache may keep, not even the reader's own."""


@dataclass(frozen=True)
class Reply:
    """An answer with headers, or one that is not JSON; any other value that a method returns is sent as JSON.

    A body that is an iterator of bytes is sent chunk by chunk, after the method's worker has ended.
    """

    body: Any
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = JSON
    compressed: bytes | None = None  # the body in gzip, where it was compressed before

    @staticmethod
    def of_health(answer: Answer) -> Reply:
        """Answer as the process's own health port does."""
        status, content_type, body = answer
        return Reply(body, status, content_type=content_type)

    def response(self) -> Response:
        """Make the response; a body that is neither bytes nor an iterator is written as JSON."""
        body = self.body if isinstance(self.body, bytes | Iterator) else wire.encode(self.body)
        response = Response(body, self.status, dict(self.headers), content_type=self.content_type)
        response.compressed = self.compressed
        return response


class Response(wrappers.Response):
    """A response that may carry its body in gzip, so that `caching.finish` need not compress it."""

    compressed: bytes | None = None  # the body in gzip, where it was compressed before


class Request(wrappers.Request):
    """A request with what the endpoint has read of it.

    `params` are its parameters and `body` its JSON, both checked as the endpoint declares them. `actor` is the caller,
    by a verified token or a session; at a public address it is nobody.
    """

    route = "-"  # the pattern of its address; "-" until it is matched
    path_values: Mapping[str, Any]
    params: Mapping[str, Any]
    body: Mapping[str, Any]
    actor = NOBODY
    session: Session | None = None
    identified_by: str | None = None  # "token", "session", or the login that was tried
    token_id: str | None = None
    command_id: str | None = None

    @property
    def content(self) -> bytes:
        """The whole body; raises `RequestEntityTooLarge`, also for a chunked body, which is never silently cut off."""
        content = self.get_data()
        self.stream.read(1)
        return content
