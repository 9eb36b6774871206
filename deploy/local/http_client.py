"""HTTP requests by the standard library, for everything in deploy that asks something over HTTP."""

from __future__ import annotations

import http.client
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from deploy.errors import CommandFailed


class NotReached(CommandFailed):
    """Nothing answers at an address, or it answers that it cannot now."""


@contextmanager
def request(
    url: str,
    *,
    method: str = "GET",
    data: Any = None,
    headers: Mapping[str, str] = MappingProxyType({}),
    trust: ssl.SSLContext | None = None,
    within: float,
) -> Iterator[Any]:
    """Send a request and yield the response, a file of its body, within so many seconds.

    Raises urllib's `HTTPError` for a status of 400 or more, and `NotReached` where no response comes.
    """
    sent = Request(url, data=data, method=method, headers=dict(headers))  # noqa: S310 - the operator names the address
    try:
        with urlopen(sent, timeout=within, context=trust) as response:  # noqa: S310 - as above
            yield response
    except HTTPError:
        raise
    except (OSError, http.client.HTTPException) as error:
        cause = getattr(error, "reason", None) or error
        raise NotReached(f"{_origin(url)} does not answer ({cause}).") from None


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
