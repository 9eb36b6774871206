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

MACHINE: dict[str, Shape] = {"clock": NUMBER, "database_ahead": NUMBER, "free": maybe(WHOLE)}
"""A process's clock in seconds since 1970, how far its database's is ahead, and the bytes left on that one's disk."""
CONDITION = either(
    some(
        each(service=TEXT, version=TEXT, pending=WHOLE, oldest_pending=maybe(NUMBER), parked=WHOLE, alarms=WHOLE),
        **MACHINE,
        parked_events=WHOLE,
        ahead=maybe(NUMBER),
        down=many(TEXT),
        opens=maybe(TRUTH),
        rehearsal=TRUTH,
    ),
    each(away={"const": True}),
)
TROUBLE = some(each(code=TEXT, zh=TEXT, en=TEXT), name=TEXT, service=TEXT)

STATUS = each(
    services=by_name(CONDITION),
    gateway=each(version=TEXT, generation=TEXT, parked=WHOLE, alarms=WHOLE, jobs=by_name(JOB), **MACHINE),
    queues=by_name(maybe(WHOLE)),
    broker=each(answers=TRUTH, blocked=maybe(TEXT), missing=many(TEXT)),
    heard=by_name(maybe(INSTANT)),
    as_of=INSTANT,
    revision=WHOLE,
    complete=TRUTH,
    reasons=many(REASON),
    troubles=many(TROUBLE),
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
