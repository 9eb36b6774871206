"""Who may do what, as a page: a line for each address, a column for each role."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape

from gateway.api.catalogue import Operation
from services.chassis.tokens import ROLES

NAMES = {
    "viewer": "查看",
    "recorder": "填报",
    "verifier": "核实",
    "chair": "领导",
    "judge": "评委",
    "finance": "财务",
    "operator": "运维",
    "system": "外部系统",
}
MAY = "●"


def filled(operations: Iterable[Operation]) -> dict[str, str]:
    """What the page's template needs."""
    heads = (f'<th>{NAMES[role]}<br><span lang="en">{role}</span></th>' for role in ROLES)
    return {"roles": "".join(heads), "rows": "\n".join(_rows(operations))}


def _rows(operations: Iterable[Operation]) -> Iterator[str]:
    for one in operations:
        address = f"<td><code>{one.method} {escape(one.path)}</code><br>{escape(one.summary)}</td>"
        yield f"<tr>{address}{_cells(one)}</tr>"


def _cells(one: Operation) -> str:
    if one.public:
        return f'<td colspan="{len(ROLES)}">公开 <span lang="en">public</span></td>'
    return "".join(f"<td>{MAY if role in one.roles else ''}</td>" for role in ROLES)
