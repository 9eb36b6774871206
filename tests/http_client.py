"""One HTTP client for chaos and the trial of containers: JSON to a gateway and back, one connection for each request.

Unlike the operators' client (`deploy.cli.client`) it returns every status with its body, because the answers "not now"
and "no" are what these programs look at. Benchmarks that measure a gateway's speed use `tests.bench.clients`, which
keeps connections open: opening one for each request would be most of what they measure.
"""

from __future__ import annotations

import json
import ssl
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPException
from types import MappingProxyType
from typing import Any

NO_HEADERS: Mapping[str, str] = MappingProxyType({})


class NoResponse(Exception):
    """No response in JSON came back, so that nobody knows what became of the request."""


@dataclass(frozen=True)
class Response:
    """A status of HTTP and a body in JSON."""

    status: int
    body: Any


def request_json(
    url: str,
    *,
    token: str,
    timeout: float,
    body: Any = None,
    headers: Mapping[str, str] = NO_HEADERS,
    trust: ssl.SSLContext | None = None,
) -> Response:
    """POST the body, or GET without one; raise NoResponse at an outage or after `timeout` seconds of silence."""
    request = urllib.request.Request(  # noqa: S310 - always a gateway that this program started
        url,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json", **headers},
    )
    try:
        return _response(request, timeout, trust)
    except (OSError, HTTPException, ValueError) as error:
        raise NoResponse(type(error).__name__) from error


def _response(request: urllib.request.Request, timeout: float, trust: ssl.SSLContext | None) -> Response:
    try:
        with urllib.request.urlopen(request, timeout=timeout, context=trust) as response:  # noqa: S310 - as above
            return Response(response.status, json.load(response))
    except urllib.error.HTTPError as error:
        with error:
            return Response(error.code, json.load(error))
