"""Provisioning of the broker: what services share there is made before they start, and by none of them.

Whoever may declare or delete an exchange or a queue could overhear or stop everybody else.
"""

from __future__ import annotations

import ssl
from contextlib import suppress
from typing import Any

from amqp.exceptions import AMQPError
from kombu import Connection
from kombu.exceptions import KombuError

from services.contract.topology import RPC_EXCHANGE, SERVICES, SOURCES, EventQueue, exchange, queues, rpc_queue

AWAY = (AMQPError, KombuError, OSError)
"""The errors of a broker that is away, or refuses."""


def provision(amqp_uri: str) -> None:
    """Make the exchanges, queues and bindings that are missing, at any node that accepts us; raises one of `AWAY`."""
    first, *others = amqp_uri.split(";")
    for address in others:
        with suppress(*AWAY):
            return _provision(address)
    return _provision(first)


def declare_shared(channel: Any) -> None:
    """Declare what services share, on an open channel."""
    for name in (RPC_EXCHANGE, *map(exchange, SOURCES)):
        declare_exchange(channel, name)
    for queue in queues():
        _declare_queue(channel, queue)
    for service in SERVICES:
        declare_requests(channel, service)


def declare_exchange(channel: Any, name: str) -> None:
    """Declare a durable topic exchange, as stock nameko does."""
    channel.exchange_declare(name, type="topic", durable=True, auto_delete=False)


def declare_requests(channel: Any, service: str) -> None:
    """Declare the queue of a service's requests."""
    channel.queue_declare(rpc_queue(service), durable=True, exclusive=False, auto_delete=False)
    channel.queue_bind(rpc_queue(service), exchange=RPC_EXCHANGE, routing_key=f"{service}.*")


def tls_of(address: str) -> dict[str, Any] | bool:
    """Require the broker to prove the name in its address, by the system's authorities or those in `SSL_CERT_FILE`.

    A dictionary for each connection: kombu writes that name into it.
    """
    is_secure = address.startswith("amqps:")
    return is_secure and {"cert_reqs": ssl.CERT_REQUIRED, "server_hostname": None}


def _provision(address: str) -> None:
    with Connection(address, connect_timeout=5, ssl=tls_of(address)) as connection:
        connection.connect()  # tried twice; without it for ever
        declare_shared(connection.default_channel)


def _declare_queue(channel: Any, queue: EventQueue) -> None:
    arguments: dict[str, Any] = {"x-queue-type": "quorum"}
    if queue.single_active_consumer:
        arguments["x-single-active-consumer"] = True
    channel.queue_declare(queue.name, durable=True, exclusive=False, auto_delete=False, arguments=arguments)
    for source, key in queue.bindings:
        channel.queue_bind(queue.name, exchange=source, routing_key=key)
