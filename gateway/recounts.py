"""Recounts: the owning service counts a KPI by itself, and whatever differs is named record by record (G-16).

A recount goes by itself through all records of its parts at both sides; what it found is kept for a year. Events are on
their way meanwhile, so that a difference is looked at again until it is settled or has stayed. The number that is shown
is held against the gateway's own records too, where nothing was taken in while both were read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from itertools import islice
from time import monotonic
from typing import Any
from urllib.parse import quote

import eventlet
from bson import ObjectId
from pymongo.collection import Collection

from gateway import holding, jobs, schemas, shapes
from gateway.asking import Asking
from gateway.book import Asked, Line
from gateway.comparison import Ask
from gateway.desk import Desk, Reporting
from gateway.holding import Part
from gateway.jobs import Document, Jobs, Progress
from gateway.recount import Pair, Row, Total, paired
from gateway.reply import Reply, Request
from gateway.store import Store
from services.chassis.client import Caller, Services
from services.chassis.mongo import database, patiently
from services.chassis.problem import FieldError, InvalidInput, NotFound, Overloaded, Unavailable
from services.chassis.settings import Settings
from services.chassis.tally import measured

PATIENCE = 5.0  # seconds that a difference has to stay
PAUSE = 0.25  # seconds between two looks
WATCHED = 50_000  # differences that are looked at again together
PAGE = 2_000  # records that a service tells at once
AGAIN = 1_000  # records that are looked at again at once
COUNTED_WITHIN = 60.0  # seconds that a service may take for a page
AT_ONCE = 4  # recounts at work among all gateways
KEPT = timedelta(days=366)

VALUE = {"type": ["integer", "string", "boolean", "null"]}
NUMBER = shapes.each(value=VALUE, records=shapes.WHOLE)
SIDE = shapes.maybe(shapes.each(version=shapes.WHOLE, day=shapes.maybe(shapes.DAY), amount=VALUE))
PART = shapes.each(
    part=shapes.TEXT, title=shapes.WORDS, of=shapes.TEXT, measure=shapes.TEXT, ours=NUMBER, theirs=NUMBER, shown=NUMBER,
    differing=shapes.WHOLE, equal=shapes.TRUTH,
)  # fmt: skip
DIFFERENCE = shapes.each(
    part=shapes.TEXT, service=shapes.TEXT, kind=shapes.TEXT, id=shapes.TEXT,
    what=shapes.one_of("only_here", "only_there", "other_amount", "other_day"),
    here=SIDE, there=SIDE, history=shapes.TEXT,
)  # fmt: skip
OUTLINE = shapes.each(
    id=shapes.TEXT, kpi=shapes.TEXT, plan=shapes.WHOLE, period=shapes.TEXT, first=shapes.DAY, last=shapes.DAY,
    district=shapes.maybe(shapes.TEXT), state=shapes.one_of("running", "done", "failed"), by=shapes.TEXT,
    started_at=shapes.INSTANT, ended_at=shapes.maybe(shapes.INSTANT), seconds=shapes.NUMBER, at=shapes.TEXT,
    done=shapes.WHOLE, total=shapes.WHOLE, revision=shapes.maybe(shapes.WHOLE), equal=shapes.maybe(shapes.TRUTH),
    differing=shapes.WHOLE, parts=shapes.many(PART), error=shapes.maybe(shapes.WORDS),
)  # fmt: skip
RECOUNT = shapes.each(**OUTLINE["properties"], records=shapes.many(DIFFERENCE))


# --- the work --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Question:
    """A KPI in a period, of the whole municipality or one district."""

    line: Line
    asked: Asked
    district: str | None

    def say(self) -> Document:
        period = self.asked.period
        return {
            "kpi": self.line.kpi.code,
            "plan": self.line.plan.year,
            "period": period.name,
            "first": period.first.isoformat(),
            "last": period.last.isoformat(),
            "district": self.district,
        }


def recount(ask: Ask, store: Store, question: Question, progress: Progress) -> None:
    """Count every part at both sides; what differs is found, `progress.result` says what each part makes."""
    for part in holding.parts(question.line):
        progress.at = f"{part.name} {part.rule.of.key}"
        said, revision = PartCount(ask, store, question, part, progress).run()
        if not patiently(store.is_there):
            raise Unavailable("The ledger was made anew meanwhile.", "台账已在此期间重建。")
        progress.result = {"parts": [*progress.result.get("parts", []), said], "revision": revision}


class PartCount:
    """One part of a KPI, counted here and at its service."""

    def __init__(self, ask: Ask, store: Store, question: Question, part: Part, progress: Progress) -> None:
        self._store, self._question, self._part, self._progress = store, question, part, progress
        period = question.asked.period
        asked = {
            "rule": part.rule.say() | {"by": []},
            "first": period.first.isoformat(),
            "last": period.last.isoformat(),
        }
        if question.district:
            asked["district"] = question.district
        self._ask = partial(ask, part.rule.of.service, timeout=COUNTED_WITHIN, **asked)
        how = measured(part.rule).how
        self._ours, self._theirs = Total(how), Total(how)
        self._differing = 0

    def run(self) -> tuple[Document, int]:
        """What it makes at both sides, and the revision of the ledger that this was read of."""
        _, before = self._shown()
        self._compare()
        shown, after = self._shown()
        is_shown = before != after or shown == self._ours.say()
        return self._say(shown) | {"equal": not self._differing and is_shown}, after

    def _compare(self) -> None:
        self._progress.total += self._ask("tally")["records"]
        pairs = paired(_stream(self._read_ours), _stream(self._read_theirs))
        while suspects := list(islice(self._suspects(pairs), WATCHED)):
            for pair in self._staying(suspects):
                self._name(pair)

    def _say(self, shown: Document) -> Document:
        return {
            "part": self._part.name,
            "title": {"zh": self._part.title.zh, "en": self._part.title.en},
            "of": self._part.rule.of.key,
            "measure": self._ours.how,
            "ours": self._ours.say(),
            "theirs": self._theirs.say(),
            "shown": shown,
            "differing": self._differing,
        }

    def _suspects(self, pairs: Iterator[Pair]) -> Iterator[str]:
        """The ids of records that differ at first sight; the others are counted at both sides."""
        for pair in pairs:
            if pair.differs:
                yield pair.id
            else:
                self._count(pair)

    def _staying(self, suspects: list[str]) -> Iterator[Pair]:
        """Those that still differ after a while, as they are then; the others are counted at both sides."""
        first = last = {pair.id: pair for pair in self._look(suspects)}
        until = monotonic() + PATIENCE
        while last:
            staying = {}
            for id_, pair in last.items():
                if pair.is_settled(first[id_]):
                    self._count(Pair(pair.newer(), pair.newer()))
                else:
                    staying[id_] = pair
            if not staying or monotonic() > until:
                yield from staying.values()
                return
            eventlet.sleep(PAUSE)
            last = {pair.id: pair for pair in self._look(list(staying))}

    def _look(self, ids: list[str]) -> Iterator[Pair]:
        """These records at both sides, in as many calls as it takes; one that is at neither is not there."""
        for first in range(0, len(ids), AGAIN):
            some = ids[first : first + AGAIN]
            theirs = {row.id: row for row in map(_row, self._ask("tally_records", ids=some)["records"])}
            ours = self._ours_of(some)
            yield from (Pair(ours.get(id_), theirs.get(id_)) for id_ in some if id_ in ours or id_ in theirs)

    def _count(self, pair: Pair) -> None:
        self._ours.add(pair.here)
        self._theirs.add(pair.there)

    def _name(self, pair: Pair) -> None:
        self._count(pair)
        self._differing += 1
        kind = self._part.rule.of
        history = f"/api/v1/records/{kind.service}/{kind.name}/{quote(pair.id, safe='')}/history"
        found = {"part": self._part.name, "service": kind.service, "kind": kind.name, "history": history}
        self._progress.find(found | pair.say())

    # --- both sides --------------------------------------------------------------------------------------------------

    def _read_ours(self, after: str) -> tuple[list[Row], str | None]:
        rule, asked, district = self._part.rule, self._question.asked, self._question.district
        return patiently(lambda: holding.rows(self._store, rule, asked, district=district, after=after))

    def _ours_of(self, ids: list[str]) -> dict[str, Row]:
        rule, asked, district = self._part.rule, self._question.asked, self._question.district
        return patiently(lambda: holding.rows_of(self._store, rule, asked, ids, district=district))

    def _shown(self) -> tuple[Document, int]:
        district = self._question.district
        return patiently(lambda: holding.shown(self._store, self._part, self._question.asked, district=district))

    def _read_theirs(self, after: str) -> tuple[list[Row], str | None]:
        page = self._ask("tally_records", limit=PAGE, **({"after": after} if after else {}))
        self._progress.done += len(page["records"])
        return [_row(said) for said in page["records"]], page["through"]


def _stream(read: Callable[[str], tuple[list[Row], str | None]]) -> Iterator[Row]:
    """All rows of one side, page by page."""
    after: str | None = ""
    while after is not None:
        found, after = read(after)
        yield from found


def _row(said: Mapping[str, Any]) -> Row:
    return Row(said["id"], said["version"], said["day"], said["amount"])


# --- what is asked ---------------------------------------------------------------------------------------------------


class Recounts:
    """The recounts of all gateways, the newest first; each method answers a request."""

    def __init__(self, caller: Caller, settings: Settings, desk: Desk, held: Collection[Document], spawn: Any) -> None:
        self._caller, self._settings, self._desk, self._held = caller, settings, desk, held
        self._jobs = Jobs(held, spawn)
        self.stop = self._jobs.stop

    def begin(self, request: Request) -> Reply:
        """202 with the recount; `Overloaded` while many are at work."""
        question = self._question(request.said)
        if self._held.count_documents(jobs.is_running()) >= AT_ONCE:
            raise Overloaded(recounts=AT_ONCE)
        ask = Asking(self._caller, self._settings.token_private_key, by=request.actor.id)
        id_, store = str(ObjectId()), self._desk.generations.serving()
        work = partial(recount, ask, store, question)
        self._jobs.start(id_, work, by=request.actor.id, why=None, about=question.say())
        return Reply(self.find(id_), 202, {"Location": f"/api/v1/recounts/{id_}"})

    def find(self, id_: str) -> Document:
        found = self._jobs.read({"$match": {"_id": id_}})
        if not found:
            raise NotFound(kind="recount", id=id_[:100])
        return _told(found[0])

    def page(self, asked: Mapping[str, Any]) -> Document:
        """Without the records that differ."""
        limit = asked.get("limit", schemas.PAGE)
        found = self._jobs.read(
            {"$match": self._older_than(asked.get("cursor"))},
            {"$sort": {"started_at": -1, "_id": -1}},
            {"$limit": limit + 1},
            {"$set": {"found": []}},
        )
        outlines = [{name: value for name, value in _told(one).items() if name != "records"} for one in found[:limit]]
        return {"items": outlines, "cursor": found[limit - 1]["_id"] if len(found) > limit else None}

    def _older_than(self, cursor: str | None) -> Document:
        if cursor is None:
            return {}
        last = self._held.find_one({"_id": cursor}, {"started_at": 1})
        if last is None:
            raise InvalidInput(FieldError("cursor", "Not a cursor of this list.", "不是此列表的游标。"))
        same = {"started_at": last["started_at"], "_id": {"$lt": cursor}}
        return {"$or": [{"started_at": {"$lt": last["started_at"]}}, same]}

    def _question(self, said: Mapping[str, Any]) -> Question:
        try:
            wanted = {"period": schemas.period(said["period"])} if said["period"] else {}
        except schemas.Wrong as error:
            raise InvalidInput(FieldError("period", error.en, error.zh)) from None
        try:
            asked, line = self._desk.question(said["kpi"], wanted)
        except NotFound as unknown:
            raise InvalidInput(FieldError("kpi", unknown.en, unknown.zh)) from None
        return Question(line, asked, said["district"])


def _told(held: Document) -> Document:
    """A recount as it is told; `equal` is none until it is done."""
    told, result = jobs.told(held), held["result"]
    is_done = told["state"] == "done"
    return {
        "id": held["_id"],
        **held["about"],
        **{name: told[name] for name in ("state", "by", "started_at", "ended_at", "seconds", "at", "done", "total")},
        "revision": result.get("revision"),
        "equal": all(part["equal"] for part in result["parts"]) if is_done else None,
        "differing": told["found_count"],
        "parts": result.get("parts", []),
        "error": told["error"],
        "records": told["found"],
    }


class Recounting(Services):
    """Gives the gateway its recounts, over a connection of their own: a recount holds up no command."""

    def setup(self) -> None:
        super().setup()
        self._held = database(self.container.config["SETTINGS"], self.container.service_name)["recounts"]
        patiently(self._prepare)

    def _prepare(self) -> None:
        self._held.create_index([("started_at", -1), ("_id", -1)])
        self._held.create_index("ended_at", expireAfterSeconds=int(KEPT.total_seconds()))

    def start(self) -> None:
        super().start()
        settings, spawn = self.container.config["SETTINGS"], self.container.spawn_managed_thread
        (reporting,) = [one for one in self.container.dependencies if isinstance(one, Reporting)]
        self._recounts = Recounts(self._caller, settings, reporting.get_dependency(None), self._held, spawn)

    def stop(self) -> None:
        self._recounts.stop()
        super().stop()

    def get_dependency(self, worker_ctx: Any) -> Recounts:  # type: ignore[override]  # noqa: ARG002
        return self._recounts
