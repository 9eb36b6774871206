"""Recovery: the time until a new command of every service is answered, and its record shown by a gateway."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from datetime import timedelta
from random import Random
from time import monotonic

import eventlet
from eventlet.greenthread import GreenThread

from tests.chaos.load.clerks import Load
from tests.chaos.load.clients import Http, Unanswered
from tests.chaos.world.outside_bureau import NAME as BUREAU
from tests.chaos.world.world import World

WITHIN = 60.0  # seconds
LOOK = 0.1  # seconds between two questions at a gateway
LIFETIME = timedelta(days=2)  # of the token

Arguments = Mapping[str, object]


def _a_prize(n: str) -> Arguments:
    return {
        "result_id": f"probe-{n}", "series": "youth_contest", "level": "province", "edition_no": 26, "grade": "second",
        "category": "science_idea", "award_kind": "graded", "title": f"试作 {n}", "first_entrant": "p-1",
        "awarded_on": "2011-04-10", "document_sha256": "b" * 64,
    }  # fmt: skip


def _a_venue(n: str) -> Arguments:
    return {"venue_id": f"probe-{n}", "venue_kind": "hall", "name": "馆", "district": "511102"}


def _a_grant(n: str) -> Arguments:
    return {
        "grant_id": f"probe-{n}", "source_level": "province", "issuer_level": "province", "approved_fen": 900,
        "decision_doc_no": f"川科协发测{n}号", "approved_on": "2011-03-01", "district": "511102",
    }  # fmt: skip


def _a_university(n: str) -> Arguments:
    return {
        "organisation_id": f"probe-{n}", "name": f"学校 {n}", "organisation_kind": "university",
        "institution_id": f"probe-{n}", "district": "511102", "workers_count": 300,
    }  # fmt: skip


PROBES: tuple[tuple[str, str, str, str, Callable[[str], Arguments]], ...] = (
    ("u-li", "awards", "report_external_result", "external_result", _a_prize),
    ("u-li", "outreach", "register_venue", "venue", _a_venue),
    (BUREAU, "outreach", "register_venue", "venue", _a_venue),
    ("u-zhang", "rural", "approve_grant", "fund_grant", _a_grant),
    ("u-li", "members", "create_organisation", "organisation", _a_university),
)
"""A command of each service that needs nothing before it, and one through the door.

Person, service, method, kind of record, arguments.
"""


class Recovery:
    """Measures recovery by commands that go through the load, so that they are in the log as well."""

    def __init__(self, world: World, load: Load) -> None:
        token = world.keys.token(subject="u-viewer", roles=("viewer",), lifetime=LIFETIME)
        self._http = Http(world.gateway_urls, lambda _: token, Random(0))
        self._give = load.give
        self._numbers = itertools.count(1)

    def seconds(self) -> float | None:
        """Wait until everything works; return the seconds from now, None where it takes longer than a minute."""
        began, number = monotonic(), next(self._numbers)
        probes = [eventlet.spawn(self._probe, number, *probe) for probe in PROBES]
        try:
            with eventlet.Timeout(WITHIN):
                _await_all(probes)
        except eventlet.Timeout:
            _kill_all(probes)
            return None
        return monotonic() - began

    def _probe(
        self, number: int, by: str, service: str, method: str, kind: str, arguments: Callable[[str], Arguments]
    ) -> None:
        name = f"{by}-{number}"
        self._give(by, service, method, arguments(name))
        path = f"/api/v1/records/{service}/{kind}/probe-{name}/history"
        while not any(self._shows(url, path) for url in self._http.urls):
            eventlet.sleep(LOOK)

    def _shows(self, url: str, path: str) -> bool:
        try:
            return self._http.get(url, path, by="u-viewer").status == 200
        except Unanswered:
            return False


def _await_all(probes: list[GreenThread]) -> None:
    for probe in probes:
        probe.wait()


def _kill_all(probes: list[GreenThread]) -> None:
    for probe in probes:
        probe.kill()
