"""Whether the demo year may be written: only in a rehearsal, and never among records of others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from deploy.demo.story import ROLES, Story
from services.chassis.client import Caller
from services.chassis.problem import NotFound, Problem
from services.chassis.tokens import issue
from services.contract import KINDS
from services.contract.topology import SERVICES

WITHIN = 5.0  # seconds for an answer
NOTHING_WRITTEN = "Nothing was written."

Conditions = Mapping[str, Mapping[str, Any] | None]
"""The condition of each service; None for one that does not answer."""


def refusal(conditions: Conditions, *, kinds: Iterable[str], has_begun: bool) -> str | None:
    """Return why the demo year may not be written, with the next step; None where it may.

    `kinds` are those of which there are records; where the demo `has_begun`, they are its own, and it goes on.
    """
    away = [name for name, condition in conditions.items() if condition is None]
    if away:
        return f"{', '.join(away)} did not answer: `./kexie status` shows why. {NOTHING_WRITTEN}"
    real = [name for name, condition in conditions.items() if not (condition or {}).get("rehearsal")]
    if real:
        return (
            f"{', '.join(real)} would refuse commands of 2011: this is no rehearsal. Where no record is real, write "
            f"REHEARSAL=yes into deploy/.env, and `./kexie deploy compose up -d --wait`. {NOTHING_WRITTEN}"
        )
    if (existing := list(kinds)) and not has_begun:
        return f"There are records already ({', '.join(existing[:3])}), and not of the demo year. {NOTHING_WRITTEN}"
    return None


def ask(caller: Caller, private_key: str, first: Story) -> str | None:
    """Ask the services, and return the refusal or None; `first` is the story that the demo begins with."""

    def call(service: str, method: str, arguments: dict[str, Any], *, by: str = "operator") -> Any:
        roles = ROLES.get(by, ("operator",))
        token = issue(private_key, subject=by, roles=roles, lifetime=timedelta(minutes=5))
        return caller.call(service, method, arguments, token=token, timeout=WITHIN)

    def condition(service: str) -> Any:
        try:
            return call(service, "condition", {})
        except Problem:
            return None

    def has_begun() -> bool:
        step = first.steps[0]
        kind = step.command.partition("_")[2]
        try:
            history = call(step.service, f"history_of_{kind}", {"id": step.arguments[f"{kind}_id"]}, by=step.by)
        except NotFound:
            return False
        return bool(history["versions"][0]["by"] == step.by)

    conditions = {service: condition(service) for service in SERVICES}
    if None in conditions.values():
        return refusal(conditions, kinds=(), has_begun=False)
    existing = [
        kind.key for kind in KINDS.values() if call(kind.service, "bucket", {"kind": kind.name, "limit": 1})["records"]
    ]
    return refusal(conditions, kinds=existing, has_begun=has_begun())
