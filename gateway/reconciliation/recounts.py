"""Recounts: the owning service counts a KPI by itself, and whatever differs is named record by record (G-16).

Each one is a job with a document of its own, and what it found is kept for a year.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from typing import Any

from bson import ObjectId
from pymongo.collection import Collection

from gateway.http import pagination, parameters
from gateway.http.json_schema import DAY, INSTANT, NUMBER, TEXT, TRUTH, WHOLE, WORDS, each, many, maybe, one_of
from gateway.http.messages import Reply, Request
from gateway.reconciliation import jobs
from gateway.reconciliation.jobs import Document, Jobs
from gateway.reconciliation.recount_run import RecountQuestion, recount
from gateway.reporting import question_parameters
from gateway.reporting.query_service import QueryService, SharedQueryService
from gateway.upstream.delegation import DelegatedCaller
from services.chassis.client import Caller, CallerProvider
from services.chassis.mongo import database, patiently
from services.chassis.problem import FieldError, InvalidInput, NotFound, Overloaded
from services.chassis.settings import Settings

AT_ONCE = 4  # recounts at work among all gateways
KEPT = timedelta(days=366)

VALUE = {"type": ["number", "string", "boolean", "null"]}
FIGURE = each(value=VALUE, records=WHOLE)
SIDE = maybe(each(version=WHOLE, day=maybe(DAY), amount=VALUE))
PART = each(
    part=TEXT, title=WORDS, of=TEXT, measure=TEXT, ours=FIGURE, theirs=FIGURE, shown=FIGURE,
    differing=WHOLE, equal=TRUTH,
)  # fmt: skip
DIFFERENCE = each(
    part=TEXT, service=TEXT, kind=TEXT, id=TEXT,
    what=one_of("only_here", "only_there", "other_amount", "other_day"),
    here=SIDE, there=SIDE, history=TEXT,
)  # fmt: skip
OUTLINE = each(
    id=TEXT, kpi=TEXT, plan=WHOLE, period=TEXT, first=DAY, last=DAY,
    district=maybe(TEXT), state=one_of("running", "done", "failed"), by=TEXT,
    started_at=INSTANT, ended_at=maybe(INSTANT), seconds=NUMBER, at=TEXT,
    done=WHOLE, total=WHOLE, revision=maybe(WHOLE), equal=maybe(TRUTH),
    differing=WHOLE, parts=many(PART), error=maybe(WORDS),
)  # fmt: skip
RECOUNT = each(**OUTLINE["properties"], records=many(DIFFERENCE))


class Recounts:
    """The recounts of all gateways, the newest first; each method answers a request."""

    def __init__(
        self, caller: Caller, settings: Settings, query_service: QueryService, held: Collection[Document], spawn: Any
    ) -> None:
        self._caller, self._settings, self._query_service, self._held = caller, settings, query_service, held
        self._jobs = Jobs(held, spawn)
        self.stop = self._jobs.stop

    def begin(self, request: Request) -> Reply:
        """202 with the recount; `Overloaded` while many are at work."""
        question = self._question(request.body)
        if self._held.count_documents(jobs.is_running()) >= AT_ONCE:
            raise Overloaded(recounts=AT_ONCE)
        ask = DelegatedCaller(self._caller, self._settings.token_private_key, by=request.actor.id)
        id_, store = str(ObjectId()), self._query_service.generations.serving()
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
        limit = asked.get("limit", pagination.PAGE)
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

    def _question(self, said: Mapping[str, Any]) -> RecountQuestion:
        try:
            wanted = {"period": question_parameters.period(said["period"])} if said["period"] else {}
        except parameters.InvalidValue as error:
            raise InvalidInput(FieldError("period", error.en, error.zh)) from None
        try:
            line, asked = self._query_service.counted_period(said["kpi"], wanted)
        except NotFound as unknown:
            raise InvalidInput(FieldError("kpi", unknown.en, unknown.zh)) from None
        return RecountQuestion(line, asked, said["district"])


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


class RecountsProvider(CallerProvider):
    """Gives the gateway its recounts, over a connection of their own: a recount holds up no command."""

    reporting = SharedQueryService()

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
        self._recounts = Recounts(self._caller, settings, self.reporting.query_service, self._held, spawn)

    def stop(self) -> None:
        self._recounts.stop()
        super().stop()

    def provide(self) -> Recounts:
        return self._recounts
