"""Ports of this machine: free ones, and those that a home used last."""

import json
import random
import socket
from dataclasses import dataclass

from deploy.local.home import Home
from deploy.secrets.private_files import write_privately

CHOICE = range(20_000, 32_000)  # below the ephemeral ports of Linux

_promises: dict[int, socket.socket] = {}
"""What this process was promised: each port with the socket whose name says so to every process of this machine."""


@dataclass(frozen=True)
class Ports:
    """The ports of one home; a name keeps its port from run to run unless another program takes it."""

    home: Home

    def __getitem__(self, name: str) -> int:
        """Return the port that this name took last; KeyError where it took none."""
        return self._known()[name]

    def take(self, name: str) -> int:
        """Return the port of the last run where it is free, else any, and remember it.

        It is promised to this process: whatever it starts may take its time to listen there.
        """
        with self.hold(name) as reserved:
            return port_of(reserved)

    def hold(self, name: str, *, prefer: int | None = None) -> socket.socket:
        """Reserve a port like `take` until the socket is closed; the preferred one is tried first."""
        known = self._known()
        preferred = [port for port in (prefer, known.get(name)) if port]
        others = set(CHOICE) - _promises.keys() - set(known.values())
        candidates = (*preferred, *random.sample(sorted(others), len(others)))
        reserved = next(filter(None, map(hold, candidates)))
        write_privately(self.home.folder / "ports.json", json.dumps(known | {name: port_of(reserved)}, indent=2))
        return reserved

    def _known(self) -> dict[str, int]:
        file = self.home.folder / "ports.json"
        return json.loads(file.read_text()) if file.exists() else {}


def hold(port: int) -> socket.socket | None:
    """Listen at a port on all addresses; None where another program does or another process was promised it.

    Not with SO_REUSEPORT, which shares ports.
    """
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind(("", port))
        listening.listen()
    except OSError:
        listening.close()
        return None
    if not _is_promised(port):
        listening.close()
        return None
    return listening


def _is_promised(port: int) -> bool:
    """Promise a port to this process until it ends; False where another process has that promise.

    Between the choice of a port and the moment a database, a broker or a gateway listens there lie seconds, in which a
    second `./kexie up` would find it free. A name in Linux's abstract namespace has one owner and ends with it.
    """
    if port not in _promises:
        promise = socket.socket(socket.AF_UNIX)
        try:
            promise.bind(f"\0kexie port {port}")
        except OSError:
            promise.close()
            return False
        _promises[port] = promise
    return True


def port_of(listening: socket.socket) -> int:
    """Return the port at which a socket listens."""
    return int(listening.getsockname()[1])


def answers(port: int) -> bool:
    """Return whether a program of this machine accepts connections at a port."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
