"""Everything on this machine: `./kexie up`."""

import os
import sys
from collections.abc import Callable
from functools import partial
from socket import socket

from deploy.errors import Trouble
from deploy.local import embedded, stack_file
from deploy.local.health import says_ready
from deploy.local.home import Home
from deploy.local.ports import port_of
from deploy.local.programs import five, gateway_door
from deploy.local.stack_file import Addresses
from deploy.local.supervisor import AskedToStop, Supervisor

READY_WITHIN = 60.0  # seconds

AFTERWARDS = """
The gateway is at {url}
In another shell:
  eval "$(./kexie env)"   points any client at this stack
  ./kexie status          tells whether it is whole
Ctrl-C stops it; its data stay in {folder}
"""


def up(home: Home, *, port: int | None, demo: bool, say: Callable[[str], None]) -> None:
    """Run until somebody asks it to stop."""
    with home.claimed():
        for name in stack_file.clear_away(home):
            say(f"{name:<9} was left by an earlier run and is ended now")
        with gateway_door(home, port) as door, Supervisor(home, say=say) as supervisor:
            try:
                _run(supervisor, door=door, demo=demo, say=say)
            except AskedToStop:
                say("Stopping.")


def _run(supervisor: Supervisor, *, door: socket, demo: bool, say: Callable[[str], None]) -> None:
    home = supervisor.home
    stores = embedded.start(supervisor, say=say)

    http_port = port_of(door)
    programs = tuple(five(home, stores, http_port=http_port, demo=demo))
    door.close()
    supervisor.start(*programs)
    for program in programs:
        supervisor.wait_for(program.name, partial(says_ready, program.port), within=READY_WITHIN)
        say(f"{program.name:<9} ready")
    addresses = Addresses(
        amqp_uri=stores.amqp_uri, mongo_uri=stores.mongo_uri, gateway_url=f"http://127.0.0.1:{http_port}"
    )
    supervisor.announce(addresses)

    if demo:
        quietly = os.environ | {"PYTHONWARNINGS": "ignore"}  # Eventlet speaks at every import
        if supervisor.attend(sys.executable, "-m", "deploy.demo", environment=quietly):
            raise Trouble("The demo year was not filled in.")
    say(AFTERWARDS.format(url=addresses.gateway_url, folder=home.folder))
    supervisor.wait(lambda: False)
