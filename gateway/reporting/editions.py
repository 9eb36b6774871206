"""Editions: what was reported of a period when it was closed, signed and kept byte for byte (G-07).

What comes to be known later changes no edition: it stands open as a restatement, with the records it is because of, and
is a part of the next edition.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from pymongo.collection import Collection
from pymongo.errors import DuplicateKeyError

from gateway.http.messages import Reply
from gateway.kpi import answers, figures
from gateway.kpi.plan_index import AskedPeriod, KpiLine, asked
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

NAMED = 1_000  # records of a restatement that are named; all of them are counted

Document = dict[str, Any]


class PeriodNotOver(Refusal, rule="G-07", zh="时段尚未结束，不得关账"):
    """A period is closed when it is over: until then its numbers are still being made."""


class Reason(NamedTuple):
    """A record, and what it brought to a number before and brings now; None: nothing."""

    rule: Rule
    record: str
    before: Any
    after: Any


class Editions:
    """The editions of all periods."""

    def __init__(
        self, editions: Collection[Document], query_service: QueryService, clock: SystemClock, private_key: str | None
    ) -> None:
        self._editions, self._query_service, self._clock = editions, query_service, clock
        self._key = _signing(private_key) if private_key else None

    def close(self, year: str, period: str, *, by: str, why: str) -> Document:
        """The next edition; raises `PeriodNotOver`, and `Conflict` where somebody else was first."""
        question, now = self._question(year, period), self._clock.now()
        if question.period.last >= now.date():
            raise PeriodNotOver(period=period, last=question.period.last.isoformat())
        last = self._last(year, period)
        no = last["no"] + 1 if last else 1
        answer = self._query_service.progress(year, {"period": period, "as_of": now})
        changes = self._changes(year, question, last, now, answer) if last else []
        said = {"edition": no, "closed_by": by, "why": why, **answer, "restates": last["no"] if last else None}
        body = wire.encode({**said, "changes": changes})
        document = {"_id": f"{year}/{period}/{no}", "year": int(year), "period": period, "no": no, "as_of": now}
        document |= {"by": by, "why": why, "body": body, "digest": _digest(body), "signature": self._signed(body)}
        try:
            self._editions.insert_one(document)
        except DuplicateKeyError:
            raise Conflict("It was closed by somebody else just now.", "他人刚刚已关账。", period=period) from None
        return _told(document)

    def all(self, year: str, period: str) -> Document:
        """Every edition of a period, the first one first, and what has changed since the last one."""
        question = self._question(year, period)
        held = list(self._editions.find({"year": int(year), "period": period}, {"body": 0}).sort("no", 1))
        changes: list[Document] = []
        if held:
            now = self._clock.now()
            answer = self._query_service.progress(year, {"period": period, "as_of": now})
            changes = self._changes(year, question, self._last(year, period) or {}, now, answer)
        return {"year": int(year), "period": period, "editions": list(map(_told, held)), "changes": changes}

    def one(self, year: str, period: str, no: str) -> Reply:
        """An edition as it was signed."""
        self._question(year, period)
        held = self._editions.find_one({"_id": f"{year}/{period}/{no}"})
        if held is None:
            raise NotFound(year=year, period=period, edition=no)
        signed = {"Signature": held["signature"]} if held["signature"] else {}
        return Reply(bytes(held["body"]), headers={"Content-Digest": held["digest"], **signed})

    def _question(self, year: str, period: str) -> AskedPeriod:
        """A period of the plan's year, by its own name and not by that of the day it is asked on."""
        plan = self._query_service.plan(year)
        try:
            question = asked(period)
        except UnknownPeriod as error:
            raise InvalidInput(FieldError("period", error.en, error.zh)) from None
        if not question.period.is_within(plan["year"]):
            raise InvalidInput(FieldError("period", f"Not within {year}.", f"不在 {year} 年之内。"))
        return question

    def _last(self, year: str, period: str) -> Document | None:
        return self._editions.find_one({"year": int(year), "period": period}, sort=[("no", -1)])

    def _changes(
        self, year: str, question: AskedPeriod, last: Document, now: datetime, answer: Document
    ) -> list[Document]:
        """The numbers that are not what they were in that edition, each with the records it is because of."""
        before = {kpi["code"]: kpi for item in wire.decode(bytes(last["body"]))["items"] for kpi in item["kpis"]}
        after = {kpi["code"]: kpi for item in answer["items"] for kpi in item["kpis"]}
        then = last["as_of"]
        lines = {line.kpi.code: line for line in self._query_service.decisions.book(now).lines(int(year))}
        found = []
        for code, kpi in after.items():
            was, line = before.get(code), lines[code]
            because = list(self._because(line, question, then, now))
            if because or was is None or _number(was) != _number(kpi):
                found.append(
                    {
                        "kpi": code,
                        "before": _number(was) if was else None,
                        "after": _number(kpi),
                        "records": len(because),
                        "because": self._reasons(because[:NAMED], now),
                    }
                )
        return found

    def _because(self, line: KpiLine, question: AskedPeriod, then: datetime, now: datetime) -> Iterator[Reason]:
        """The records that bring something else to this number than they did."""
        for part in line.parts.values():
            rule, counted = part.rule, figures.of(line, question)
            since = self._read(now, lambda read, rule=rule: read.changed_records(rule.of))
            touched = self._read(then, lambda read, rule=rule: read.changed_records(rule.of))
            for record, one in sorted(touched.items()):
                latest = since[record].then if record in since else one.now
                was, is_now = _amount(rule, counted, one.then), _amount(rule, counted, latest)
                if was != is_now:
                    yield Reason(rule, record, was, is_now)

    def _reasons(self, because: list[Reason], now: datetime) -> list[Document]:
        """Each with the record as it was known, and what happened to it last."""

        def ask(read: Reader) -> list[Document]:
            newest = ((one, read.versions(one.record)[-1]) for one in because)
            return [_reason(one, row) for one, row in newest]

        told: list[Document] = self._read(now, ask)
        return told

    def _read(self, as_of: datetime, ask: Any) -> Any:
        return self._query_service.generations.ask(lambda store: reader.read_at(store, as_of, ask))

    def _signed(self, body: bytes) -> str | None:
        """As HTTP writes a signature over the bytes of an answer."""
        return f"ed25519=:{base64.b64encode(self._key.sign(body)).decode()}:" if self._key else None


