"""Recounts: the owning service counts a KPI by itself, and every record that differs is named (G-16).

Each recount is a job with a document of its own, which is kept for a year with its findings.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import partial
from operator import attrgetter
from typing import Any

import msgspec
from bson import ObjectId
from pymongo import IndexModel
from pymongo.collection import Collection

from gateway.http import pagination, parameters
from gateway.http.json_schema import DAY, INSTANT, NUMBER, TEXT, TRUTH, WHOLE, WORDS, each, many, maybe, one_of, some
from gateway.http.messages import Reply, Request
from gateway.reconciliation import jobs
from gateway.reconciliation.jobs import Job, Jobs
from gateway.reconciliation.recount_run import RecountQuestion, RecountResult, recount
from gateway.reporting import question_parameters
from gateway.reporting.answer_schemas import UNIT
from gateway.reporting.query_service import QueryService, SharedQueryService
from gateway.upstream.delegation import DelegatedCaller
from services.chassis.client import Caller, CallerProvider
from services.chassis.mongo import Document, database, patiently
from services.chassis.problem import FieldError, InvalidInput, NotFound, Overloaded
from services.chassis.settings import Settings

AT_ONCE = 4  # recounts that run among all gateways
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
OUTLINE = some(each(
    id=TEXT, kpi=TEXT, plan=WHOLE, period=TEXT, first=DAY, last=DAY,
    district=maybe(TEXT), state=one_of("running", "done", "failed"), by=TEXT,
    started_at=INSTANT, ended_at=maybe(INSTANT), seconds=NUMBER, at=TEXT,
    done=WHOLE, total=WHOLE, revision=maybe(WHOLE), equal=maybe(TRUTH),
    differing=WHOLE, parts=many(PART), error=maybe(WORDS),
), unit=UNIT)  # fmt: skip
RECOUNT = {**some(OUTLINE, records=many(DIFFERENCE)), "required": [*OUTLINE["required"], "records"]}


class Recounts:
    """Answers requests about the recounts of all gateways."""

    def __init__(
        self,
        caller: Caller,
        settings: Settings,
        query_service: QueryService,
        recounts: Collection[Document],
        spawn: Callable[..., Any],
    ) -> None:
        self._caller, self._settings, self._query_service = caller, settings, query_service
        self._recounts = recounts
        self._jobs = Jobs(recounts, spawn)

    def begin(self, request: Request) -> Reply:
        """Begin a recount and answer 202 with it; raises `Overloaded` while `AT_ONCE` run."""
        question = self._question(request.body)
        if self._recounts.count_documents(jobs.is_running()) >= AT_ONCE:
            raise Overloaded(recounts=AT_ONCE)

        ask = DelegatedCaller(self._caller, self._settings.token_private_key, by=request.actor.id)
        id_, store = str(ObjectId()), self._query_service.generations.serving()
        work = partial(recount, ask, store, question)
        job = self._jobs.start(id_, work, by=request.actor.id, why=None, about=question.document())
        return Reply(details(job), 202, {"Location": f"/api/v1/recounts/{id_}"})

    def find(self, id_: str) -> Document:
        """Answer a recount with its findings; raises `NotFound`."""
        job = self._jobs.find(id_)
        if job is None:
            raise NotFound(kind="recount", id=id_[:100])
        return details(job)

    def page(self, params: Mapping[str, Any]) -> Document:
        """Answer a page of recounts without their findings, the newest first."""
        older = self._older_than(params.get("cursor"))
        return pagination.page(
            lambda most: self._jobs.read(
                {"$match": older},
                {"$sort": {"started_at": -1, "_id": -1}},
                {"$limit": most},
                {"$set": {"found": []}},
            ),
            limit=params.get("limit", pagination.PAGE),
            show=outline,
            cursor=attrgetter("id"),
        )

    def stop(self) -> None:
        """End the recounts that run in this gateway at once."""
        self._jobs.stop()

    def _older_than(self, cursor: str | None) -> Document:
        if cursor is None:
            return {}
        last = self._recounts.find_one({"_id": cursor}, {"started_at": 1})
        if last is None:
            raise InvalidInput(FieldError("cursor", "Not a cursor of this list.", "不是此列表的游标。"))
        same_instant = {"started_at": last["started_at"], "_id": {"$lt": cursor}}
        return {"$or": [{"started_at": {"$lt": last["started_at"]}}, same_instant]}

    def _question(self, body: Mapping[str, Any]) -> RecountQuestion:
        try:
            params = {"period": question_parameters.period(body["period"])} if body["period"] else {}
        except parameters.InvalidValue as error:
            raise InvalidInput(FieldError("period", error.en, error.zh)) from None
        try:
            line, asked = self._query_service.counted_period(body["kpi"], params)
        except NotFound as unknown:
            raise InvalidInput(FieldError("kpi", unknown.en, unknown.zh)) from None
        return RecountQuestion(line, asked, body["district"])


def details(job: Job) -> Document:
    """Describe a recount with the records that differ."""
    return {**outline(job), "records": job.found}


def outline(job: Job) -> Document:
    """Describe a recount without the records that differ; `equal` is None until it is done."""
    answer, result = job.answer(), msgspec.convert(job.result, RecountResult)
    return {
        "id": job.id,
        **(job.about or {}),
        **{name: answer[name] for name in ("state", "by", "started_at", "ended_at", "seconds", "at", "done", "total")},
        "revision": result.revision,
        "equal": result.is_equal if job.state == "done" else None,
        "differing": job.found_count,
        "parts": [msgspec.to_builtins(part) for part in result.parts],
        "error": job.error,
    }


class RecountsProvider(CallerProvider):
    """Gives the gateway its recounts, over a connection of their own: a recount holds up no command."""

    reporting = SharedQueryService()

    def setup(self) -> None:
        """Prepare the collection; a recount is deleted `KEPT` after its end."""
        super().setup()
        self._collection = database(self.container.config["SETTINGS"], self.container.service_name)["recounts"]
        patiently(self._prepare)

    def _prepare(self) -> None:
        self._collection.create_indexes(
            [
                IndexModel([("started_at", -1), ("_id", -1)]),
                IndexModel("ended_at", expireAfterSeconds=int(KEPT.total_seconds())),
            ]
        )

    def start(self) -> None:
        """Connect, with the query service that is there by now."""
        super().start()
        settings, spawn = self.container.config["SETTINGS"], self.container.spawn_managed_thread
        self._recounts = Recounts(self._caller, settings, self.reporting.query_service, self._collection, spawn)

    def stop(self) -> None:
        """End the recounts that run before the connection ends."""
        self._recounts.stop()
        super().stop()

    def provide(self) -> Recounts:
        """Return the one object that answers all requests."""
        return self._recounts
