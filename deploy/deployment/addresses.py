"""Addresses of a layout: those of broker and database for each user, and the names in each server's certificate."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from itertools import chain
from urllib.parse import urlsplit

from deploy.deployment.layout import CLUSTER, THIS_MACHINE, Layout
from deploy.secrets.certificate_authority import BROWSERS_ACCEPT, VALID_FOR


def amqp_uri(name: str, password: str, layout: Layout) -> str:
    """Return a user's address of the broker, with all nodes."""
    scheme, port = ("amqp", 5672) if layout.is_on_this_machine else ("amqps", 5671)
    return ";".join(f"{scheme}://{name}:{password}@{_at(host, port)}/%2F" for host in layout.brokers)


def mongo_uri(name: str, password: str, layout: Layout) -> str:
    """Return a user's address of its own database, with all members."""
    members, database = ",".join(_at(host, 27017) for host in layout.databases), f"kexie_{name}"
    tls = "" if layout.is_on_this_machine else "&tls=true"
    return f"mongodb://{name}:{password}@{members}/{database}?replicaSet=rs0&authSource={database}{tls}"


def _at(host: str, port: int) -> str:
    """The host with this port, unless it has one already."""
    return host if urlsplit(f"//{host}").port else f"{host}:{port}"


def servers(layout: Layout) -> dict[str, tuple[tuple[str, ...], timedelta]]:
    """Return the names of each kind of server, and how long its certificate is valid."""
    return {
        "rabbitmq": (_names(CLUSTER.brokers, layout.brokers, layout.hosts), VALID_FOR),
        "mongo": (_names(CLUSTER.databases, layout.databases, THIS_MACHINE), VALID_FOR),
        "proxy": (_names(layout.hosts), BROWSERS_ACCEPT),
    }


def _names(*hosts: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(urlsplit(f"//{host}").hostname or host for host in chain(*hosts)))
