"""Broker and database of a stack: embedded where no address is given for them."""

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from deploy.local.broker import Broker
from deploy.local.database import Database
from deploy.local.ports import answers
from deploy.local.supervisor import Supervisor

READY_WITHIN = 90.0  # seconds; about 6 on an idle machine


@dataclass(frozen=True, kw_only=True)
class Stores:
    """The addresses of broker and database, embedded or not."""

    amqp_uri: str
    mongo_uri: str


def start(supervisor: Supervisor, *, say: Callable[[str], None], database_options: Sequence[str] = ()) -> Stores:
    """Start what `AMQP_URI` and `MONGO_URI` do not name, side by side, and wait until it is ready."""
    broker = None if os.environ.get("AMQP_URI") else Broker(supervisor.home)
    database = None if os.environ.get("MONGO_URI") else Database(supervisor.home, options=database_options)
    parts = [part for part in (database, broker) if part]

    began = time.monotonic()
    if broker:
        mapper = broker.port_mapper()
        supervisor.start(mapper)
        supervisor.wait_for(mapper.name, lambda: answers(mapper.port), within=READY_WITHIN)
    supervisor.start(*(part.program() for part in parts))
    for part in parts:
        supervisor.wait_for(part.name, part.is_ready, within=READY_WITHIN)
        say(f"{part.name:<9} {part.product}, ready in {time.monotonic() - began:.1f} s")

    return Stores(
        amqp_uri=broker.uri if broker else os.environ["AMQP_URI"],
        mongo_uri=database.uri if database else os.environ["MONGO_URI"],
    )
