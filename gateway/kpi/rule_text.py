"""Rules in words, in both languages, so that whoever reads a number can read how it comes about.

Knows nothing of counts; kinds, fields and values are called what the glossary calls them.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from gateway.plans.model import Kpi, Words
from services.contract import glossary
from services.contract.glossary import Language
from services.contract.rule import Condition, Rule

TRUTHS = {True: Words("是", "yes"), False: Words("否", "no"), None: Words("未填", "not given")}

MADE = {
    "count": Words("{kind}的条数", "the number of records of {kind}"),
    "sum": Words("{kind}的“{field}”合计", "the sum of “{field}” of {kind}"),
    "distinct": Words("{kind}中不同“{field}”的个数", "how many different “{field}” there are among {kind}"),
    "last": Words("最近一条{kind}的“{field}”", "“{field}” of the last {kind}"),
}


def rule(said: Rule) -> Words:
    """What counts, under which conditions, and by which day."""
    made = MADE[said.measure]
    zh = _filled(made.zh, said, "zh")
    en = _filled(made.en, said, "en")
    conditions = [condition(said, one) for one in said.where]
    if conditions:
        zh += "；条件：" + "，".join(one.zh for one in conditions)
        en += "; where " + ", ".join(one.en for one in conditions)
    day = _both(lambda language: glossary.field(said.on, of=said.of.key, language=language))
    return Words(f"{zh}；按“{day.zh}”归入时段。", f"{en}; by the day of “{day.en}”.")


def condition(said: Rule, one: Condition) -> Words:
    name = _field(said, one.field)
    if one.exists is not None:
        return Words(
            f"“{name.zh}”{'已填' if one.exists else '未填'}", f"“{name.en}” is {'given' if one.exists else 'not given'}"
        )
    if one.any_of:
        values = [value(each, said, one.field) for each in one.any_of]
        return Words(
            f"“{name.zh}”为" + "或".join(each.zh for each in values),
            f"“{name.en}” is " + " or ".join(each.en for each in values),
        )
    bounds = [f"{sign} {bound}" for sign, bound in (("≥", one.gte), ("≤", one.lte)) if bound is not None]
    return Words(f"“{name.zh}” {' '.join(bounds)}", f"“{name.en}” {' '.join(bounds)}")


def exclusion(said: Rule, field: str, held: Any) -> Words:
    """Why records do not count: this field has that value."""
    name, what = _field(said, field), value(held, said, field)
    return Words(f"“{name.zh}”为{what.zh}，不计入", f"“{name.en}” is {what.en}: not counted")


def pace(kpi: Kpi, due: date) -> Words:
    """How the target spreads over the year."""
    if kpi.pace:
        percents = ", ".join(map(str, kpi.pace))
        return Words(f"各月应达百分比：{percents}", f"percent due month by month: {percents}")
    return Words(f"至 {due} 前逐日均匀", f"every day alike until {due}")


def value(held: Any, said: Rule, field: str) -> Words:
    """What a value of a rule's field is called."""
    if held is None or isinstance(held, bool):
        return TRUTHS[held]
    return _both(lambda language: glossary.value(str(held), field=field, of=said.of.key, language=language))


def _field(said: Rule, field: str) -> Words:
    return _both(lambda language: glossary.field(field, of=said.of.key, language=language))


def _filled(made: str, said: Rule, language: Language) -> str:
    kind = glossary.kind(said.of.key, language=language)
    return made.format(kind=kind, field=glossary.field(said.field or "", of=said.of.key, language=language))


def _both(called: Callable[[Language], str]) -> Words:
    return Words(called("zh"), called("en"))
