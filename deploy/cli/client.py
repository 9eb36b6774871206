"""The gateway as operators' commands reach it."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote, urlencode
from urllib.request import Request, urlopen

from deploy.errors import Trouble
from deploy.local import stack_file
from deploy.local.home import Home
from deploy.local.home_keys import token_keys

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
    trust: ssl.SSLContext | None = None  # none: the system's

    @classmethod
    def of_the_environment(cls, roles: tuple[str, ...] = ("operator",)) -> Gateway:
        """`GATEWAY_URL` with `KEXIE_TOKEN` where they are set, else the stack of the home and a token of its key.

        Whoever has the gateway's key (`TOKEN_PRIVATE_KEY`) needs no token: so the first user is added anywhere.
        `KEXIE_CA` names who signed the gateway's certificate, where that is nobody whom the system knows.
        """
        url, token = os.environ.get("GATEWAY_URL"), os.environ.get("KEXIE_TOKEN")
        if url and not token and not os.environ.get("TOKEN_PRIVATE_KEY"):
            raise Trouble("GATEWAY_URL is set and KEXIE_TOKEN is not: an operator's token is needed.")
        home, authority = Home.of_the_environment(), os.environ.get("KEXIE_CA")
        trust = ssl.create_default_context()
        if authority:
            trust.load_verify_locations(authority)
        return cls(url or stack_file.addresses(home).gateway_url, token or _token(home, roles), trust=trust)

    def at(self, below: str) -> Gateway:
        return replace(self, below=below)

    def get(self, *path: str, **asked: Any) -> Any:
        return self._ask("GET", path, asked=asked)

    def post(self, *path: str, **said: Any) -> Any:
        body = {name: value for name, value in said.items() if value is not None}
        return self._ask("POST", path, data=json.dumps(body).encode())

    def upload(self, file: Path, *path: str, key: str, **asked: Any) -> Any:
        """Send a file as it is; the same key again is the same request."""
        headers = {
            "Idempotency-Key": key,
            "Content-Type": "application/octet-stream",
            "Content-Length": str(file.stat().st_size),
        }
        with file.open("rb") as content:
            return self._ask("POST", path, asked={**asked, "filename": file.name}, data=content, headers=headers)

    def save(self, *path: str, into: Path) -> None:
        """Save the file that is there."""
        with self._open("GET", path) as answer, into.open("wb") as file:
            shutil.copyfileobj(answer, file)

    def _ask(self, method: str, path: tuple[str, ...], *, data: Any = None, **said: Any) -> Any:
        with self._open(method, path, data=data, **said) as answer:
            try:
                return json.load(answer)
            except ValueError as error:
                raise NotReached(f"{self.url} does not answer ({error}).") from None

    @contextmanager
    def _open(
        self,
        method: str,
        path: tuple[str, ...],
        *,
        asked: Mapping[str, Any] = MappingProxyType({}),
        data: Any = None,
        headers: Mapping[str, str] = MappingProxyType({"Content-Type": "application/json"}),
    ) -> Iterator[Any]:
        address = "/".join((self.url.rstrip("/"), "api/v1", self.below, *(quote(part, safe="") for part in path)))
        query = urlencode({name: value for name, value in asked.items() if value is not None})
        request = Request(  # noqa: S310 - the operator says where
            f"{address}?{query}" if query else address,
            data=data,
            method=method,
            headers={"Authorization": f"Bearer {self.token}", "Accept-Language": "en", **headers},
        )
        try:
            with urlopen(request, timeout=WITHIN, context=self.trust) as answer:  # noqa: S310
                yield answer
        except HTTPError as error:
            raise _told(error) from None
        except (OSError, http.client.HTTPException) as error:
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


def _token(home: Home, roles: tuple[str, ...]) -> str:
    return token_keys(home).token(subject="operator", roles=roles, lifetime=TOKEN_HOLDS)
