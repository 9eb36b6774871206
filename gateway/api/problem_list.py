"""The list of problems: every code of an error, and every rule by which a service may refuse."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from gateway.api.catalogue import ServiceDescriptions, one_line
from gateway.http.caching import PrecompressedDocument
from gateway.pages import rendering
from services.chassis.problem import Problem
from services.contract.topology import SERVICES
from services.kernel import REFUSALS

EVERYBODY = "*"
"""Stands for all services, and the gateway."""


class ListedProblem(NamedTuple):
    """One code or rule: its HTTP status, who answers it, and what it means."""

    code: str
    status: int
    by: str
    zh: str
    en: str


def page(described: ServiceDescriptions) -> PrecompressedDocument:
    """Render both tables as a page, each code with an anchor of its name."""
    return rendering.page("/problems", codes=codes(), rules=rules(described))


def codes() -> list[ListedProblem]:
    """List every problem that has a stable code, by its status."""
    problems = {problem.code: problem for problem in _subclasses(Problem) if "code" in vars(problem)}
    return sorted(
        (ListedProblem(code, one.status, EVERYBODY, one.title_zh, one.title_en) for code, one in problems.items()),
        key=lambda listed: (listed.status, listed.code),
    )


def rules(described: ServiceDescriptions) -> list[ListedProblem]:
    """List every rule that a service describes as a reason to refuse, and the gateway's own; each text once."""
    services_of: dict[tuple[str, str, str], list[str]] = {}
    for service, refusal in _refusals(described):
        services_of.setdefault((refusal["rule"], refusal["zh"], one_line(refusal["en"])), []).append(service)
    return [
        ListedProblem(rule, 422, EVERYBODY if len(services) == len(SERVICES) else ", ".join(services), zh, en)
        for (rule, zh, en), services in sorted(services_of.items())
    ]


def _refusals(described: ServiceDescriptions) -> Iterator[tuple[str, dict[str, str]]]:
    for service, description in sorted(described.items()):
        for refusal in description.get("refusals", ()):
            yield service, refusal
    for own in REFUSALS:
        if own.__module__.startswith("gateway."):
            yield "gateway", {"rule": own.rule, "zh": own.zh, "en": own().en}


def _subclasses(problem: type[Problem]) -> Iterator[type[Problem]]:
    for subclass in problem.__subclasses__():
        yield subclass
        yield from _subclasses(subclass)
