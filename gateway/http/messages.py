"""Requests as endpoints read them, and replies as they make them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from ipaddress import IPv6Address, ip_address
from types import MappingProxyType
from typing import Any

from werkzeug import wrappers

from gateway.http.session import Session
from services.chassis.health import Answer
from services.chassis.tokens import Actor
from services.contract import wire

JSON, PROBLEM = "application/json", "application/problem+json"

MOMENT = "as_of"
"""The instant at which an answer was made: another one each time, though nothing else may have changed."""

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
    headers: Mapping[str, str | list[str]] = field(default_factory=dict)
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
        if isinstance(self.body, Mapping) and MOMENT in self.body:
            response.lasting = wire.encode({name: part for name, part in self.body.items() if name != MOMENT})
        return response


class Response(wrappers.Response):
    """A response that may carry its body in gzip, and without its moment, for `caching.finish`."""

    compressed: bytes | None = None  # the body in gzip, where it was compressed before
    lasting: bytes | None = None  # the body without its moment, where it has one


class Request(wrappers.Request):
    """A request with what the endpoint has read of it.

    `params` are its parameters and `body` its JSON, both checked as the endpoint declares them. `actor` is the caller,
    by a verified token or a session; at a public address it is nobody.
    """

    route = "-"  # the pattern of its address; "-" until it is matched
    path_values: Mapping[str, Any]
    params: Mapping[str, Any] = MappingProxyType({})
    body: Mapping[str, Any]
    actor = NOBODY
    session: Session | None = None
    identified_by: str | None = None  # "token", "session", or the login that was tried
    token_id: str | None = None
    command_id: str | None = None
    is_noted = False  # in the audit trail, though it only reads
    while_it_comes_in: Callable[[], AbstractContextManager[None]] = nullcontext
    """Has to be entered to read the body, which may take as long as its sender likes."""

    @property
    def socket(self) -> Any:
        """The connection that it came in on."""
        return self.environ["eventlet.input"].get_socket()

    @property
    def owed(self) -> int:
        """The bytes of its body, at most."""
        most: int = self.max_content_length or 0
        return most if "wsgi.input_terminated" in self.environ else min(self.content_length or 0, most)

    @property
    def network(self) -> str:
        """Where it comes from, as far as limits for one address are concerned."""
        return network(self.remote_addr or "")

    @property
    def caller(self) -> str:
        """Whom limits for one caller count it for: an id where the caller is known, else an address."""
        return self.actor.id or f"at {self.network}"

    @property
    def is_known(self) -> bool:
        """True where the caller has an account or a token."""
        return bool(self.actor.id)

    @property
    def content(self) -> bytes:
        """The whole body; raises `RequestEntityTooLarge`, also for a chunked body, which is never silently cut off."""
        content = self.get_data()
        self.stream.read(1)
        return content


def network(address: str) -> str:
    """The address that one customer of a network has: of IPv6 it is the first half, as the rest is free to choose."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if not isinstance(parsed, IPv6Address):
        return address
    return str(parsed.ipv4_mapped or IPv6Address(int(parsed) >> 64 << 64))
