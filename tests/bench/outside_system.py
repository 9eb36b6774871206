"""An outside system that calls through the door, with the limits that every system has."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlsplit

from deploy.deployment import system_definitions
from deploy.deployment.other_systems import System
from deploy.local.broker import USER, Broker
from deploy.local.home import Home
from gateway.door import systems
from services.chassis.settings import Settings
from services.chassis.tokens import issue

NAME = "bench_system"
METHOD = "outreach.record_count"


@dataclass(frozen=True)
class OutsideSystem:
    """The address and the token that a system is handed."""

    amqp_uri: str
    token: str


def let_in(settings: Settings) -> OutsideSystem:
    """Let a system call one method; a door that is started afterwards serves it."""
    home, system = Home.of_the_environment(), System(may=(METHOD,), hears=(), password=secrets.token_hex(16))
    Broker(home).import_definitions(system_definitions.of_systems({NAME: system}, vhost="/", door=USER))
    served = home.subfolder("door") / "systems.json"
    served.write_text(systems.write({NAME: systems.Grant(may=system.may)}))
    os.environ["DOOR_SYSTEMS"] = str(served)

    ours = urlsplit(settings.amqp_uri)
    theirs = ours._replace(netloc=f"{NAME}:{system.password}@{ours.hostname}:{ours.port}", path=f"/{NAME}")
    token = issue(settings.token_private_key or "", subject=NAME, roles=("recorder",), lifetime=timedelta(hours=2))
    return OutsideSystem(theirs.geturl(), token)
