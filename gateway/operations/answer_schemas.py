"""Answers of the operations, as JSON Schemas."""

from __future__ import annotations

from gateway.http.json_schema import (
    ANYTHING,
    INSTANT,
    NUMBER,
    TEXT,
    TRUTH,
    WHOLE,
    WORDS,
    Shape,
    by_name,
    each,
    either,
    many,
    maybe,
    one_of,
    page,
    some,
)
from gateway.reporting.answer_schemas import REASON

DIFFERENCE: Shape = {"type": "object", "required": ["service", "kind", "id", "what"]}

JOB = some(
    each(job=TEXT, state=one_of("none", "running", "done", "failed")),
    by=TEXT,
    why=maybe(TEXT),
    started_at=INSTANT,
    ended_at=maybe(INSTANT),
    seconds=NUMBER,
    at=TEXT,
    done=WHOLE,
    total=WHOLE,
    unit=TEXT,
    found=many(DIFFERENCE),
    found_count=WHOLE,
    error=maybe(WORDS),
)

CONDITION = either(
    some(
        each(service=TEXT, version=TEXT, pending=WHOLE, oldest_pending=maybe(NUMBER), parked=WHOLE, alarms=WHOLE),
        parked_events=WHOLE,
    ),
    each(away={"const": True}),
)

STATUS = each(
    services=by_name(CONDITION),
    gateway=each(version=TEXT, generation=TEXT, parked=WHOLE, alarms=WHOLE, jobs=by_name(JOB)),
    queues=by_name(maybe(WHOLE)),
    heard=by_name(maybe(INSTANT)),
    as_of=INSTANT,
    revision=WHOLE,
    complete=TRUTH,
    reasons=many(REASON),
)

SETTLED = each(
    id=TEXT,
    queue=TEXT,
    exchange=maybe(TEXT),
    routing_key=maybe(TEXT),
    error=TEXT,
    parked_at=INSTANT,
    size=WHOLE,
    state=one_of("waiting", "handled", "replayed", "discarded"),
    tries=WHOLE,
    due_at=maybe(INSTANT),
    alarm=TRUTH,
    settled_at=maybe(INSTANT),
    settled_by=maybe(TEXT),
    why=maybe(TEXT),
)

PARKED = some(page(each(service=TEXT, **SETTLED["properties"]), total=WHOLE), away=many(TEXT))

PARKED_MESSAGE = each(**SETTLED["properties"], body=TEXT, properties=by_name(ANYTHING), traceback=TEXT)
