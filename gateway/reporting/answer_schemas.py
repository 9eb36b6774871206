"""JSON Schemas of the answers about plans, numbers, editions and the records behind them."""

from __future__ import annotations

from typing import get_args

from gateway.http.json_schema import (
    ANYTHING,
    DAY,
    HASH,
    INSTANT,
    NUMBER,
    TEXT,
    TRUTH,
    VERSION,
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
from gateway.plans.model import Better, Interval, Nature
from gateway.plans.pace import Code
from services.contract.topology import SERVICES

# --- the plan ---------------------------------------------------------------------------------------------------------

OUTLINE = each(year=WHOLE, title=WORDS, items=WHOLE, kpis=many(TEXT), milestones=many(TEXT))
ITEM = each(
    no=WHOLE,
    section=TEXT,
    title=WORDS,
    service=one_of(*SERVICES, "gateway"),
    responsible=TEXT,
    due=DAY,
    unmeasured=maybe(WORDS),
)
UNIT: Shape = {
    **each(zh=TEXT, en=TEXT, scale=VERSION),
    "description": "Numbers of an answer count parts of its unit, `scale` to one: 96000000 with the unit yuan and the "
    "scale 100 are 960,000 yuan (fen). "
    "数值以单位的 1/scale 计：单位为元、scale 为 100 时，96000000 即 960,000 元（以分计）。",
}
QUANTITY: Shape = {**WHOLE, "description": "In parts of the unit, `scale` to one. 以单位的 1/scale 计。"}
WRITTEN_OUT: Shape = {**WORDS, "description": "The value in its unit, ready to be shown. 可直接显示的数值与单位。"}
RULE = each(of=TEXT, where=by_name(ANYTHING), measure=ANYTHING, on=TEXT, by=many(TEXT))
TARGET = each(value=QUANTITY, baseline=maybe(QUANTITY), decided_on=DAY, doc_no=TEXT)
NATURE = one_of(*get_args(Nature))
PLANNED_KPI = each(
    code=TEXT,
    title=WORDS,
    unit=UNIT,
    nature=NATURE,
    better=one_of(*get_args(Better)),
    targets=many(TARGET),
    counts=many(each(name=TEXT, rule=RULE, words=WORDS)),
    reported=maybe(RULE),
    scheduled=maybe(RULE),
    beside=many(each(title=WORDS, rule=RULE)),
    pace=WORDS,
    expects=maybe(one_of(*get_args(Interval))),
)
PLANNED_MILESTONE = each(code=TEXT, title=WORDS, due=DAY, rule=RULE, words=WORDS)

DECISION = {"at": INSTANT, "by": TEXT, "why": TEXT}
APPLIED_PLAN = each(version=VERSION, digest=TEXT, **DECISION)
REVISED_TARGET = each(kpi=TEXT, unit=UNIT, **TARGET["properties"])
PLANS = each(plans=many(OUTLINE))
PLAN = each(
    year=WHOLE,
    title=WORDS,
    districts=by_name(TEXT),
    sections=by_name(WORDS),
    items=many(each(**ITEM["properties"], kpis=many(PLANNED_KPI), milestones=many(PLANNED_MILESTONE))),
    versions=many(either(APPLIED_PLAN, each(kpi=TEXT, value=QUANTITY, decided_on=DAY, doc_no=TEXT, **DECISION))),
)

# --- numbers and milestones -------------------------------------------------------------------------------------------

STATE = one_of("none", "zero", "value", "not_due", "error")
NUMBER_FIELDS = {"value": maybe(QUANTITY), "state": STATE, "records": WHOLE}
REASON = some(
    each(code=TEXT, zh=TEXT, en=TEXT),
    service=maybe(TEXT),
    kpi=TEXT,
    at=TEXT,
    messages=WHOLE,
    records=maybe(WHOLE),
)
COMPLETENESS = {  # an answer about the past says only of which instant it is (G-06)
    "as_of": INSTANT,
    "revision": maybe(WHOLE),
    "freshness": maybe(by_name(maybe(INSTANT))),
    "complete": maybe(TRUTH),
    "reasons": many(REASON),
}
QUESTION = {"period": TEXT, "district": maybe(TEXT), "definition": VERSION, **COMPLETENESS}
KPI_IN_PERIOD = some(
    each(
        code=TEXT,
        title=WORDS,
        plan=WHOLE,
        item=WHOLE,
        unit=UNIT,
        nature=NATURE,
        period=TEXT,
        first=DAY,
        last=DAY,
        district=maybe(TEXT),
        **NUMBER_FIELDS,
        target=maybe(QUANTITY),
        percent=maybe(NUMBER),
        decision=maybe(TARGET),
        original=maybe(each(**TARGET["properties"], percent=maybe(NUMBER))),
        expected=maybe(QUANTITY),
        gap=maybe(QUANTITY),
        remaining=maybe(QUANTITY),
        status=maybe(each(code=one_of(*get_args(Code)), rule=WORDS)),
        months=maybe(
            many(
                each(
                    month=TEXT, value=maybe(QUANTITY), expected=QUANTITY, colour=maybe(one_of("green", "amber", "red"))
                )
            )
        ),
        outlook=maybe(each(actual=QUANTITY, scheduled=maybe(QUANTITY), run_rate=maybe(QUANTITY))),
        reported=maybe(each(**NUMBER_FIELDS)),
        beside=many(each(title=WORDS, **NUMBER_FIELDS)),
        parts=many(each(name=TEXT, **NUMBER_FIELDS)),
    ),
    text=maybe(WRITTEN_OUT),
)  # editions that were signed before 0.2 lack it
EVIDENCE = {"service": TEXT, "kind": TEXT, "id": TEXT, "version": VERSION, "state": TEXT, "history": TEXT}
MILESTONE = each(
    code=TEXT,
    title=WORDS,
    item=WHOLE,
    due=DAY,
    state=one_of("reached", "late", "not_due", "error"),
    reached_on=maybe(DAY),
    evidence=maybe(each(**EVIDENCE)),
)
ITEM_PROGRESS = each(**ITEM["properties"], kpis=many(KPI_IN_PERIOD), milestones=many(MILESTONE))
EXPLANATION = each(
    counts=many(
        each(
            rule=RULE,
            words=WORDS,
            by_state=by_name(WHOLE),
            excluded=many(each(field=TEXT, value=ANYTHING, records=WHOLE, zh=TEXT, en=TEXT)),
        )
    ),
    pace=WORDS,
)

PROGRESS = each(plan=OUTLINE, **QUESTION, items=many(ITEM_PROGRESS))
ITEM_ANSWER = each(plan=OUTLINE, **QUESTION, **ITEM_PROGRESS["properties"])
MILESTONE_ANSWER = each(**MILESTONE["properties"], plan=WHOLE, **COMPLETENESS)
KPI = some(
    each(**{**KPI_IN_PERIOD["properties"], **QUESTION}),
    by=TEXT,
    groups=many(each(key=TEXT, name=TEXT, **NUMBER_FIELDS)),
    unassigned=each(**NUMBER_FIELDS),
    adds_up=TRUTH,
    explain=EXPLANATION,
)
SERIES = each(
    code=TEXT,
    unit=UNIT,
    step=TEXT,
    steps=many(each(period=TEXT, first=DAY, last=DAY, **NUMBER_FIELDS, expected=maybe(QUANTITY))),
    **QUESTION,
)

# --- editions of a period ---------------------------------------------------------------------------------------------

CHANGE = some(
    each(
        kpi=TEXT,
        before=maybe(each(**NUMBER_FIELDS)),
        after=each(**NUMBER_FIELDS),
        records=WHOLE,
        because=many(each(**EVIDENCE, before=ANYTHING, after=ANYTHING, happened=TEXT, time=INSTANT)),
    ),
    unit=UNIT,
)
EDITION = each(edition=VERSION, as_of=INSTANT, by=TEXT, why=TEXT, digest=TEXT, signature=maybe(TEXT), address=TEXT)
EDITIONS = each(year=WHOLE, period=TEXT, editions=many(EDITION), changes=many(CHANGE))
SIGNED_EDITION = each(
    edition=VERSION,
    closed_by=TEXT,
    why=TEXT,
    **PROGRESS["properties"],
    restates=maybe(VERSION),
    changes=many(CHANGE),
)

# --- records behind a number ------------------------------------------------------------------------------------------

VALUE: Shape = {"type": ["string", "integer", "boolean", "null"]}
COUNTED_RECORD: Shape = {
    **each(**EVIDENCE, day=DAY, amount=VALUE),
    "additionalProperties": VALUE,  # the fields that the KPI can be grouped by
}
RECORDS = page(
    COUNTED_RECORD,
    code=TEXT,
    part=maybe(TEXT),
    unit=UNIT,
    group=maybe(TEXT),
    value=maybe(QUANTITY),
    state=STATE,
    total=WHOLE,
    **QUESTION,
)
HISTORY = each(
    service=TEXT,
    kind=TEXT,
    id=TEXT,
    versions=many(
        each(version=VERSION, happened=TEXT, time=INSTANT, actor=TEXT, cause=TEXT, hash=HASH, view=by_name(ANYTHING))
    ),
)
