"""The broker's definitions for outside systems: a virtual host for each, with limits, and the door between.

In its virtual host a system may do everything, so every stock client works unchanged; nothing of ours is there but what
the door brings. In ours there is a queue for the events that the door carries out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import chain
from typing import Any

from deploy.deployment.broker_rights import Definitions, Rights, hashed
from deploy.deployment.other_systems import System
from gateway.door.systems import event_queue
from services.contract.topology import SERVICES, exchange

DAY = 86_400_000  # milliseconds
MEGABYTE = 1_000_000

MOST_CONNECTIONS = 20  # of a system's user, on the whole cluster
MOST_CHANNELS = 100  # of a system's user, likewise
OF_THE_DOOR = 20  # connections: two of each process
MOST_QUEUES = 100  # in a virtual host
A_QUEUE = {"max-length-bytes": 20 * MEGABYTE, "message-ttl": 7 * DAY, "expires": 7 * DAY}
"""The limits of every queue in a virtual host, which its owner can lower only; the oldest messages are dropped."""
WAITING_EVENTS = {"max-length-bytes": 100 * MEGABYTE, "delivery-limit": 1_000_000}
"""The limits of a queue in which events wait for the door: some 70,000 events; the oldest are dropped.

The delivery limit is one that is never reached: since RabbitMQ 4.0 a quorum queue without one drops what was delivered
20 times.
"""

EVERYTHING = Rights(configure=".*", write=".*", read=".*")
NOTHING = Rights(configure="^$", write="^$", read="^$")


def of_systems(systems: Mapping[str, System], *, vhost: str, door: str) -> Definitions:
    """Return the definitions of these systems; `door` is the user of the door, which exists already."""
    return {
        "vhosts": [{"name": name} for name in systems],
        "users": [_user(name, system.password) for name, system in systems.items()],
        "permissions": [permission(user, name, EVERYTHING) for name in systems for user in (name, door)],
        "parameters": [parameter for name in systems for parameter in _limits(name)],
        "policies": [_waiting_events(vhost)] if systems else [],
        "exchanges": [_exchange(vhost, service) for service in SERVICES] if systems else [],
        "queues": [_queue(vhost, name) for name, system in systems.items() if system.hears],
        "bindings": [_binding(vhost, name, event) for name, system in systems.items() for event in system.hears],
    }


def closed(vhost: str, users: Iterable[str], before: Definitions) -> Definitions:
    """Return the definitions that take all rights in this virtual host from users who had some before.

    An import removes no permission, so there are empty ones in their place, for good.
    """
    known = set(users)
    topics = [row for row in before.get("topic_permissions", ()) if row["user"] in known and row["vhost"] == vhost]
    return {
        "permissions": [permission(name, vhost, NOTHING) for name in with_rights(vhost, known, before)],
        "topic_permissions": [{**row, "write": NOTHING.write, "read": NOTHING.read} for row in topics],
    }


def with_rights(vhost: str, users: Iterable[str], definitions: Definitions) -> list[str]:
    """Return those of the users that definitions name in the permissions of a virtual host."""
    known = set(users)
    named = {row["user"] for row in definitions.get("permissions", ()) if row["vhost"] == vhost}
    return sorted(named & known)


def together(*definitions: Definitions) -> Definitions:
    """Return one in which each section has the entries of all."""
    sections = dict.fromkeys(chain.from_iterable(definitions))
    return {section: [entry for one in definitions for entry in one.get(section, ())] for section in sections}


def permission(user: str, vhost: str, rights: Rights) -> dict[str, str]:
    """Return a user's permissions in a virtual host."""
    return {"user": user, "vhost": vhost, "configure": rights.configure, "write": rights.write, "read": rights.read}


def _user(name: str, password: str) -> dict[str, Any]:
    return {
        "name": name,
        "password_hash": hashed(password),
        "hashing_algorithm": "rabbit_password_hashing_sha256",
        "tags": [],
        "limits": {"max-connections": MOST_CONNECTIONS, "max-channels": MOST_CHANNELS},
    }


def _limits(name: str) -> list[dict[str, Any]]:
    return [
        {
            "vhost": name,
            "component": "vhost-limits",
            "name": "limits",
            "value": {"max-connections": MOST_CONNECTIONS + OF_THE_DOOR, "max-queues": MOST_QUEUES},
        },
        {
            "vhost": name,
            "component": "operator_policy",
            "name": "limits",
            "value": {"pattern": ".*", "apply-to": "queues", "priority": 0, "definition": A_QUEUE},
        },
    ]


def _waiting_events(vhost: str) -> dict[str, Any]:
    return {
        "vhost": vhost,
        "name": "events for outside systems",
        "pattern": "^" + event_queue("").replace(".", r"\."),
        "apply-to": "queues",
        "priority": 0,
        "definition": WAITING_EVENTS,
    }


def _exchange(vhost: str, service: str) -> dict[str, Any]:
    return {
        "name": exchange(service),
        "vhost": vhost,
        "type": "topic",
        "durable": True,
        "auto_delete": False,
        "internal": False,
        "arguments": {},
    }


def _queue(vhost: str, name: str) -> dict[str, Any]:
    return {
        "name": event_queue(name),
        "vhost": vhost,
        "durable": True,
        "auto_delete": False,
        "arguments": {"x-queue-type": "quorum", "x-single-active-consumer": True},
    }


def _binding(vhost: str, name: str, event: str) -> dict[str, Any]:
    service, _, key = event.partition(".")
    return {
        "source": exchange(service),
        "vhost": vhost,
        "destination": event_queue(name),
        "destination_type": "queue",
        "routing_key": key,
        "arguments": {},
    }
