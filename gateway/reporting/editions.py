"""Editions: what was reported of a period when it was closed, signed and kept byte for byte (G-07).

A fact that becomes known later changes no edition: it stands open as a restatement, with the records that caused it,
and is a part of the next edition.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, NamedTuple, TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from pymongo.collection import Collection
from pymongo.errors import DuplicateKeyError

from gateway.http.messages import Reply
from gateway.kpi.as_of import Touched
from gateway.kpi.figures import counted_period
from gateway.kpi.plan_answers import unit
from gateway.kpi.plan_index import AskedPeriod, KpiLine, resolve_period
from gateway.kpi.record_answers import evidence
from gateway.plans.periods import UnknownPeriod
from gateway.read_model import reader
from gateway.read_model.reader import Reader
from gateway.reporting.query_service import QueryService, SharedQueryService
from services.chassis.clock import SystemClock
from services.chassis.mongo import database, patiently
from services.chassis.problem import Conflict, FieldError, InvalidInput, NotFound
from services.chassis.provider import Provider
from services.contract import wire
from services.contract.rule import Rule
from services.kernel import Refusal
from services.kernel.calendar import format_instant

MOST_NAMED = 1_000  # records of a restatement that are named; all of them are counted

Document = dict[str, Any]

T = TypeVar("T")


class PeriodNotOver(Refusal, rule="G-07", zh="时段尚未结束，不得关账"):
    """A period is closed when it is over: until then its numbers are still being made."""


@dataclass(frozen=True)
class Edition:
    """A report of a period as it was closed: `body` byte for byte, with its digest and signature."""

    year: int
    period: str
    no: int
    as_of: datetime
    by: str
    why: str
    digest: str
    signature: str | None  # None where the gateway had no key
    body: bytes = b""  # not read for lists

    def write(self) -> Document:
        """Return the document that `_read_edition` reads."""
        return {"_id": f"{self.year}/{self.period}/{self.no}", **vars(self)}

    def answer(self) -> Document:
        """Describe the edition in a list of editions."""
        return {
            "edition": self.no,
            "as_of": format_instant(self.as_of),
            "by": self.by,
            "why": self.why,
            "digest": self.digest,
            "signature": self.signature,
            "address": f"/api/v1/plans/{self.year}/periods/{self.period}/editions/{self.no}",
        }

    def values(self) -> dict[str, Document]:
        """Return the numbers that were reported, by KPI."""
        return _kpis(wire.decode(self.body))


class ChangedRecord(NamedTuple):
    """A record, and what it added to a number `before` and adds `now`; None: nothing."""

    rule: Rule
    record: str
    before: Any
    now: Any


class Editions:
    """The editions of all periods."""

    def __init__(
        self, editions: Collection[Document], query_service: QueryService, clock: SystemClock, private_key: str | None
    ) -> None:
        self._editions, self._query_service, self._clock = editions, query_service, clock
        self._key = _signing_key(private_key) if private_key else None

    def close_period(self, year: str, period: str, *, by: str, why: str) -> Document:
        """Sign and keep the next edition; raises `PeriodNotOver`, and `Conflict` where another close was first."""
        asked_period, now = self._resolve(year, period), self._clock.now()
        if asked_period.period.last >= now.date():
            raise PeriodNotOver(period=period, last=asked_period.period.last.isoformat())

        last = self._last(year, period)
        no = last.no + 1 if last else 1
        answer = self._query_service.progress(year, {"period": period, "as_of": now})
        report = {
            "edition": no,
            "closed_by": by,
            "why": why,
            **answer,
            "restates": last.no if last else None,
            "changes": self._changes(asked_period, last, now, answer) if last else [],
        }
        body = wire.encode(report)
        edition = Edition(int(year), period, no, now, by, why, _digest(body), self._signature(body), body)
        try:
            self._editions.insert_one(edition.write())
        except DuplicateKeyError:
            raise Conflict("It was closed by somebody else just now.", "他人刚刚已关账。", period=period) from None
        return edition.answer()

    def list_editions(self, year: str, period: str) -> Document:
        """List every edition of a period, the first one first, and what has changed since the last."""
        asked_period = self._resolve(year, period)
        of_period = {"year": int(year), "period": period}
        editions = [_read_edition(document) for document in self._editions.find(of_period, {"body": 0}).sort("no", 1)]
        changes: list[Document] = []
        if last := self._last(year, period):
            now = self._clock.now()
            answer = self._query_service.progress(year, {"period": period, "as_of": now})
            changes = self._changes(asked_period, last, now, answer)
        return {**of_period, "editions": [edition.answer() for edition in editions], "changes": changes}

    def get_edition(self, year: str, period: str, no: str) -> Reply:
        """Return an edition byte for byte, with its digest (RFC 9530) and signature as headers."""
        self._resolve(year, period)
        document = self._editions.find_one({"_id": f"{year}/{period}/{no}"})
        if document is None:
            raise NotFound(year=year, period=period, edition=no)

        edition = _read_edition(document)
        signature = {"Signature": edition.signature} if edition.signature else {}
        return Reply(edition.body, headers={"Content-Digest": edition.digest, **signature})

    def _resolve(self, year: str, period: str) -> AskedPeriod:
        """Resolve a period of the plan's year by its own name, not by one that depends on the day of the question."""
        plan = self._query_service.plan(year)
        try:
            asked_period = resolve_period(period)
        except UnknownPeriod as error:
            raise InvalidInput(FieldError("period", error.en, error.zh)) from None
        if not asked_period.period.is_within(plan["year"]):
            raise InvalidInput(FieldError("period", f"Not within {year}.", f"不在 {year} 年之内。"))
        return asked_period

    def _last(self, year: str, period: str) -> Edition | None:
        document = self._editions.find_one({"year": int(year), "period": period}, sort=[("no", -1)])
        return _read_edition(document) if document else None

    def _changes(self, asked_period: AskedPeriod, last: Edition, now: datetime, answer: Document) -> list[Document]:
        """List the numbers that differ from that edition's, each with the records that changed it."""
        reported, current = last.values(), _kpis(answer)
        changes = []
        for line in self._query_service.plan_history.plan_index(now).kpi_lines(last.year):
            before, after = _number(reported.get(line.code)), _number(current[line.code])
            records = list(self._changed_records(line, asked_period, last.as_of, now))
            if records or before != after:
                named = self._because(records[:MOST_NAMED], now)
                about = {"kpi": line.code, "unit": unit(line.kpi.unit)}
                changes.append({**about, "before": before, "after": after, "records": len(records), "because": named})
        return changes

    def _because(self, records: list[ChangedRecord], now: datetime) -> list[Document]:
        return self._read(now, lambda read: [_because(record, read) for record in records])

    def _changed_records(
        self, line: KpiLine, asked_period: AskedPeriod, then: datetime, now: datetime
    ) -> Iterator[ChangedRecord]:
        """Find the records that add something else to this number now than they did then."""
        period = counted_period(line, asked_period)
        for part in line.parts.values():
            since_now = self._learnt(part.rule, now)
            for id_, touched in sorted(self._learnt(part.rule, then).items()):
                newest = since_now[id_].then if id_ in since_now else touched.now
                before, after = (_amount(part.rule, period, data) for data in (touched.then, newest))
                if before != after:
                    yield ChangedRecord(part.rule, id_, before, after)

    def _learnt(self, rule: Rule, since: datetime) -> dict[str, Touched]:
        return self._read(since, lambda read: read.changed_records(rule.of))

    def _read(self, as_of: datetime, make: Callable[[Reader], T]) -> T:
        return self._query_service.generations.ask(lambda store: reader.read_at(store, as_of, make))

    def _signature(self, body: bytes) -> str | None:
        """Sign the bytes of an edition (Ed25519): `ed25519=:<base64>:` over the body alone.

        It looks like RFC 9421 and is none: no `Signature-Input` says what is covered. Its form stays, because the
        editions that were handed out are checked by it.
        """
        return f"ed25519=:{base64.b64encode(self._key.sign(body)).decode()}:" if self._key else None