class EditionsProvider(Provider[Editions]):
    """Gives the gateway its editions."""

    reporting = SharedQueryService()

    def setup(self) -> None:
        settings = self.container.config["SETTINGS"]
        self._kept = database(settings, self.container.service_name)["editions"]
        patiently(lambda: self._kept.create_index([("year", 1), ("period", 1), ("no", 1)], unique=True))

    def start(self) -> None:
        config = self.container.config
        query_service, key = self.reporting.query_service, config["SETTINGS"].token_private_key
        self._editions = Editions(self._kept, query_service, config["CLOCK"], key)

    def provide(self) -> Editions:
        return self._editions


def _reason(one: Reason, newest: Document) -> Document:
    view = {"_id": one.record, "version": newest["_id"]["version"], "data": newest["data"]}
    happened = {"happened": newest["happened"], "time": newest["time"]}
    return {**answers.evidence(one.rule, view), "before": one.before, "after": one.after, **happened}


def _amount(rule: Rule, question: AskedPeriod, data: Mapping[str, Any] | None) -> Any:
    """What a record brings in a period; None where it is not counted there."""
    if data is None or not rule.counts(data):
        return None
    is_inside = question.period.first.isoformat() <= data[rule.on] <= question.period.last.isoformat()
    return rule.amount(data) if is_inside else None


def _number(kpi: Mapping[str, Any]) -> Document:
    return {name: kpi[name] for name in ("value", "state", "records")}


def _told(held: Mapping[str, Any]) -> Document:
    return {
        "edition": held["no"],
        "as_of": format_instant(held["as_of"]),
        **{name: held[name] for name in ("by", "why", "digest", "signature")},
        "address": f"/api/v1/plans/{held['year']}/periods/{held['period']}/editions/{held['no']}",
    }


def _digest(body: bytes) -> str:
    """As RFC 9530 writes it."""
    return f"sha-256=:{base64.b64encode(hashlib.sha256(body).digest()).decode()}:"


def _signing(pem: str) -> Ed25519PrivateKey:
    key = load_pem_private_key(pem.encode(), password=None)
    if not isinstance(key, Ed25519PrivateKey):
        raise TypeError("the private key is no Ed25519 key")
    return key
