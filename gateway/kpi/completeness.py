"""Completeness of an answer: as of when it holds, how fresh its sources are, and what is missing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from gateway.kpi.plan_answers import Answer
from gateway.kpi.plan_index import KpiLine, MilestoneLine
from services.contract.topology import SERVICES, exchange


@dataclass(frozen=True)
class Standing:
    """How much was taken in when an answer was made: the ledger's state, and what waits for an operator."""

    as_of: datetime
    revision: int
    heard: Mapping[str, datetime]
    counted: frozenset[str]  # keys of the rules whose counts are whole
    compared: Mapping[str, int]  # records that differed when a service was compared; not there: it never was
    is_rebuilding: bool
    parked: Mapping[str, int]  # messages by the exchange they came from
    parked_there: Mapping[str, int]  # messages that services have parked themselves

    def say(self, lines: Iterable[KpiLine | MilestoneLine], *, of: Iterable[str] = ()) -> Answer:
        """Concerning these lines, and the records of these services themselves."""
        reasons = list(self._reasons(lines, of))
        return {
            "as_of": self.as_of.isoformat(timespec="milliseconds"),
            "revision": self.revision,
            "freshness": {name: _instant(self.heard.get(name), self.as_of) for name in SERVICES},
            "complete": not reasons,
            "reasons": reasons,
        }

    def _reasons(self, lines: Iterable[KpiLine | MilestoneLine], of: Iterable[str]) -> Iterator[Answer]:
        lines = list(lines)
        is_counted = all(one.key in self.counted for line in lines for one in line.measures)
        if is_counted and self._is_whole() and not self.parked and not self.parked_there:
            return
        concerned = {service for line in lines for service in line.services} | set(of)
        for source, messages in sorted(self.parked.items()):
            service = _service(source)
            if service is None or service in concerned:
                yield _parked(service, messages, at="gateway")
        for service in SERVICES:
            if service in concerned and service in self.parked_there:
                yield _parked(service, self.parked_there[service], at=service)
        for service in SERVICES:
            if service in concerned and self.compared.get(service) != 0:
                yield self._not_whole(service)
        for line in lines:
            if any(measure.key not in self.counted for measure in line.measures):
                yield {"code": "not_counted", "kpi": line.code, "zh": "规则尚在统计中", "en": "still being counted"}

    def _is_whole(self) -> bool:
        return all(self.compared.get(service) == 0 for service in SERVICES)

    def _not_whole(self, service: str) -> Answer:
        """What was taken in of this service is not all, or nobody knows yet whether it is."""
        records = self.compared.get(service)
        if self.is_rebuilding:
            said = {"code": "rebuilding", "zh": "正在从各服务重建", "en": "being made anew from the services"}
        elif records is None:
            said = {"code": "not_compared", "zh": "尚未与该服务比对", "en": "not compared with its service yet"}
        else:
            said = {
                "code": "behind",
                "zh": f"{records} 条记录与该服务不一致",
                "en": f"{records} records differ from their service",
            }
        return {"service": service, "records": records, **said}


def as_known(as_of: datetime) -> Answer:
    """The standing of an answer about the past: it is what was known then, and the same for ever (G-06).

    What is on its way or parked now says nothing about then, and would make the same answer another one tomorrow.
    """
    at = as_of.isoformat(timespec="milliseconds")
    return {"as_of": at, "revision": None, "freshness": None, "complete": None, "reasons": []}


def _parked(service: str | None, messages: int, *, at: str) -> Answer:
    """Messages that concern a service's numbers wait for an operator, at the gateway or there."""
    return {
        "code": "parked",
        "service": service,
        "at": at,
        "messages": messages,
        "zh": f"{messages} 条消息尚待处理",
        "en": f"{messages} messages could not be taken in yet",
    }


def _instant(instant: datetime | None, like: datetime) -> str | None:
    return instant.astimezone(like.tzinfo).isoformat(timespec="seconds") if instant else None


def _service(source: str) -> str | None:
    """Whose exchange that is; None for a message that was put straight into our queue."""
    return next((service for service in SERVICES if exchange(service) == source), None)
