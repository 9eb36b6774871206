"""The six processes of a stack, and the environment of each."""

import os
import socket
import sys
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType

from deploy.errors import CommandFailed
from deploy.local.embedded import Stores
from deploy.local.home import Home
from deploy.local.home_keys import sealing_key, token_keys
from deploy.local.ports import Ports, hold
from deploy.local.supervisor import Program
from deploy.secrets.keys import SEALING, SIGNING, as_setting
from deploy.secrets.private_files import CHECKOUT
from gateway.door.systems import FILE
from services.contract.topology import SERVICES

NAMES = (*SERVICES, "gateway")
"""Programs with records, events and parked messages."""
PROGRAMS = (*NAMES, "door")
GATEWAY_PORT = 8011  # where it is free
NOT_FOR_ALL = ("TOKEN_PRIVATE_KEY", "SEALING_KEY", "MONGO_URI")
RUN = (sys.executable, "-m", "deploy.run")


def gateway_socket(home: Home, port: int | None) -> socket.socket:
    """Reserve the gateway's port until the gateway itself can take it, since another `up` might do so first.

    Without a port it is 8011 or any free one; a port that is taken raises `CommandFailed`.
    """
    if port is None:
        return Ports(home).hold("gateway", prefer=GATEWAY_PORT)
    reserved = hold(port)
    if reserved is None:
        raise CommandFailed(f"Port {port} is taken; name another with --port, or leave it out.")
    return reserved


def every_service(home: Home, stores: Stores, *, http_port: int, demo: bool) -> Iterator[Program]:
    """Return a process of each service; those of a demo take commands that say on which day of 2011 they came."""
    for name in PROGRAMS:
        yield replica(home, stores, name, http_port=http_port, settings={"REHEARSAL": "yes"} if demo else {})


def replica(
    home: Home,
    stores: Stores,
    service: str,
    *,
    name: str | None = None,
    http_port: int,
    run: Sequence[str] = RUN,
    settings: Mapping[str, str] = MappingProxyType({}),
) -> Program:
    """Return a process of a service, with a name of its own where there are several, and with these settings besides.

    Only the gateway and the door get the private key, and only services that seal get the sealing key. The door has no
    database.
    """
    name = name or service
    keys = token_keys(home)
    port = Ports(home).take(f"{name} health")
    environment = {variable: value for variable, value in os.environ.items() if variable not in NOT_FOR_ALL} | {
        "AMQP_URI": stores.amqp_uri,
        "TOKEN_PUBLIC_KEY": as_setting(keys.public),
        "HEALTH_PORT": str(port),
        "EVENTLET_NO_GREENDNS": "yes",  # addresses are looked up as everywhere else
        "PYTHONPATH": str(CHECKOUT),
        "PYTHONUNBUFFERED": "1",
        **settings,
    }
    if service == "door":
        environment["DOOR_SYSTEMS"] = str(home.folder / FILE)
    else:
        environment["MONGO_URI"] = stores.mongo_uri
    if service == "gateway":
        environment["HTTP_PORT"] = str(http_port)
    if service in SIGNING:
        environment["TOKEN_PRIVATE_KEY"] = as_setting(keys.private)
    if service in SEALING:
        environment["SEALING_KEY"] = sealing_key(home)
    return Program(name=name, command=(*run, service), environment=environment, port=port, health=True)
