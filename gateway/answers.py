"""The answers of the gateway's addresses, as JSON Schemas; what a service answers stands in its `describe`."""

from __future__ import annotations

from gateway.shapes import (
    ANYTHING,
    DAY,
    INSTANT,
    NUMBER,
    TEXT,
    TRUTH,
    WHOLE,
    WORDS,
    Shape,
    at_least,
    by_name,
    each,
    many,
    maybe,
    of_type,
    one_of,
    page,
    some,
)
from services.contract.topology import SERVICES

HASH: Shape = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
VERSION: Shape = {"type": "integer", "minimum": 1}

# --- the plan ---------------------------------------------------------------------------------------------------------

OUTLINE = each(year=WHOLE, title=WORDS, items=WHOLE, kpis=many(TEXT))
ITEM = each(no=WHOLE, section=TEXT, title=WORDS, service=one_of(*SERVICES, "gateway"), responsible=TEXT, due=DAY)
UNIT = each(zh=TEXT, en=TEXT, scale=VERSION)
RULE = each(of=TEXT, where=by_name(ANYTHING), measure=ANYTHING, on=TEXT, by=many(TEXT))
KPI_DECIDED = each(
    code=TEXT,
    title=WORDS,
    unit=UNIT,
    targets=many(each(value=WHOLE, decided_on=DAY, doc_no=TEXT)),
    rule=RULE,
    reported=maybe(RULE),
    beside=many(each(title=WORDS, rule=RULE)),
)

PLANS = each(plans=many(OUTLINE))
PLAN = each(
    year=WHOLE,
    title=WORDS,
    districts=by_name(TEXT),
    sections=by_name(WORDS),
    items=many(each(**ITEM["properties"], kpis=many(KPI_DECIDED))),
)

# --- its numbers ------------------------------------------------------------------------------------------------------

STATE = one_of("none", "zero", "value")
NUMBERS = {"value": maybe(WHOLE), "state": STATE, "records": WHOLE}
REASON = some(
    each(code=TEXT, zh=TEXT, en=TEXT),
    service=maybe(TEXT),
    kpi=TEXT,
    at=TEXT,
    messages=WHOLE,
    records=maybe(WHOLE),
)
STANDING = {
    "as_of": INSTANT,
    "revision": WHOLE,
    "freshness": by_name(maybe(INSTANT)),
    "complete": TRUTH,
    "reasons": many(REASON),
}
NUMBER_OF_KPI = each(
    code=TEXT,
    title=WORDS,
    plan=WHOLE,
    item=WHOLE,
    unit=UNIT,
    period=TEXT,
    first=DAY,
    last=DAY,
    district=maybe(TEXT),
    **NUMBERS,
    target=maybe(WHOLE),
    percent=maybe(NUMBER),
    reported=maybe(each(**NUMBERS)),
    beside=many(each(title=WORDS, **NUMBERS)),
)

PROGRESS = each(
    plan=OUTLINE,
    period=TEXT,
    district=maybe(TEXT),
    **STANDING,
    items=many(each(**ITEM["properties"], kpis=many(NUMBER_OF_KPI))),
)
KPI = some(
    each(**NUMBER_OF_KPI["properties"], **STANDING),
    by=TEXT,
    groups=many(each(key=TEXT, name=TEXT, **NUMBERS)),
    unassigned=each(**NUMBERS),
)

# --- what they are made of --------------------------------------------------------------------------------------------

COUNTED: Shape = {
    **each(service=TEXT, kind=TEXT, id=TEXT, version=VERSION, state=TEXT, day=DAY, amount=WHOLE, history=TEXT),
    "additionalProperties": maybe(TEXT),  # the fields that the KPI can be grouped by
}
RECORDS = page(
    COUNTED,
    code=TEXT,
    period=TEXT,
    district=maybe(TEXT),
    value=maybe(WHOLE),
    state=STATE,
    total=WHOLE,
    **STANDING,
)
HISTORY = each(
    service=TEXT,
    kind=TEXT,
    id=TEXT,
    versions=many(
        each(version=VERSION, happened=TEXT, time=INSTANT, actor=TEXT, cause=TEXT, hash=HASH, view=by_name(ANYTHING))
    ),
)

# --- what the services do ---------------------------------------------------------------------------------------------

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
        service=one_of(*SERVICES),
        command=TEXT,
        state=one_of("accepted", "done", "refused"),
        accepted_at=INSTANT,
    ),
    record=by_name(ANYTHING),
    problem=PROBLEM_SAID,
)

# --- operations -------------------------------------------------------------------------------------------------------

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
CONDITION: Shape = {
    "anyOf": [
        each(
            service=TEXT,
            version=TEXT,
            pending=WHOLE,
            oldest_pending=maybe(NUMBER),
            parked=WHOLE,
            alarms=WHOLE,
        ),
        each(away={"const": True}),
    ]
}
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

# --- the process and its documents ------------------------------------------------------------------------------------

HEALTH = each(version=TEXT, services=many(TEXT), stuck=many(TEXT))
READY = each(ready=TRUTH, services=many(TEXT), missing=many(TEXT))
PLAIN = of_type("text/plain")
PAGE = of_type("text/html")
ASSET = ANYTHING
OPENAPI = at_least(openapi=TEXT, info=by_name(ANYTHING), paths=by_name(ANYTHING))
ASYNCAPI = at_least(asyncapi=TEXT, info=by_name(ANYTHING), channels=by_name(ANYTHING), operations=by_name(ANYTHING))
ROLES = each(
    roles=many(TEXT),
    operations=many(each(method=TEXT, path=TEXT, id=TEXT, summary=TEXT, public=TRUTH, roles=many(TEXT))),
)
