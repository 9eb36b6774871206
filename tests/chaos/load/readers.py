"""Readers: people at the gateways who read again and again, and must never see a number or a record go back (I6)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from random import Random

import eventlet

from tests.chaos.load.clients import Http, Unanswered
from tests.chaos.log.finding import Finding

CODES = ("K1", "K2", "K4", "K5", "K6")
PAUSE = 0.5  # seconds between two looks of one reader
REMEMBERED = 5_000  # records and numbers


@dataclass(frozen=True, slots=True)
class Answered:
    """A record at the version with which its service answered a command."""

    service: str
    kind: str
    record: str
    version: int


class Readers:
    """Two readers for each gateway: one of the numbers, one of the records whose commands were answered lately."""

    def __init__(self, http: Http, recent: Sequence[Answered], random: Random, find: Callable[[Finding], None]) -> None:
        self._http, self._recent, self._random, self._find = http, recent, random, find
        self._seen: dict[tuple[str, str], int] = {}

    def tasks(self, is_working: Callable[[], bool]) -> Iterator[Callable[[], None]]:
        """Make the task of each reader, which ends when `is_working` says so."""
        for url in self._http.urls:
            for look in (self._look_at_a_number, self._look_at_a_record):
                yield partial(self._keep, partial(look, url), is_working)

    def _keep(self, look: Callable[[], None], is_working: Callable[[], bool]) -> None:
        while is_working():
            with suppress(Unanswered):  # this gateway is away, or says that it cannot answer
                look()
            eventlet.sleep(PAUSE)

    def _look_at_a_number(self, url: str) -> None:
        code = self._random.choice(CODES)
        response = self._http.get(url, f"/api/v1/kpis/{code}", by="u-viewer")
        if response.status == 200:
            self._note(url, code, response.body["revision"])

    def _look_at_a_record(self, url: str) -> None:
        if not self._recent:
            return
        recent = self._random.choice(self._recent)
        path = f"/api/v1/records/{recent.service}/{recent.kind}/{recent.record}/history"
        response = self._http.get(url, path, by="u-viewer")
        newest = max(row["version"] for row in response.body["versions"]) if response.status == 200 else 0
        self._note(url, f"{recent.kind} {recent.record}", newest)

    def _note(self, url: str, subject: str, version: int) -> None:
        before = self._seen.get((url, subject), 0)
        if version < before:
            self._find(Finding("I6", f"{subject} at {url} went back from {before} to {version}"))
        if len(self._seen) >= REMEMBERED:
            self._seen.clear()
        self._seen[url, subject] = version
