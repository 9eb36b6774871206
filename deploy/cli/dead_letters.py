"""Parked messages (dead letters): listing them, and finding one by the beginning of its id."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from rich.table import Table

from deploy.cli.client import Gateway
from deploy.cli.output import duration, instant, plain, table
from deploy.errors import CommandFailed
from deploy.local.programs import NAMES

PAGE = 1_000

Item = dict[str, Any]


class NoSuchMessage(CommandFailed):
    """An id's beginning that no message has, or several."""


def find(gateway: Gateway, beginning: str, *, service: str | None) -> Item:
    """Return the message whose id begins so, of those that wait, else of those that are settled."""
    services = (service,) if service else NAMES
    for state in ("waiting", "settled"):
        items = (item for name in services for item in every(gateway, name, state))
        matching = [item for item in items if item["id"].startswith(beginning)]
        if len(matching) > 1:
            raise NoSuchMessage(f"{len(matching):,} messages begin with {beginning}; give more of the id.")
        if matching:
            return matching[0]
    raise NoSuchMessage(f"No parked message begins with {beginning}; `./kexie parked list` shows them.")


def every(gateway: Gateway, service: str, state: str) -> Iterator[Item]:
    """Yield the messages of a service in a state, page by page."""
    return gateway.every("parked", service=service, state=state, limit=PAGE)


def waiting(page: Item, now: datetime) -> Table:
    """Return a table of messages that wait."""
    headings = ("id", "service", "age", "queue", "error", "next try", "tries", "alarm")
    return table(headings, (_waiting(item, now) for item in page["items"]))


def _waiting(item: Item, now: datetime) -> tuple[Any, ...]:
    age = duration((now - datetime.fromisoformat(item["parked_at"])).total_seconds())
    alarm = "ALARM" if item["alarm"] else ""
    next_try = instant(item["due_at"])
    return item["id"], item["service"], age, item["queue"], item["error"], next_try, item["tries"], alarm


def settled(page: Item) -> Table:
    """Return a table of messages that were replayed or discarded."""
    headings = ("id", "service", "queue", "error", "state", "settled", "by", "why")
    names = ("id", "service", "queue", "error", "state")
    return table(
        headings,
        ((*(item[name] for name in names), instant(item["settled_at"]), item["settled_by"], item["why"])
        for item in page["items"]),
    )  # fmt: skip


def details(item: Item) -> str:
    """Return a message with its headers, its text and the traceback of its failure."""
    long = ("properties", "body", "traceback")
    lines = [f"{name:<12} {value}" for name, value in item.items() if name not in long and value is not None]
    lines += [f"{name:<12} {value}" for name, value in item["properties"].items()]
    return plain("\n".join((*lines, "", _readable(item["body"]), "", item["traceback"].rstrip())))


def _readable(body: str) -> str:
    """JSON indented, anything else as it is."""
    try:
        return json.dumps(json.loads(body), ensure_ascii=False, indent=2)
    except (ValueError, RecursionError):
        return body
