"""Notices (公示): what the services have on public display, as they say it themselves (flow F12).

Nothing is decided here: a notice leaves the list when its time is over or its owner withdraws it, and why stays there.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from gateway.http import json_schema, pagination, parameters
from gateway.http import json_schema as http_json_schema
from gateway.http.json_schema import TEXT, Shape, at_least, either, page
from gateway.http.parameters import Parameter
from gateway.kpi.ledger import Document
from gateway.reporting import answer_schemas
from gateway.reporting.query_service import Answer, QueryService
from services.contract import KINDS, awards
from services.contract.view import Kind

ON_DISPLAY: tuple[Kind, ...] = (awards.Notice.kind,)
"""Kinds of notices. Each has `starts_at` and `ends_at`, `lines`, `url`, `office_line`, and can be `withdrawn`."""

ENDED = Parameter(
    parameters.truth, "Those that are over, the last one first; else those that run.", "已结束的公示；缺省为公示中的。",
    {"type": "string", "enum": ["true", "false"]},
)  # fmt: skip
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
        "version": http_json_schema.VERSION,
    }
    return at_least(**about, **view["properties"])


NOTICES = page(either(*map(_shape, ON_DISPLAY)), **answer_schemas.COMPLETENESS)


def displayed(query_service: QueryService, asked: Mapping[str, Any]) -> Answer:
    """The notices that run now, the one that ends first before the others; or those that ended, page by page."""
    standing = query_service.completeness_of({kind.service for kind in ON_DISPLAY})
    ended = asked.get("ended", False)
    steps = [
        *_at(datetime.fromisoformat(standing["as_of"]), ended=ended),
        *_after(asked.get("cursor"), ended=ended),
        {"$sort": {"ends": -1 if ended else 1, "_id": 1}},
    ]
    notices = pagination.page(
        lambda most: query_service.generations.ask(
            lambda store: store.views_by([*steps, {"$limit": most}], ON_DISPLAY)
        ),
        limit=asked.get("limit", pagination.PAGE),
        show=_said,
        cursor=lambda view: pagination.write_mark(view["data"]["ends_at"], view["_id"]),
    )
    return {**notices, **standing}


def _at(now: datetime, *, ended: bool) -> list[Document]:
    """Those that stand, and run at this instant or ended by then; the views have no dates but texts."""
    dates = {"starts": {"$toDate": "$data.starts_at"}, "ends": {"$toDate": "$data.ends_at"}}
    time = {"ends": {"$lte": now}} if ended else {"starts": {"$lte": now}, "ends": {"$gt": now}}
    return [{"$match": {"data.state": {"$ne": "withdrawn"}}}, {"$set": dates}, {"$match": time}]


def _after(cursor: tuple[datetime, str] | None, *, ended: bool) -> list[Document]:
    if cursor is None:
        return []
    ends, id_ = cursor
    return [{"$match": {"$or": [{"ends": {"$lt" if ended else "$gt": ends}}, {"ends": ends, "_id": {"$gt": id_}}]}}]


def _said(held: Document) -> Answer:
    kind = KINDS[held["kind"]]
    id_ = held["_id"].removeprefix(f"{kind.key}/")
    about = {"service": kind.service, "kind": kind.name, "id": id_, "version": held["version"]}
    return {**about, **kind.write(kind.read(held["data"]))}
