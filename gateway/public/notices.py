"""Notices (公示) that the services have on public display, in their own words (flow F12).

Nothing is decided here: a notice leaves the list when its time is over or its owner withdraws it, and the reason stays
with the owner.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from gateway.http import json_schema, pagination, parameters
from gateway.http.json_schema import TEXT, VERSION, Shape, at_least, either, page
from gateway.http.parameters import Parameter
from gateway.kpi.ledger import Document
from gateway.reporting import answer_schemas
from gateway.reporting.query_service import Answer, QueryService
from services.contract import KINDS, awards
from services.contract.view import Kind

ON_DISPLAY: tuple[Kind, ...] = (awards.Notice.kind,)
"""Kinds of notices. Each has `starts_at` and `ends_at`, `lines`, `url`, `office_line`, and can be `withdrawn`."""

ENDED = Parameter(
    parameters.truth,
    "True for notices that have ended, the latest first; else those on display now.",
    "已结束的公示；缺省为公示中的。",
    {"type": "string", "enum": ["true", "false"]},
)
ASKS = {
    "ended": ENDED,
    "cursor": Parameter(pagination.mark(datetime, str), pagination.CURSOR.en, pagination.CURSOR.zh),
    "limit": pagination.LIMIT,
}


def _shape(kind: Kind) -> Shape:
    view = json_schema.of_view(kind.json_schema)
    about = {
        "service": {"const": kind.service},
        "kind": {"const": kind.name},
        "id": TEXT,
        "version": VERSION,
    }
    return at_least(**about, **view["properties"])


NOTICES = page(either(*map(_shape, ON_DISPLAY)), **answer_schemas.COMPLETENESS)


def displayed(query_service: QueryService, params: Mapping[str, Any]) -> Answer:
    """List the notices on display now, the one that ends first before the others; or a page of those that ended."""
    standing = query_service.completeness_of({kind.service for kind in ON_DISPLAY})
    ended = params.get("ended", False)
    steps = [
        *_at(datetime.fromisoformat(standing["as_of"]), ended=ended),
        *_after(params.get("cursor"), ended=ended),
        {"$sort": {"ends": -1 if ended else 1, "_id": 1}},
    ]

    def find(most: int) -> list[Document]:
        return query_service.generations.ask(
            lambda store: store.aggregate_views([*steps, {"$limit": most}], ON_DISPLAY)
        )

    notices = pagination.page(find, limit=params.get("limit", pagination.PAGE), show=_shown, cursor=_cursor)
    return {**notices, **standing}


def _at(now: datetime, *, ended: bool) -> list[Document]:
    """Steps that keep the notices that are not withdrawn, and on display at this instant or ended by then.

    The views have texts for instants, which are compared as dates.
    """
    dates = {"starts": {"$toDate": "$data.starts_at"}, "ends": {"$toDate": "$data.ends_at"}}
    time = {"ends": {"$lte": now}} if ended else {"starts": {"$lte": now}, "ends": {"$gt": now}}
    return [{"$match": {"data.state": {"$ne": "withdrawn"}}}, {"$set": dates}, {"$match": time}]


def _after(cursor: tuple[datetime, str] | None, *, ended: bool) -> list[Document]:
    if cursor is None:
        return []
    ends, id_ = cursor
    return [{"$match": {"$or": [{"ends": {"$lt" if ended else "$gt": ends}}, {"ends": ends, "_id": {"$gt": id_}}]}}]


def _cursor(view: Document) -> str:
    return pagination.write_mark(view["data"]["ends_at"], view["_id"])


def _shown(view: Document) -> Answer:
    kind = KINDS[view["kind"]]
    id_ = view["_id"].removeprefix(f"{kind.key}/")
    about = {"service": kind.service, "kind": kind.name, "id": id_, "version": view["version"]}
    return {**about, **kind.write(kind.read(view["data"]))}
