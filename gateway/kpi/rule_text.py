"""Rules in words, in both languages, so that the reader of a number can read how it comes about.

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

MEASURES = {
    "count": Words("{kind}的条数", "the number of records of {kind}"),
    "sum": Words("{kind}的“{field}”合计", "the sum of “{field}” of {kind}"),
    "distinct": Words("{kind}中不同“{field}”的个数", "how many different “{field}” there are among {kind}"),
    "last": Words("最近一条{kind}的“{field}”", "“{field}” of the last {kind}"),
}


def rule(rule: Rule) -> Words:
    """Say what counts, under which conditions, and by which day."""
    template = MEASURES[rule.measure]
    zh = _filled(template.zh, rule, "zh")
    en = _filled(template.en, rule, "en")
    conditions = [condition(rule, where) for where in rule.where]
    if conditions:
        zh += "；条件：" + "，".join(words.zh for words in conditions)
        en += "; where " + ", ".join(words.en for words in conditions)
    day = _field(rule, rule.on)
    return Words(f"{zh}；按“{day.zh}”归入时段。", f"{en}; by the day of “{day.en}”.")


def condition(rule: Rule, where: Condition) -> Words:
    """Say which values of a field let a record count."""
    name = _field(rule, where.field)
    if where.exists is not None:
        zh, en = ("已填", "given") if where.exists else ("未填", "not given")
        return Words(f"“{name.zh}”{zh}", f"“{name.en}” is {en}")
    if where.any_of:
        values = [value(choice, rule, where.field) for choice in where.any_of]
        return Words(
            f"“{name.zh}”为" + "或".join(words.zh for words in values),
            f"“{name.en}” is " + " or ".join(words.en for words in values),
        )
    bounds = [f"{sign} {bound}" for sign, bound in (("≥", where.gte), ("≤", where.lte)) if bound is not None]
    return Words(f"“{name.zh}” {' '.join(bounds)}", f"“{name.en}” {' '.join(bounds)}")


def exclusion(rule: Rule, field: str, excluded: Any) -> Words:
    """Say why records do not count: this field has that value."""
    name, words = _field(rule, field), value(excluded, rule, field)
    return Words(f"“{name.zh}”为{words.zh}，不计入", f"“{name.en}” is {words.en}: not counted")


def pace(kpi: Kpi, due: date) -> Words:
    """Say how the target spreads over the year."""
    if kpi.pace:
        percents = ", ".join(map(str, kpi.pace))
        return Words(f"各月应达百分比：{percents}", f"percent due month by month: {percents}")
    return Words(f"至 {due} 前逐日均匀", f"every day alike until {due}")


def value(value: Any, rule: Rule, field: str) -> Words:
    """Name a value of a field of the rule's kind."""
    if value is None or isinstance(value, bool):
        return TRUTHS[value]
    return _both(lambda language: glossary.value(str(value), field=field, of=rule.of.key, language=language))


def _field(rule: Rule, field: str) -> Words:
    return _both(lambda language: glossary.field(field, of=rule.of.key, language=language))


def _filled(template: str, rule: Rule, language: Language) -> str:
    kind = glossary.kind(rule.of.key, language=language)
    return template.format(kind=kind, field=glossary.field(rule.field or "", of=rule.of.key, language=language))


def _both(name_in: Callable[[Language], str]) -> Words:
    return Words(name_in("zh"), name_in("en"))
