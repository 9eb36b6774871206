"""Answers of the process and its documents, as JSON Schemas."""

from __future__ import annotations

from gateway.http.json_schema import (
    ANYTHING,
    TEXT,
    TRUTH,
    at_least,
    by_name,
    each,
    many,
)

HEALTH = each(version=TEXT, services=many(TEXT), stuck=many(TEXT))

READY = each(ready=TRUTH, services=many(TEXT), missing=many(TEXT))

OPENAPI = at_least(openapi=TEXT, info=by_name(ANYTHING), paths=by_name(ANYTHING))

ASYNCAPI = at_least(asyncapi=TEXT, info=by_name(ANYTHING), channels=by_name(ANYTHING), operations=by_name(ANYTHING))

SCHEMA_TYPE = "application/schema+json"

SCHEMA = {
    **at_least(**{"$schema": TEXT, "$id": TEXT, "$ref": TEXT, "$defs": by_name(ANYTHING)}),
    "contentMediaType": SCHEMA_TYPE,
}

ROLES = each(
    roles=many(TEXT),
    operations=many(each(method=TEXT, path=TEXT, id=TEXT, summary=TEXT, public=TRUTH, roles=many(TEXT))),
)
