"""`./kexie up`: everything on this machine."""

import os
import sys
from collections.abc import Callable
from functools import partial
from socket import socket

from deploy.errors import CommandFailed
from deploy.local import embedded, stack_file
from deploy.local.health import says_ready
from deploy.local.home import Home
from deploy.local.home_keys import require_sealing_key
from deploy.local.ports import port_of
from deploy.local.programs import every_service, gateway_socket
from deploy.local.stack_file import Addresses
from deploy.local.supervisor import StopRequested, Supervisor
from services.chassis.provisioning import AWAY, provision

READY_WITHIN = 60.0  # seconds

READY = """
The gateway is at {url}
In another shell:
  eval "$(./kexie env)"   points any client at this stack
  ./kexie status          shows whether it is whole
Ctrl-C stops it; its data stay in {folder}
"""


def run_everything(home: Home, *, port: int | None, demo: bool, say: Callable[[str], None]) -> None:
    """Run a whole stack until Ctrl-C or a signal; fill in the demo year where asked."""
    with home.claimed():
        require_sealing_key(home)
        for name in stack_file.clear_away(home):
            say(f"{name:<9} was left by an earlier run and is ended now")
        with gateway_socket(home, port) as reserved, Supervisor(home, say=say) as supervisor:
            try:
                _run(supervisor, reserved=reserved, demo=demo, say=say)
            except StopRequested:
                say("Stopping.")


def _run(supervisor: Supervisor, *, reserved: socket, demo: bool, say: Callable[[str], None]) -> None:
    home = supervisor.home
    stores = embedded.start(supervisor, say=say)
    _provision(stores.amqp_uri, say=say)

    http_port = port_of(reserved)
    programs = tuple(every_service(home, stores, http_port=http_port, demo=demo))
    reserved.close()
    supervisor.start(*programs)
    for program in programs:
        supervisor.wait_for(program.name, partial(says_ready, program.port), within=READY_WITHIN)
        say(f"{program.name:<9} ready")
    addresses = Addresses(
        amqp_uri=stores.amqp_uri, mongo_uri=stores.mongo_uri, gateway_url=f"http://127.0.0.1:{http_port}"
    )
    supervisor.announce(addresses)

    if demo:
        quietly = os.environ | {"PYTHONWARNINGS": "ignore"}  # Eventlet warns at every import
        if supervisor.run(sys.executable, "-m", "deploy.demo", environment=quietly):
            raise CommandFailed("The demo year was not filled in.")
    say(READY.format(url=addresses.gateway_url, folder=home.folder))
    supervisor.wait(lambda: False)


def _provision(amqp_uri: str, *, say: Callable[[str], None]) -> None:
    """Make what services share at the broker; go on without where that is somebody else's and away."""
    try:
        provision(amqp_uri)
    except AWAY as error:
        say(f"broker    cannot be provisioned ({type(error).__name__}); `./kexie provision` does it later")
