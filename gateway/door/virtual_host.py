"""The virtual host of an outside system, in which everything may be as that system likes it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from amqp.exceptions import PreconditionFailed

from services.chassis.provisioning import declare_exchange
from services.chassis.settings import Settings


def in_virtual_host(settings: Settings, name: str) -> Settings:
    """Return settings whose broker's addresses are those of this virtual host."""
    addresses = (urlsplit(address)._replace(path=f"/{name}").geturl() for address in settings.amqp_uri.split(";"))
    return replace(settings, amqp_uri=";".join(addresses))


def declare_where_missing(channel: Any, declare: Callable[[Any], object]) -> None:
    """Declare on a channel of its own, and leave what is there as something else; raises other errors."""
    trial = channel.connection.channel()
    with suppress(PreconditionFailed):
        declare(trial)
    trial.close()


def declare_exchanges(channel: Any, *names: str) -> None:
    """Declare durable topic exchanges where they are missing."""
    for name in names:
        declare_where_missing(channel, partial(declare_exchange, name=name))
