"""The gateway's API as operators' commands call it."""

from __future__ import annotations

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

from deploy.errors import CommandFailed
from deploy.local import http_client, stack_file
from deploy.local.home import Home
from deploy.local.home_keys import token_keys
from deploy.local.http_client import NotReached

WITHIN = 15.0  # seconds for a response
TOKEN_HOLDS = timedelta(hours=1)
NOT_NOW = (429, 503)
LONGEST = 300  # characters shown of a response that is no problem document

JSON = MappingProxyType({"Content-Type": "application/json"})


class Refused(CommandFailed):
    """A response of the gateway that is an error; `status` is HTTP's."""

    def __init__(self, status: int, problem: str) -> None:
        super().__init__(problem)
        self.status = status


@dataclass(frozen=True)
class Gateway:
    """A client of the gateway's JSON API; paths are those below one section of it.

    Every method raises `NotReached` or `Refused`.
    """

    url: str
    token: str
    below: str = "operations"
    trust: ssl.SSLContext | None = None  # None: the system's authorities

    @classmethod
    def of_the_environment(cls, roles: tuple[str, ...] = ("operator",)) -> Gateway:
        """Return a client for `GATEWAY_URL` with `KEXIE_TOKEN`, or for the stack of the home with a token of its key.

        With the gateway's key (`TOKEN_PRIVATE_KEY`) no token is needed: so the first user is added anywhere.
        `KEXIE_CA` names the authority of the gateway's certificate where the system does not know it.
        """
        url, token = os.environ.get("GATEWAY_URL"), os.environ.get("KEXIE_TOKEN")
        if url and not token and not os.environ.get("TOKEN_PRIVATE_KEY"):
            raise CommandFailed("GATEWAY_URL is set and KEXIE_TOKEN is not: an operator's token is needed.")

        home, authority = Home.of_the_environment(), os.environ.get("KEXIE_CA")
        trust = ssl.create_default_context()
        if authority:
            trust.load_verify_locations(authority)
        return cls(url or stack_file.addresses(home).gateway_url, token or _token(home, roles), trust=trust)

    def at(self, below: str) -> Gateway:
        """Return the same client for another section, such as `imports`."""
        return replace(self, below=below)

    def get(self, *path: str, **parameters: Any) -> Any:
        """GET a document; parameters that are None are left out."""
        return self._json("GET", path, parameters=parameters)

    def every(self, *path: str, limit: int, **parameters: Any) -> Iterator[Any]:
        """Yield all items of a list, `limit` a page."""
        cursor = None
        while True:
            page = self.get(*path, **parameters, cursor=cursor, limit=limit)
            yield from page["items"]
            cursor = page["cursor"]
            if cursor is None:
                return

    def post(self, *path: str, **body: Any) -> Any:
        """POST a JSON object and return the response's; members that are None are left out."""
        present = {name: value for name, value in body.items() if value is not None}
        return self._json("POST", path, data=json.dumps(present).encode())

    def upload(self, file: Path, *path: str, key: str, **parameters: Any) -> Any:
        """POST a file as it is; the same idempotency key again is the same request."""
        headers = {
            "Idempotency-Key": key,
            "Content-Type": "application/octet-stream",
            "Content-Length": str(file.stat().st_size),
        }
        with file.open("rb") as content:
            return self._json(
                "POST", path, parameters={**parameters, "filename": file.name}, data=content, headers=headers
            )

    def save(self, *path: str, into: Path) -> None:
        """Download a file."""
        with self._open("GET", path) as response, into.open("wb") as file:
            shutil.copyfileobj(response, file)

    def _json(self, method: str, path: tuple[str, ...], *, data: Any = None, **options: Any) -> Any:
        with self._open(method, path, data=data, **options) as response:
            try:
                return json.load(response)
            except ValueError as error:
                raise NotReached(f"{self.url} does not answer ({error}).") from None

    @contextmanager
    def _open(
        self,
        method: str,
        path: tuple[str, ...],
        *,
        parameters: Mapping[str, Any] = MappingProxyType({}),
        data: Any = None,
        headers: Mapping[str, str] = JSON,
    ) -> Iterator[Any]:
        address = "/".join((self.url.rstrip("/"), "api/v1", self.below, *(quote(part, safe="") for part in path)))
        query = urlencode({name: value for name, value in parameters.items() if value is not None})
        sent = {"Authorization": f"Bearer {self.token}", "Accept-Language": "en", **headers}
        try:
            with http_client.request(
                f"{address}?{query}" if query else address,
                method=method, data=data, headers=sent, trust=self.trust, within=WITHIN,
            ) as response:  # fmt: skip
                yield response
        except HTTPError as error:
            raise _problem(error) from None


def _problem(error: HTTPError) -> CommandFailed:
    """The problem document's own sentence, or the beginning of a response that is none."""
    text = error.read().decode("utf-8", "replace")
    try:
        sentence = json.loads(text)["en"]
    except (ValueError, KeyError, TypeError):
        sentence = text[:LONGEST]
    return NotReached(sentence) if error.code in NOT_NOW else Refused(error.code, sentence)


def _token(home: Home, roles: tuple[str, ...]) -> str:
    return token_keys(home).token(subject="operator", roles=roles, lifetime=TOKEN_HOLDS)
