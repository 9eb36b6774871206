"""The outside bureau of a world: a system with a virtual host of its own, which reaches services by the door only."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from urllib.parse import urlsplit

from deploy.deployment import system_definitions
from deploy.deployment.broker_rights import Definitions
from deploy.deployment.other_systems import System, Systems
from deploy.local.broker import USER
from deploy.local.home import Home
from deploy.local.home_keys import token_keys

NAME = "bureau"
"""Of its user and its virtual host, and the person of its commands."""

VHOST = "/"  # of the services
METHODS = ("register_venue", "create_activity", "schedule_activity", "start_activity", "record_count")


class OutsideBureau:
    """The bureau, let in as `./kexie system add` does."""

    def __init__(self, home: Home) -> None:
        self._systems = Systems(home.folder, token_keys(home).private)
        may = tuple(f"outreach.{method}" for method in METHODS)
        self._system = System(may=may, hears=("outreach.venue.*",), password=secrets.token_hex())

    def let_in(self, server: str) -> None:
        """Write what the door reads; `server` is the broker's address without user and path."""
        self._systems.add(NAME, self._system, server=server, roles=("recorder",))

    @property
    def definitions(self) -> Definitions:
        """What the broker has to have for the bureau."""
        return system_definitions.of_systems({NAME: self._system}, vhost=VHOST, door=USER)

    def uri(self, nodes: Iterable[str]) -> str:
        """The bureau's address at all of these nodes, given ours."""
        hosts = (urlsplit(node).netloc.rpartition("@")[2] for node in nodes)
        return ";".join(f"amqp://{NAME}:{self._system.password}@{host}/{NAME}" for host in hosts)
