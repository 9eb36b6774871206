"""Completeness of an answer: the instant of which it holds, how fresh its sources are, and what is missing (G-12).

Pure: what was taken in, what was compared and what waits for an operator is given.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from gateway.kpi.plan_answers import Answer
from gateway.kpi.plan_index import KpiLine, MilestoneLine
from services.contract.topology import SERVICES, exchange


@dataclass(frozen=True)
class Completeness:
    """How much was taken in when an answer was made: the ledger's state, and what waits for an operator."""

    as_of: datetime
    revision: int
    heard: Mapping[str, datetime]  # the time of the last event of each service
    counted: frozenset[str]  # keys of the rules whose counts are whole
    compared: Mapping[str, int]  # records that differed when a service was compared; not there: it never was
    is_rebuilding: bool
    parked: Mapping[str, int]  # dead letters of the gateway by the exchange they came from
    parked_there: Mapping[str, int]  # dead letters of each service itself

    def answer(self, lines: Iterable[KpiLine | MilestoneLine], *, services: Iterable[str] = ()) -> Answer:
        """Answer for these lines, and for the records of these services themselves."""
        reasons = list(self._reasons(list(lines), services))
        return {
            "as_of": self.as_of.isoformat(timespec="milliseconds"),
            "revision": self.revision,
            "freshness": {name: self._in_local_time(self.heard.get(name)) for name in SERVICES},
            "complete": not reasons,
            "reasons": reasons,
        }

    def _reasons(self, lines: list[KpiLine | MilestoneLine], services: Iterable[str]) -> Iterator[Answer]:
        uncounted = [line for line in lines if any(measure.key not in self.counted for measure in line.measures)]
        if not uncounted and self._is_whole() and not self.parked and not self.parked_there:
            return

        concerned = {service for line in lines for service in line.services} | set(services)
        for source, messages in sorted(self.parked.items()):
            service = _service_of(source)
            if service is None or service in concerned:
                yield _parked(service, messages, at="gateway")
        for service in SERVICES:
            if service in concerned and service in self.parked_there:
                yield _parked(service, self.parked_there[service], at=service)
        for service in SERVICES:
            if service in concerned and self.compared.get(service) != 0:
                yield self._not_whole(service)
        for line in uncounted:
            yield {"code": "not_counted", "kpi": line.code, "zh": "规则尚在统计中", "en": "still being counted"}

    def _is_whole(self) -> bool:
        return all(self.compared.get(service) == 0 for service in SERVICES)

    def _not_whole(self, service: str) -> Answer:
        """Say that records of this service are missing, or that nobody knows yet whether any are."""
        records = self.compared.get(service)
        if self.is_rebuilding:
            reason = {"code": "rebuilding", "zh": "正在从各服务重建", "en": "being made anew from the services"}
        elif records is None:
            reason = {"code": "not_compared", "zh": "尚未与该服务比对", "en": "not compared with its service yet"}
        else:
            reason = {
                "code": "behind",
                "zh": f"{records} 条记录与该服务不一致",
                "en": f"{records} records differ from their service",
            }
        return {"service": service, "records": records, **reason}

    def _in_local_time(self, instant: datetime | None) -> str | None:
        return instant.astimezone(self.as_of.tzinfo).isoformat(timespec="seconds") if instant else None


def as_known(as_of: datetime) -> Answer:
    """Answer for an instant of the past: what was known then, and the same for ever (G-06).

    Messages that are on their way or dead-lettered now say nothing about then; named here, they would make the same
    question's answer another one tomorrow.
    """
    at = as_of.isoformat(timespec="milliseconds")
    return {"as_of": at, "revision": None, "freshness": None, "complete": None, "reasons": []}


def _parked(service: str | None, messages: int, *, at: str) -> Answer:
    """Say that messages of a service wait for an operator, at the gateway or at the service itself."""
    return {
        "code": "parked",
        "service": service,
        "at": at,
        "messages": messages,
        "zh": f"{messages} 条消息尚待处理",
        "en": f"{messages} messages could not be taken in yet",
    }


def _service_of(source: str) -> str | None:
    """Return the service that owns an exchange; None for a message that was put straight into our queue."""
    return next((service for service in SERVICES if exchange(service) == source), None)
