"""The Chinese labels of a file: of its columns, and of the values of closed lists.

The contract's glossary has the fields of views and their values; the fields that only answers have are here.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from services.contract import KINDS, glossary
from services.contract.topology import SERVICES
from services.kernel.money import is_money

HEADS = {
    "actual": "已完成",
    "adds_up": "分组之和等于总数",
    "baseline": "基数",
    "decided_on": "决定日期",
    "decision": "目标决定",
    "doc_no": "文号",
    "evidence": "依据记录",
    "expected": "应达",
    "gap": "与应达之差",
    "milestone": "里程碑",
    "milestones": "里程碑",
    "nature": "口径",
    "original": "原目标",
    "outlook": "年终预计",
    "part": "分项",
    "parts": "分项",
    "reached_on": "完成日期",
    "remaining": "距目标",
    "row": "行别",
    "rule": "规则",
    "run_rate": "按现进度",
    "scheduled": "已安排",
    "step": "步长",
    "unmeasured": "暂不计量的原因",
    "amount": "计入数量",
    "as_of": "截至",
    "at": "处理时间",
    "because": "起因",
    "before": "此前",
    "beside": "另列",
    "by": "经办人",
    "code": "代码",
    "complete": "数据是否完整",
    "definition": "定义版本",
    "district_name": "辖区名称",
    "due": "期限",
    "first": "起始日",
    "freshness": "各服务最近事件",
    "generation": "台账代号",
    "group": "分组",
    "hash": "摘要",
    "history": "历史地址",
    "item": "工作项",
    "items": "工作项数",
    "key": "代码",
    "kind": "类别",
    "kpi": "指标",
    "kpis": "指标",
    "last": "截止日",
    "no": "序号",
    "percent": "完成百分比",
    "period": "时段",
    "plan": "工作要点",
    "question": "查询",
    "reasons": "不完整的原因",
    "records": "记录数",
    "reported": "填报数",
    "responsible": "责任部门",
    "revision": "台账版本",
    "section": "板块",
    "service": "服务",
    "state": "状态",
    "status": "进度",
    "target": "目标",
    "title": "名称",
    "total": "总数",
    "unit": "单位",
    "value": "数值",
    "view": "",
}
"""Labels of an answer's own fields; empty where a column needs none."""

STATES = {"none": "无数据", "zero": "零", "value": "有数据", "not_due": "未到期", "error": "来源出错"}  # G-05
REACHED = {"reached": "已达成", "late": "逾期"}
NATURES = {"flow": "当期", "stock": "时点", "to_date": "累计"}
STEPS = {"day": "日", "week": "周", "month": "月", "quarter": "季", "year": "年"}
ROWS = {"group": "分组", "unassigned": "未归入", "total": "合计"}
STATUS = {
    "reached": "已达目标",
    "ahead": "超前",
    "on_track": "正常",
    "behind": "滞后",
    "late": "逾期",
    "not_due": "未到期",
}
OURS = {"gateway": "网关"}
VALUES: Mapping[str, Mapping[str, str]] = {
    "state": STATES | REACHED,
    "status": STATUS,
    "nature": NATURES,
    "step": STEPS,
    "row": ROWS,
}
"""Labels of the values of an answer's own fields."""


def head(path: tuple[str, ...], *, of: str = "") -> str:
    """Label a column by its path; `of` is the kind of the records, where they are of one."""
    words = [_name(part, of) for part in path]
    return "·".join(word for word in words if word)


def value(name: str, text: str, *, of: str = "") -> str:
    """Label a value of a closed list; return any other text as it is."""
    return _values(name, of).get(text, text)


def _name(part: str, of: str) -> str:
    if part in HEADS:
        return HEADS[part]
    if part in SERVICES:
        return glossary.service(part)
    return glossary.field(part, of=of) + ("（元）" if is_money(part) else "")


@cache
def _values(name: str, of: str) -> Mapping[str, str]:
    """Label all values that a field of this name can have."""
    match name:
        case "service" | "at":
            return {service: glossary.service(service) for service in SERVICES} | OURS
        case "happened":
            return {name: glossary.happening(name) for kind in KINDS.values() for name in kind.happenings}
        case "kind":
            return {kind.name: glossary.kind(kind.key) for kind in KINDS.values()}
    fields = [kind.fields[name] for kind in KINDS.values() if name in kind.fields]
    choices = {choice for field in fields for choice in field.choices}
    return {choice: glossary.value(choice, field=name, of=of) for choice in choices} | dict(VALUES.get(name, {}))