class EditionsProvider(Provider[Editions]):
    """Gives the gateway its editions."""

    reporting = SharedQueryService()

    def setup(self) -> None:
        settings = self.container.config["SETTINGS"]
        self._collection = database(settings, self.container.service_name)["editions"]
        patiently(lambda: self._collection.create_index([("year", 1), ("period", 1), ("no", 1)], unique=True))

    def start(self) -> None:
        config = self.container.config
        query_service, key = self.reporting.query_service, config["SETTINGS"].token_private_key
        self._editions = Editions(self._collection, query_service, config["CLOCK"], key)

    def provide(self) -> Editions:
        return self._editions


def _read_edition(document: Document) -> Edition:
    body = bytes(document.get("body", b""))
    stored = {field.name: document[field.name] for field in fields(Edition) if field.name != "body"}
    return Edition(**stored, body=body)


def _because(changed: ChangedRecord, read: Reader) -> Document:
    """Describe a changed record as it was known, and what happened to it last."""
    newest = read.versions(changed.record)[-1]
    view = {"_id": changed.record, "version": newest["_id"]["version"], "data": newest["data"]}
    return {
        **evidence(changed.rule, view),
        "before": changed.before,
        "after": changed.now,
        "happened": newest["happened"],
        "time": newest["time"],
    }


def _kpis(progress: Mapping[str, Any]) -> dict[str, Document]:
    return {kpi["code"]: kpi for item in progress["items"] for kpi in item["kpis"]}


def _number(kpi: Mapping[str, Any] | None) -> Document | None:
    return {name: kpi[name] for name in ("value", "state", "records")} if kpi else None


def _amount(rule: Rule, period: AskedPeriod, data: Mapping[str, Any] | None) -> Any:
    """Return what a record adds to a number in a period; None where it is not counted there."""
    if data is None or not rule.counts(data):
        return None
    is_inside = period.period.first.isoformat() <= data[rule.on] <= period.period.last.isoformat()
    return rule.amount(data) if is_inside else None


def _digest(body: bytes) -> str:
    """Write a digest as RFC 9530 does."""
    return f"sha-256=:{base64.b64encode(hashlib.sha256(body).digest()).decode()}:"


def _signing_key(pem: str) -> Ed25519PrivateKey:
    key = load_pem_private_key(pem.encode(), password=None)
    if not isinstance(key, Ed25519PrivateKey):
        raise TypeError("the private key is no Ed25519 key")
    return key
