"""Rights in the broker: what each user may declare, write and read, and with which routing keys.

A service has a user of its own. So has every outside system, which may call exactly the methods and hear exactly the
events that were granted to it: the broker refuses the rest, whatever a program says of itself.
"""

from __future__ import annotations

import re
import secrets
from base64 import b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from services.contract.topology import (
    LEDGER_QUEUE,
    RPC_EXCHANGE,
    SERVICES,
    SOURCES,
    EventQueue,
    exchange,
    queues,
    queues_of,
)

NOTHING = "^$"
OUR_REPLIES = r"reply\.[0-9a-f]{32}"
STOCK_REPLIES = r"rpc\.reply-.*"
STOCK_REPLY_KEYS = "[0-9a-f-]{36}"

Definitions = dict[str, Any]
Patterns = tuple[str, str]
"""Which routing keys may be written to an exchange, and which read (bound) from it."""


@dataclass(frozen=True, kw_only=True)
class Rights:
    """Regular expressions as RabbitMQ has them; on an exchange without patterns of its own any key goes."""

    configure: str
    write: str
    read: str
    keys: Mapping[str, Patterns] = field(default_factory=dict)


def of_service(name: str) -> Rights:
    """One of the four: it serves its methods, publishes its events, and hears what the topology says."""
    mine, hears = exchange(name), queues_of(name)
    fed = [queue for queue in queues() if mine in _sources(queue)]
    own = [f"rpc-{name}", *(queue.name for queue in hears)]
    return Rights(
        configure=_any(RPC_EXCHANGE, *map(exchange, SOURCES), *own, *(queue.name for queue in fed)),
        write=_any(mine, RPC_EXCHANGE, *own, *(queue.name for queue in fed)),
        read=_any(mine, RPC_EXCHANGE, *own, *(source for queue in hears for source in _sources(queue))),
        keys={
            RPC_EXCHANGE: (_any_of(OUR_REPLIES, STOCK_REPLY_KEYS), _any(f"{name}.*")),
            **_heard(hears),
            mine: (".*", ".*"),
        },
    )


def of_gateway() -> Rights:
    """It calls every method, takes in every event of the four, and tells which tokens are revoked."""
    mine = exchange("gateway")
    fed = [queue for queue in queues() if mine in _sources(queue)]
    own = [LEDGER_QUEUE.name, *(queue.name for queue in fed)]
    sources = [exchange(name) for name in SERVICES]
    return Rights(
        configure=_with(OUR_REPLIES, RPC_EXCHANGE, mine, *sources, *own),
        write=_with(OUR_REPLIES, RPC_EXCHANGE, mine, *own),
        read=_with(OUR_REPLIES, RPC_EXCHANGE, mine, *sources, *own),
        keys={RPC_EXCHANGE: (_any_of(*(rf"{name}\.[a-z_]+" for name in SERVICES)), f"^{OUR_REPLIES}$")},
    )


def of_system(name: str, *, may: Iterable[str], hears: Iterable[str]) -> Rights:
    """A program of another bureau, with stock nameko or without.

    `may` are methods like `rural.list_associations`, `hears` events like `awards.external_result.verified`, in which a
    word may be `*`. Its own queues are called by its name, or as stock nameko calls those of a service of that name.
    It declares no exchange of ours but that of RPC, which stock nameko does unasked.
    """
    methods, events = list(may), [one.partition(".")[::2] for one in hears]
    own = (rf"{re.escape(name)}\..*", rf"evt-.*--{re.escape(name)}\..*", STOCK_REPLIES, OUR_REPLIES)
    heard: dict[str, list[str]] = {}
    for source, key in events:
        heard.setdefault(exchange(source), []).append(re.escape(key).replace(r"\*", "[a-z_*]+"))
    return Rights(
        configure=_with(_or(own), RPC_EXCHANGE),
        write=_with(_or(own), RPC_EXCHANGE),
        read=_with(_or(own), RPC_EXCHANGE, *heard),
        keys={
            RPC_EXCHANGE: (_any(*methods) if methods else NOTHING, _any_of(OUR_REPLIES, STOCK_REPLY_KEYS)),
            **{source: (NOTHING, _any_of(*keys)) for source, keys in heard.items()},
        },
    )


def _sources(queue: EventQueue) -> list[str]:
    return sorted({source for source, _ in queue.bindings})


def _heard(hears: Iterable[EventQueue]) -> dict[str, Patterns]:
    found: dict[str, list[str]] = {}
    for queue in hears:
        for source, key in queue.bindings:
            found.setdefault(source, []).append(key)
    return {source: (NOTHING, _any(*keys)) for source, keys in found.items()}


def _any(*names: str) -> str:
    """Exactly one of these names."""
    return _any_of(*map(re.escape, dict.fromkeys(names)))


def _any_of(*patterns: str) -> str:
    return f"^({_or(patterns)})$"


def _with(pattern: str, *names: str) -> str:
    return _any_of(pattern, *map(re.escape, dict.fromkeys(names)))


def _or(patterns: Iterable[str]) -> str:
    return "|".join(patterns)


def definitions(
    vhost: str, users: Mapping[str, tuple[str, Rights]], *, administrators: Iterable[str] = ()
) -> Definitions:
    """What RabbitMQ imports: a vhost, in which each user has a password and these rights and nothing else.

    `administrators` are there already, and may do everything.
    """
    every = Rights(configure=".*", write=".*", read=".*")
    holders = {name: rights for name, (_, rights) in users.items()} | dict.fromkeys(administrators, every)
    return {
        "vhosts": [{"name": vhost}],
        "users": [
            {
                "name": name,
                "password_hash": hashed(password),
                "hashing_algorithm": "rabbit_password_hashing_sha256",
                "tags": [],
                "limits": {},
            }
            for name, (password, _) in users.items()
        ],
        "permissions": [
            {"user": name, "vhost": vhost, "configure": one.configure, "write": one.write, "read": one.read}
            for name, one in holders.items()
        ],
        "topic_permissions": [
            {"user": name, "vhost": vhost, "exchange": exchange_, "write": write, "read": read}
            for name, one in holders.items()
            for exchange_, (write, read) in one.keys.items()
        ],
    }


def hashed(password: str) -> str:
    """As RabbitMQ keeps it: four bytes of salt, and the SHA-256 of them and the password."""
    salt = secrets.token_bytes(4)
    return b64encode(salt + sha256(salt + password.encode()).digest()).decode()
