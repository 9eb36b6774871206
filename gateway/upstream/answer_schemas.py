"""Answers about commands that were accepted for a service which could not be reached, as JSON Schemas."""

from __future__ import annotations

from gateway.http.json_schema import (
    ANYTHING,
    INSTANT,
    TEXT,
    WHOLE,
    by_name,
    each,
    many,
    maybe,
    one_of,
    some,
)
from services.contract.topology import SERVICES

PROBLEM_SAID = each(
    error=TEXT,
    status=WHOLE,
    code=TEXT,
    en=TEXT,
    zh=TEXT,
    involved=by_name(ANYTHING),
    errors=many(each(field=TEXT, en=TEXT, zh=TEXT, rule=maybe(TEXT))),
)

ACCEPTED = some(
    each(
        command_id=TEXT,
        by=TEXT,
        service=one_of(*SERVICES),
        command=TEXT,
        state=one_of("accepted", "done", "refused"),
        accepted_at=INSTANT,
    ),
    record=by_name(ANYTHING),
    problem=PROBLEM_SAID,
)
