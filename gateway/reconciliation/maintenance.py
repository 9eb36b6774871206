"""Maintenance of the gateway's copy: compared with the services, re-armed where it is behind, made anew from them.

The gateway compares by itself soon after its ledger was made anew, every `AUDIT_EVERY` seconds, and at growing
intervals for as long as something is behind.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from functools import partial
from itertools import groupby
from time import monotonic
from typing import Any

from gateway.read_model.generations import Generations
from gateway.read_model.store import Store
from gateway.reconciliation.comparison import Ask, Comparison, Difference, verify
from gateway.reconciliation.jobs import Job, Jobs, Progress
from gateway.reconciliation.rebuild import rebuild
from gateway.upstream.delegation import DelegatedCaller
from services.chassis.client import Caller
from services.chassis.mongo import database, patiently
from services.chassis.problem import Conflict, Unavailable
from services.chassis.settings import Settings
from services.chassis.upkeep import rearm_all
from services.contract import EVERY_KIND, KINDS
from services.contract.topology import HEARS, SERVICES
from services.contract.view import Kind

REARMED = 1_000  # records that one call re-arms
ALL_OF_A_KIND = 60.0  # seconds that re-arming all records of a kind may take
SOON, LATER = 10.0, 600.0  # seconds until a ledger that is new or behind is compared again; doubling while it stays so
ITSELF = "gateway"


class Maintenance:
    """The jobs that operators can start, and those that the gateway starts by itself."""

    def __init__(self, caller: Caller, settings: Settings, generations: Generations, jobs: Jobs) -> None:
        self._caller, self._settings, self._generations, self._jobs = caller, settings, generations, jobs
        self._compare_at, self._pause = 0.0, SOON
        self._rearm_at = monotonic() + settings.audit_every
        self.works: dict[str, Callable[[Ask, Mapping[str, Any], Progress], None]] = {
            "audit": self._audit,
            "rearm": self._rearm,
            "verify": self._verify,
            "rebuild": lambda ask, _, progress: rebuild(ask, self._generations, progress),
        }

    def start(self, name: str, params: Mapping[str, Any], *, by: str, rest: float = 0.0) -> Job:
        """Begin a job; `Conflict` while one of that name runs, or where one has ended within `rest` seconds."""
        work = partial(self.works[name], self._delegated(by), params)
        return self._jobs.start(name, work, by=by, why=params.get("why"), rest=rest)

    def compare_when_due(self) -> None:
        """Compare where it is due, unless another gateway does or has done; raises `Problem` where that fails."""
        every = self._settings.audit_every
        differing = self._generations.ask(lambda store: store.differing_records())
        if differing is None:
            self._check_services()
            self._rearm_by_itself(rest=SOON)
        elif every and monotonic() >= self._rearm_at:
            self._rearm_at = monotonic() + every
            self._rearm_by_itself(rest=every / 2)
        elif not any(differing.values()):
            self._compare_at, self._pause = 0.0, SOON
        elif monotonic() >= self._compare_at:
            self._compare_at, self._pause = monotonic() + self._pause, min(LATER, 2 * self._pause)
            self._compare(self._delegated(ITSELF), {}, Progress())

    def _rearm_by_itself(self, *, rest: float) -> None:
        with suppress(Conflict):
            self.start("rearm", {}, by=ITSELF, rest=rest)

    def _check_services(self) -> None:
        """Raise `Unavailable` unless every service answers."""
        for service in SERVICES:
            self._caller.call(service, "ping", {})

    def _delegated(self, by: str) -> DelegatedCaller:
        return DelegatedCaller(self._caller, self._settings.token_private_key, by=by)

    # --- the jobs ----------------------------------------------------------------------------------------------------

    def _audit(self, ask: Ask, params: Mapping[str, Any], progress: Progress) -> None:
        self._compare(ask, params, progress)
        _report_wrong_keys(ask, SERVICES, progress)

    def _rearm(self, ask: Ask, params: Mapping[str, Any], progress: Progress) -> None:
        """Have everything that is behind, or all that a listener hears, published again."""
        if listener := params.get("heard_by"):
            for kind in _heard_by(listener):
                progress.at = kind.key
                progress.done += self._rearm_all(ask, kind)
        else:
            self._compare(ask, params, progress, mend=partial(_rearm_behind, ask))

    def _rearm_all(self, ask: Ask, kind: Kind) -> int:
        if kind.service == ITSELF:
            return patiently(lambda: rearm_all(database(self._settings, ITSELF)[kind.name]))
        rearmed: int = ask(kind.service, "rearm", kind=kind.name, everything=True, timeout=ALL_OF_A_KIND)["rearmed"]
        return rearmed

    def _verify(self, ask: Ask, params: Mapping[str, Any], progress: Progress) -> None:
        kinds, store = _kinds(params), self._generations.serving()
        progress.total = patiently(lambda: store.count_records(kinds))
        away = verify(ask, store, kinds, progress)
        _report_wrong_keys(ask, [service for service in SERVICES if service not in away], progress)
        _check_exists(store)
        _check_answered(away)

    def _compare(
        self,
        ask: Ask,
        params: Mapping[str, Any],
        progress: Progress,
        mend: Callable[[list[Difference]], None] = lambda _: None,
    ) -> None:
        kinds, store = _kinds(params), self._generations.serving()
        progress.total = patiently(lambda: store.count_records(kinds))
        comparison, differing = Comparison(ask, store, progress), dict.fromkeys(SERVICES, 0)
        for lasting in comparison.lasting(kinds):
            _check_exists(store)
            _report(lasting, progress, differing)
            mend(lasting)
        if set(kinds) == set(KINDS.values()):
            compared = {service: records for service, records in differing.items() if service not in comparison.away}
            patiently(lambda: store.note_compared(compared))
        _check_answered(comparison.away)


def _report(lasting: Iterable[Difference], progress: Progress, differing: dict[str, int]) -> None:
    """Add the differences to the findings, and count them by service."""
    for difference in lasting:
        progress.add_finding(difference.document())
        differing[difference.block.kind.service] += 1


def _report_wrong_keys(ask: Ask, services: Iterable[str], progress: Progress) -> None:
    """Add a finding for each service whose sealing key does not open what was sealed."""
    for service in services:
        if ask(service, "condition").get("opens") is False:
            progress.add_finding({"service": service, "kind": "", "id": "sealing_key", "at": "key", "what": "key"})


def _rearm_behind(ask: Ask, lasting: Iterable[Difference]) -> None:
    behind = [difference for difference in lasting if difference.is_behind]
    for kind, differences in groupby(behind, lambda difference: difference.block.kind):
        versions = [(difference.id, difference.complete) for difference in differences]
        for first in range(0, len(versions), REARMED):
            ask(kind.service, "rearm", kind=kind.name, records=dict(versions[first : first + REARMED]))


def _kinds(params: Mapping[str, Any]) -> list[Kind]:
    return [KINDS[key] for key in params.get("kinds") or KINDS]


def _heard_by(listener: str) -> list[Kind]:
    return [EVERY_KIND[key] for key in dict.fromkeys(line.rpartition(".")[0] for line in HEARS[listener])]


def _check_exists(store: Store) -> None:
    """Raise `Unavailable` where the ledger was dropped, since what was read of it means nothing."""
    if not patiently(store.exists):
        raise Unavailable("The ledger was made anew meanwhile.", "台账已在此期间重建。")


def _check_answered(away: Iterable[str]) -> None:
    if names := ", ".join(sorted(away)):
        raise Unavailable(f"{names} did not answer; the others were compared.", f"{names} 无响应；其余服务已比对。")
