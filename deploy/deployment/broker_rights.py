"""Rights at the broker: permissions to configure, write and read, and the routing keys of each user.

Each service has a user of its own, and so has the door. Outside systems have none in our virtual host, see
`deploy.deployment.system_definitions`.
"""

from __future__ import annotations

import re
import secrets
from base64 import b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from gateway.door.systems import event_queue
from services.contract.topology import (
    LEDGER_QUEUE,
    RPC_EXCHANGE,
    SERVICES,
    SOURCES,
    EventQueue,
    dead_letter_queue,
    exchange,
    policies,
    queues,
    queues_of,
)

NOTHING = "^$"
OUR_REPLIES = r"reply\.[0-9a-f]{32}"
STOCK_REPLY_KEYS = "[0-9a-f-]{36}"

Definitions = dict[str, Any]
Patterns = tuple[str, str]
"""Routing keys that may be written to an exchange, and those that may be read (bound) from it."""


@dataclass(frozen=True, kw_only=True)
class Rights:
    """A user's permissions, as RabbitMQ's regular expressions; an exchange without `keys` takes any routing key."""

    configure: str
    write: str
    read: str
    keys: Mapping[str, Patterns] = field(default_factory=dict)


def of_service(name: str) -> Rights:
    """Return the rights of one of the four: serve its methods, publish its events, hear those of the topology."""
    mine, hears = exchange(name), queues_of(name)
    fed = [queue for queue in queues() if mine in _sources(queue)]  # listeners' queues that our events reach
    own = [f"rpc-{name}", *(queue.name for queue in hears), dead_letter_queue(name).name]
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
    """Return the gateway's rights: call every method, hear every event, publish revocations of tokens."""
    mine = exchange("gateway")
    fed = [queue for queue in queues() if mine in _sources(queue)]
    own = [LEDGER_QUEUE.name, *(queue.name for queue in fed), dead_letter_queue("gateway").name]
    sources = [exchange(name) for name in SERVICES]
    return Rights(
        configure=_with(OUR_REPLIES, RPC_EXCHANGE, mine, *sources, *own),
        write=_with(OUR_REPLIES, RPC_EXCHANGE, mine, *own),
        read=_with(OUR_REPLIES, RPC_EXCHANGE, mine, *sources, *own),
        keys={RPC_EXCHANGE: (_any_of(*(rf"{name}\.[a-z_]+" for name in SERVICES)), f"^{OUR_REPLIES}$")},
    )


def of_door(may: Iterable[str]) -> Rights:
    """Return the door's rights in our virtual host: call methods that some system may call, and read their events.

    `may` are methods like `rural.list_associations`. In the virtual host of a system the door has all rights.
    """
    return Rights(
        configure=_with(OUR_REPLIES, RPC_EXCHANGE),
        write=_with(OUR_REPLIES, RPC_EXCHANGE),
        read=_with(_or((OUR_REPLIES, re.escape(event_queue("")) + ".*")), RPC_EXCHANGE),
        keys={RPC_EXCHANGE: (_any(*sorted(set(may))), f"^{OUR_REPLIES}$")},
    )


def _sources(queue: EventQueue) -> list[str]:
    return sorted({source for source, _ in queue.bindings})


def _heard(hears: Iterable[EventQueue]) -> dict[str, Patterns]:
    bound: dict[str, list[str]] = {}
    for queue in hears:
        for source, key in queue.bindings:
            bound.setdefault(source, []).append(key)
    return {source: (NOTHING, _any(*keys)) for source, keys in bound.items()}


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
    """Return the definitions that RabbitMQ imports: a vhost with its policies, and users with exactly these rights.

    `administrators` are users that exist already, and get all rights.
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
            {"user": name, "vhost": vhost, "configure": rights.configure, "write": rights.write, "read": rights.read}
            for name, rights in holders.items()
        ],
        "topic_permissions": [
            {"user": name, "vhost": vhost, "exchange": exchange_, "write": write, "read": read}
            for name, rights in holders.items()
            for exchange_, (write, read) in rights.keys.items()
        ],
        "policies": policies(vhost),
    }


def hashed(password: str) -> str:
    """Hash a password as RabbitMQ keeps it: four bytes of salt, and the SHA-256 of them and the password."""
    salt = secrets.token_bytes(4)
    return b64encode(salt + sha256(salt + password.encode()).digest()).decode()
