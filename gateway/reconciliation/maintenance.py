"""Upkeep of the gateway's copy: compared with the services, re-armed where it is behind, made anew from them.

The gateway compares by itself soon after its ledger was made anew, every `AUDIT_EVERY` seconds, and soon again for as
long as something is behind.
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
from gateway.reconciliation.jobs import Document, Jobs, Progress
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
    """The jobs that operators can have done, and what the gateway has done by itself."""

    def __init__(self, caller: Caller, settings: Settings, generations: Generations, jobs: Jobs) -> None:
        self._caller, self._settings, self._generations, self._jobs = caller, settings, generations, jobs
        self._look_at, self._pause = 0.0, SOON
        self._rearm_at = monotonic() + settings.audit_every
        self.works: dict[str, Callable[[Ask, Mapping[str, Any], Progress], None]] = {
            "audit": self._audit,
            "rearm": self._rearm,
            "verify": self._verify,
            "rebuild": lambda ask, _, progress: rebuild(ask, self._generations, progress),
        }

    def start(self, name: str, asked: Mapping[str, Any], *, by: str, rest: float = 0.0) -> Document:
        """The job, begun; `Conflict` while one of that name runs."""
        work = partial(self.works[name], self._asking(by), asked)
        return self._jobs.start(name, work, by=by, why=asked.get("why"), rest=rest)

    def tend(self) -> None:
        """Compare where it is due, unless another gateway does or has done; raises `Problem` where that fails."""
        every, compared = self._settings.audit_every, self._generations.ask(lambda store: store.differing_records())
        if compared is None:
            self._check_all_are_here()
            self._rearm_by_itself(rest=SOON)
        elif every and monotonic() >= self._rearm_at:
            self._rearm_at = monotonic() + every
            self._rearm_by_itself(rest=every / 2)
        elif not any(compared.values()):
            self._look_at, self._pause = 0.0, SOON
        elif monotonic() >= self._look_at:
            self._look_at, self._pause = monotonic() + self._pause, min(LATER, 2 * self._pause)
            self._compare(self._asking(ITSELF), {}, Progress())

    def _rearm_by_itself(self, *, rest: float) -> None:
        with suppress(Conflict):
            self.start("rearm", {}, by=ITSELF, rest=rest)

    def _check_all_are_here(self) -> None:
        for service in SERVICES:
            self._caller.call(service, "ping", {})

    def _asking(self, by: str) -> DelegatedCaller:
        return DelegatedCaller(self._caller, self._settings.token_private_key, by=by)

    # --- the jobs ----------------------------------------------------------------------------------------------------

    def _audit(self, ask: Ask, asked: Mapping[str, Any], progress: Progress) -> None:
        self._compare(ask, asked, progress)

    def _rearm(self, ask: Ask, asked: Mapping[str, Any], progress: Progress) -> None:
        """Whatever is behind, or all that a listener hears, comes again as events."""
        if listener := asked.get("heard_by"):
            for kind in _heard_by(listener):
                progress.at = kind.key
                progress.done += self._rearm_all(ask, kind)
        else:
            self._compare(ask, asked, progress, mend=partial(_rearm_what_is_behind, ask))

    def _rearm_all(self, ask: Ask, kind: Kind) -> int:
        if kind.service == ITSELF:
            return patiently(lambda: rearm_all(database(self._settings, ITSELF)[kind.name]))
        rearmed: int = ask(kind.service, "rearm", kind=kind.name, everything=True, timeout=ALL_OF_A_KIND)["rearmed"]
        return rearmed

    def _verify(self, ask: Ask, asked: Mapping[str, Any], progress: Progress) -> None:
        kinds, store = _kinds(asked), self._generations.serving()
        progress.total = patiently(lambda: store.count_records(kinds))
        away = verify(ask, store, kinds, progress)
        _check_serves(store)
        _check_answered(away)

    def _compare(
        self,
        ask: Ask,
        asked: Mapping[str, Any],
        progress: Progress,
        mend: Callable[[list[Difference]], None] = lambda _: None,
    ) -> None:
        kinds, store = _kinds(asked), self._generations.serving()
        progress.total = patiently(lambda: store.count_records(kinds))
        comparison, differing = Comparison(ask, store, progress), dict.fromkeys(SERVICES, 0)
        for found in comparison.lasting(kinds):
            _check_serves(store)
            for one in found:
                progress.find(one.say())
                differing[one.block.kind.service] += 1
            mend(found)
        if set(kinds) == set(KINDS.values()):
            known = {service: records for service, records in differing.items() if service not in comparison.away}
            patiently(lambda: store.note_compared(known))
        _check_answered(comparison.away)


def _rearm_what_is_behind(ask: Ask, found: Iterable[Difference]) -> None:
    behind = [one for one in found if one.is_behind]
    for kind, some in groupby(behind, lambda one: one.block.kind):
        versions = [(one.id, one.complete) for one in some]
        for first in range(0, len(versions), REARMED):
            ask(kind.service, "rearm", kind=kind.name, records=dict(versions[first : first + REARMED]))


def _kinds(asked: Mapping[str, Any]) -> list[Kind]:
    return [KINDS[key] for key in asked.get("kinds") or KINDS]


def _heard_by(listener: str) -> list[Kind]:
    return [EVERY_KIND[key] for key in dict.fromkeys(line.rpartition(".")[0] for line in HEARS[listener])]


def _check_serves(store: Store) -> None:
    """What was read of a ledger that somebody dropped says nothing."""
    if not patiently(store.exists):
        raise Unavailable("The ledger was made anew meanwhile.", "台账已在此期间重建。")


def _check_answered(away: Iterable[str]) -> None:
    if names := ", ".join(sorted(away)):
        raise Unavailable(f"{names} did not answer; the others were compared.", f"{names} 无响应；其余服务已比对。")
