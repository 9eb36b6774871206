"""The list of problems: every code that an error can have, and every rule that a service may refuse by, as a page."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape
from typing import NamedTuple

from gateway.api.catalogue import ServiceDescriptions
from services.chassis.problem import Problem
from services.contract.topology import SERVICES
from services.kernel import REFUSALS


class Listed(NamedTuple):
    """One code: who says it, with which status, and what it means."""

    code: str
    status: int
    by: str
    zh: str
    en: str


def codes() -> list[Listed]:
    """Every problem with a stable code."""
    found = {one.code: one for one in _kinds(Problem) if "code" in vars(one)}
    return [
        Listed(code, one.status, "*", one.title_zh, one.title_en)
        for code, one in sorted(found.items(), key=lambda item: (item[1].status, item[0]))
    ]


def rules(said: ServiceDescriptions) -> list[Listed]:
    """Every rule that a service said it refuses by, and those of the gateway itself."""
    own = [
        {"rule": one.rule, "zh": one.zh, "en": one().en} for one in REFUSALS if one.__module__.startswith("gateway.")
    ]
    told = [(service, description.get("refusals", ())) for service, description in sorted(said.items())]
    by: dict[tuple[str, str, str], list[str]] = {}
    for service, refusals in [*told, ("gateway", own)]:
        for one in refusals:
            by.setdefault((one["rule"], one["zh"], " ".join(one["en"].split())), []).append(service)
    return [
        Listed(rule, 422, "*" if len(services) == len(SERVICES) else ", ".join(services), zh, en)
        for (rule, zh, en), services in sorted(by.items())
    ]


def filled(said: ServiceDescriptions) -> dict[str, str]:
    """What the page's template needs, in Chinese and English."""
    return {"codes": "\n".join(_rows(codes())), "rules": "\n".join(_rows(rules(said)))}


def _kinds(kind: type[Problem]) -> Iterator[type[Problem]]:
    for one in kind.__subclasses__():
        yield one
        yield from _kinds(one)


def _rows(listed: Iterable[Listed]) -> Iterator[str]:
    seen: set[str] = set()
    for one in listed:
        anchor = "" if one.code in seen else f' id="{escape(one.code)}"'
        seen.add(one.code)
        cells = (f"<code>{escape(one.code)}</code>", str(one.status), *map(escape, (one.by, one.zh, one.en)))
        yield f"<tr{anchor}>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"
