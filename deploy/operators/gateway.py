"""The gateway as operators' commands reach it."""

from __future__ import annotations

import http.client
import json
import os
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote, urlencode
from urllib.request import Request, urlopen

from deploy import stack
from deploy.home import Home
from deploy.keys import Keys
from deploy.trouble import Trouble

WITHIN = 15.0  # seconds that an answer may take
TOKEN_HOLDS = timedelta(hours=1)
NOT_NOW = (429, 503)
LONGEST = 300  # characters of an answer that is not ours


class NotReached(Trouble):
    """Nobody answers there, or only that it cannot answer now."""


class Refused(Trouble):
    """The gateway said no; `status` is HTTP's."""

    def __init__(self, status: int, said: str) -> None:
        super().__init__(said)
        self.status = status


@dataclass(frozen=True)
class Gateway:
    """Every method answers JSON and raises `NotReached` or `Refused`; paths are those below one of the API's."""

    url: str
    token: str
    below: str = "operations"

    @classmethod
    def of_the_environment(cls) -> Gateway:
        """`GATEWAY_URL` with `KEXIE_TOKEN` where they are set, else the stack of the home and a token of its key."""
        url, token = os.environ.get("GATEWAY_URL"), os.environ.get("KEXIE_TOKEN")
        if url and not token:
            raise Trouble("GATEWAY_URL is set and KEXIE_TOKEN is not: an operator's token is needed.")
        home = Home.of_the_environment()
        return cls(url or stack.addresses(home).gateway_url, token or _token(home))

    def at(self, below: str) -> Gateway:
        return replace(self, below=below)

    def get(self, *path: str, **asked: Any) -> Any:
        query = urlencode({name: value for name, value in asked.items() if value is not None})
        return self._ask("GET", path, query=query)

    def post(self, *path: str, **said: Any) -> Any:
        return self._ask("POST", path, body={name: value for name, value in said.items() if value is not None})

    def _ask(self, method: str, path: tuple[str, ...], *, query: str = "", body: Any = None) -> Any:
        address = "/".join((self.url.rstrip("/"), "api/v1", self.below, *(quote(part, safe="") for part in path)))
        request = Request(  # noqa: S310 - the operator says where
            f"{address}?{query}" if query else address,
            data=None if body is None else json.dumps(body).encode(),
            method=method,
            headers={
                "Authorization": f"Bearer {self.token}",
                "Content-Type": "application/json",
                "Accept-Language": "en",
            },
        )
        try:
            with urlopen(request, timeout=WITHIN) as answer:  # noqa: S310
                return json.load(answer)
        except HTTPError as error:
            raise _told(error) from None
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise NotReached(f"{self.url} does not answer ({_cause(error)}).") from None


def _told(error: HTTPError) -> Trouble:
    """The problem in its own words."""
    text = error.read().decode("utf-8", "replace")
    try:
        said = json.loads(text)["en"]
    except (ValueError, KeyError, TypeError):
        said = text[:LONGEST]
    return NotReached(said) if error.code in NOT_NOW else Refused(error.code, said)


def _cause(error: Exception) -> object:
    return getattr(error, "reason", None) or error


def _token(home: Home) -> str:
    return Keys.of(home).token(subject="operator", roles=("operator",), lifetime=TOKEN_HOLDS)
