"""Parked messages: which there are, and one of them by the beginning of its id."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from rich.table import Table

from deploy.cli.client import Gateway
from deploy.cli.output import duration, instant, plain, table
from deploy.errors import Trouble
from deploy.local.programs import NAMES

PAGE = 1_000

Item = dict[str, Any]


class NoSuchMessage(Trouble):
    """None, or several, begin like that."""


def find(gateway: Gateway, beginning: str, *, service: str | None) -> Item:
    """The message whose id begins so, among those that wait, else among those that are settled."""
    services = (service,) if service else NAMES
    for state in ("waiting", "settled"):
        found = [one for name in services for one in pages(gateway, name, state) if one["id"].startswith(beginning)]
        if len(found) > 1:
            raise NoSuchMessage(f"{len(found):,} messages begin with {beginning}; give more of the id.")
        if found:
            return found[0]
    raise NoSuchMessage(f"No parked message begins with {beginning}; `./kexie parked list` shows them.")


def pages(gateway: Gateway, service: str, state: str) -> Iterator[Item]:
    cursor = None
    while True:
        page = gateway.get("parked", service=service, state=state, cursor=cursor, limit=PAGE)
        yield from page["items"]
        cursor = page["cursor"]
        if cursor is None:
            return


def waiting(page: Item, now: datetime) -> Table:
    headings = ("id", "service", "age", "queue", "error", "next try", "tries", "alarm")
    return table(headings, (_waiting(one, now) for one in page["items"]))


def _waiting(one: Item, now: datetime) -> tuple[Any, ...]:
    age = duration((now - datetime.fromisoformat(one["parked_at"])).total_seconds())
    alarm = "ALARM" if one["alarm"] else ""
    return one["id"], one["service"], age, one["queue"], one["error"], instant(one["due_at"]), one["tries"], alarm


def settled(page: Item) -> Table:
    headings = ("id", "service", "queue", "error", "state", "settled", "by", "why")
    names = ("id", "service", "queue", "error", "state")
    return table(
        headings,
        ((*(one[name] for name in names), instant(one["settled_at"]), one["settled_by"], one["why"])
        for one in page["items"]),
    )  # fmt: skip


def whole(one: Item) -> str:
    """One message with what it says and why it could not be handled."""
    long = ("properties", "body", "traceback")
    lines = [f"{name:<12} {value}" for name, value in one.items() if name not in long and value is not None]
    lines += [f"{name:<12} {value}" for name, value in one["properties"].items()]
    return plain("\n".join((*lines, "", _readable(one["body"]), "", one["traceback"].rstrip())))


def _readable(body: str) -> str:
    """JSON on several lines, anything else as it is."""
    try:
        return json.dumps(json.loads(body), ensure_ascii=False, indent=2)
    except (ValueError, RecursionError):
        return body
