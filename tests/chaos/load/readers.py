"""Readers: people at the gateways who look again and again, and must never see anything go back (I6)."""

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
class Told:
    """A record at the version that its service said."""

    service: str
    kind: str
    record: str
    version: int


class Readers:
    """Two for each gateway: one of the numbers, one of the records that were told of lately."""

    def __init__(self, http: Http, recent: Sequence[Told], random: Random, find: Callable[[Finding], None]) -> None:
        self._http, self._recent, self._random, self._find = http, recent, random, find
        self._seen: dict[tuple[str, str], int] = {}

    def tasks(self, is_working: Callable[[], bool]) -> Iterator[Callable[[], None]]:
        for url in self._http.urls:
            for look in (self._look_at_a_number, self._look_at_a_record):
                yield partial(self._keep, partial(look, url), is_working)

    def _keep(self, look: Callable[[], None], is_working: Callable[[], bool]) -> None:
        while is_working():
            with suppress(Unanswered):  # this one is away, or says so
                look()
            eventlet.sleep(PAUSE)

    def _look_at_a_number(self, url: str) -> None:
        code = self._random.choice(CODES)
        status, said = self._http.get(url, f"/api/v1/kpis/{code}", by="u-viewer")
        if status == 200:
            self._note(url, code, said["revision"])

    def _look_at_a_record(self, url: str) -> None:
        if not self._recent:
            return
        one = self._random.choice(self._recent)
        path = f"/api/v1/records/{one.service}/{one.kind}/{one.record}/history"
        status, said = self._http.get(url, path, by="u-viewer")
        newest = max(row["version"] for row in said["versions"]) if status == 200 else 0
        self._note(url, f"{one.kind} {one.record}", newest)

    def _note(self, url: str, what: str, version: int) -> None:
        before = self._seen.get((url, what), 0)
        if version < before:
            self._find(Finding("I6", f"{what} at {url} went back from {before} to {version}"))
        if len(self._seen) >= REMEMBERED:
            self._seen.clear()
        self._seen[url, what] = version
