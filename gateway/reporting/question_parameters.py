"""Parameters of questions about the plan, its numbers and periods, and the inputs of its commands."""

from __future__ import annotations

from datetime import date

from gateway.http.pagination import CURSOR, LIMIT
from gateway.http.parameters import InvalidValue, Parameter, day, instant, names, one_of, truth
from gateway.plans.periods import FORMS, STEPS, UnknownPeriod, read
from services.chassis import fields


class Target(fields.Schema):
    """The revision of a target: in the KPI's unit (yuan, not fen), by a decision with its document (G-09)."""

    value = fields.Whole()
    baseline = fields.Whole(required=False)
    decided_on = fields.Day()
    doc_no = fields.Text()
    why = fields.Text(max=500)


class Close(fields.Schema):
    """The closing of a period."""

    why = fields.Text(max=500)


class PlanFile(fields.Schema):
    """A plan to put in force: the whole file."""

    file = fields.Verbatim(max=1_000_000)
    why = fields.Text(max=500)


def period(text: str) -> str:
    """Check that a text names a period; its days may depend on the day of the question."""
    try:
        read(text, date(2011, 12, 31))
    except UnknownPeriod as error:
        raise InvalidValue(error.en, error.zh) from None
    return text


def group(text: str) -> tuple[str, str | None]:
    """Read one group of a number, like `format:plaza`; nothing after the colon: the records without that field."""
    name, colon, value = text.partition(":")
    if not colon:
        raise InvalidValue(
            f"{text[:40]!r} is no group like format:plaza.", f"“{text[:40]}”不是分组；应写作 format:plaza。"
        )
    return name, value or None


PERIOD = Parameter(
    period, "The period of the facts; by default the plan's year.", "事实发生的时段；缺省为计划年度。",
    {"type": "string", "examples": list(FORMS)},
)  # fmt: skip

RELATIVE_TO = Parameter(
    day, "The day that LAST_3_MONTHS and the like look back from.", "LAST_3_MONTHS 等时段所参照的日期。",
    {"type": "string", "format": "date"},
)  # fmt: skip

AS_OF = Parameter(
    instant, "Answer by what was known at this instant; a day stands for its end. The answer never changes.",
    "截至此时已知的情况；日期表示当日结束。同一问题永远得到同一答案。",
    {"type": "string", "examples": ["2011-10-31", "2011-10-31T18:00:00+08:00"]},
)  # fmt: skip

EXPLAIN = Parameter(
    truth, "Explain how the number comes about.", "说明数字的由来。", {"type": "string", "enum": ["true", "false"]}
)

STEP = Parameter(one_of(STEPS), "The length of a step; by default a month.", "步长；缺省为月。", {"enum": [*STEPS]})

GROUP = Parameter(group, "Count only this group of the number, like format:plaza.", "仅限该分组，如 format:plaza。")

PART = Parameter(str, "The part to list, of a number that is the least of several.", "取最小值的指标中的哪一部分。")

YEAR = Parameter(str, "The year of the plan; by default the last one.", "哪一年的计划；缺省为最近一年。")

DISTRICT = Parameter(str, "Count only this district, by its GB/T 2260 code.", "仅限该辖区（GB/T 2260 代码）。")

BY = Parameter(names, "Split the number by this field, or by several: a,b.", "按此字段分组；多个以逗号分隔。")

PERIOD_AND_INSTANT = {"period": PERIOD, "relative_to": RELATIVE_TO, "as_of": AS_OF}

PROGRESS = {**PERIOD_AND_INSTANT, "district": DISTRICT}

KPI = {**PERIOD_AND_INSTANT, "by": BY, "district": DISTRICT, "explain": EXPLAIN}

SERIES = {**PERIOD_AND_INSTANT, "step": STEP, "district": DISTRICT}

RECORDS = {**PERIOD_AND_INSTANT, "district": DISTRICT, "group": GROUP, "part": PART, "cursor": CURSOR, "limit": LIMIT}

ITEM = {**PERIOD_AND_INSTANT, "year": YEAR}

AS_OF_ONLY = {"as_of": AS_OF}
