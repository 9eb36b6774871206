"""The five processes of a stack, and what each of them is told."""

import os
import socket
import sys
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType

from deploy.errors import Trouble
from deploy.local.embedded import Stores
from deploy.local.home import Home
from deploy.local.home_keys import sealing_key, token_keys
from deploy.local.ports import Ports, hold
from deploy.local.supervisor import Program
from deploy.secrets.keys import SEALING, as_setting
from deploy.secrets.private_files import CHECKOUT
from services.contract.topology import SERVICES

NAMES = (*SERVICES, "gateway")
USUAL_PORT = 8011  # of the gateway
SECRET = ("TOKEN_PRIVATE_KEY", "SEALING_KEY")
RUN = (sys.executable, "-m", "deploy.run")


def gateway_door(home: Home, wanted: int | None) -> socket.socket:
    """The gateway's port, held until the gateway itself can take it, which another `up` might do first.

    The wanted port or none; where no port is wanted, the usual one or any that is free.
    """
    if wanted is None:
        return Ports(home).hold("gateway", prefer=USUAL_PORT)
    held = hold(wanted)
    if held is None:
        raise Trouble(f"Port {wanted} is taken; name another with --port, or leave it out.")
    return held


def five(home: Home, stores: Stores, *, http_port: int, demo: bool) -> Iterator[Program]:
    """One process of each; those of a demo take commands that say on which day of 2011 they came."""
    for name in NAMES:
        yield replica(home, stores, name, http_port=http_port, told={"REHEARSAL": "yes"} if demo else {})


def replica(
    home: Home,
    stores: Stores,
    service: str,
    *,
    name: str | None = None,
    http_port: int,
    run: Sequence[str] = RUN,
    told: Mapping[str, str] = MappingProxyType({}),
) -> Program:
    """A process of this service, which has a name of its own where there are several, and is `told` more.

    The private key is told to the gateway alone, the sealing key to the services that seal.
    """
    name = name or service
    keys = token_keys(home)
    port = Ports(home).take(f"{name} health")
    environment = {variable: value for variable, value in os.environ.items() if variable not in SECRET} | {
        "AMQP_URI": stores.amqp_uri,
        "MONGO_URI": stores.mongo_uri,
        "TOKEN_PUBLIC_KEY": as_setting(keys.public),
        "HEALTH_PORT": str(port),
        "EVENTLET_NO_GREENDNS": "yes",  # addresses are looked up as everywhere else
        "PYTHONPATH": str(CHECKOUT),
        "PYTHONUNBUFFERED": "1",
        **told,
    }
    if service == "gateway":
        environment |= {"HTTP_PORT": str(http_port), "TOKEN_PRIVATE_KEY": as_setting(keys.private)}
    if service in SEALING:
        environment["SEALING_KEY"] = sealing_key(home)
    return Program(name=name, command=(*run, service), environment=environment, port=port, health=True)
