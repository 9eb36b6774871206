"""Rights at the broker: permissions to configure, write and read, and the routing keys of each user.

Each service has a user of its own, and so have the door and the provisioning of what they share. Outside systems have
none in our virtual host, see `deploy.deployment.system_definitions`.
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
    dead_letter_queue,
    exchange,
    policies,
    queues,
    queues_of,
    rpc_queue,
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
    """Return the rights of one of the four: take what is in its queues, publish its events, answer.

    What services share is made by `provision`: whoever may change it could overhear or stop all others.
    """
    own = [rpc_queue(name), *(queue.name for queue in queues_of(name)), dead_letter_queue(name).name]
    return Rights(
        configure=NOTHING,
        write=_any(exchange(name), RPC_EXCHANGE),
        read=_any(*own),
        keys={RPC_EXCHANGE: (_any_of(OUR_REPLIES, STOCK_REPLY_KEYS), NOTHING), exchange(name): (".*", NOTHING)},
    )


def of_gateway() -> Rights:
    """Return the gateway's rights: call every method, hear every event, publish revocations of tokens.

    It makes nothing but queues for the answers to its calls.
    """
    own = [LEDGER_QUEUE.name, dead_letter_queue("gateway").name]
    return Rights(
        configure=_any_of(OUR_REPLIES),
        write=_with(OUR_REPLIES, RPC_EXCHANGE, exchange("gateway")),
        read=_with(OUR_REPLIES, RPC_EXCHANGE, *own),
        keys={
            RPC_EXCHANGE: (_any_of(*(rf"{name}\.[a-z_]+" for name in SERVICES)), _any_of(OUR_REPLIES)),
            exchange("gateway"): (".*", NOTHING),
        },
    )


def of_provision() -> Rights:
    """Return the rights of whoever makes what services share: no message is read or published by it."""
    exchanges = [RPC_EXCHANGE, *map(exchange, SOURCES)]
    every_queue = [*(queue.name for queue in queues()), *map(rpc_queue, SERVICES)]
    return Rights(configure=_any(*exchanges, *every_queue), write=_any(*every_queue), read=_any(*exchanges))


def of_door(may: Iterable[str]) -> Rights:
    """Return the door's rights in our virtual host: call methods that some system may call, and read their events.

    `may` are methods like `rural.list_associations`. In the virtual host of a system the door has all rights.
    """
    return Rights(
        configure=f"^{OUR_REPLIES}$",
        write=_with(OUR_REPLIES, RPC_EXCHANGE),
        read=_with(_or((OUR_REPLIES, re.escape(event_queue("")) + ".*")), RPC_EXCHANGE),
        keys={RPC_EXCHANGE: (_any(*sorted(set(may))), f"^{OUR_REPLIES}$")},
    )


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
