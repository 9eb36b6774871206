"""Ports of this machine: which are free, and which a home used last."""

import json
import random
import socket
from dataclasses import dataclass

from deploy.local.home import Home
from deploy.secrets.private_files import write_privately

CHOICE = range(20_000, 32_000)  # below the ports that Linux lends to outgoing connections


@dataclass(frozen=True)
class Ports:
    """The ports of one home. A name keeps its port from run to run as long as nobody else takes it."""

    home: Home

    def __getitem__(self, name: str) -> int:
        return self._known()[name]

    def take(self, name: str) -> int:
        """The port of the last run when it is free, else any."""
        with self.hold(name) as held:
            return port_of(held)

    def hold(self, name: str, *, prefer: int | None = None) -> socket.socket:
        """The same, but nobody else gets it until the socket is closed; the preferred one comes first."""
        known = self._known()
        wishes = [port for port in (prefer, known.get(name)) if port]
        others = random.sample(CHOICE, len(CHOICE))
        candidates = (*wishes, *(port for port in others if port not in known.values()))
        held = next(filter(None, map(hold, candidates)))
        write_privately(self.home.folder / "ports.json", json.dumps(known | {name: port_of(held)}, indent=2))
        return held

    def _known(self) -> dict[str, int]:
        file = self.home.folder / "ports.json"
        return json.loads(file.read_text()) if file.exists() else {}


def hold(port: int) -> socket.socket | None:
    """Listen there, on all addresses; None when somebody else does. Not with SO_REUSEPORT, which shares a port."""
    held = socket.socket()
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        held.bind(("", port))
        held.listen()
    except OSError:
        held.close()
        return None
    return held


def port_of(held: socket.socket) -> int:
    return int(held.getsockname()[1])


def answers(port: int) -> bool:
    """Whether somebody accepts connections there."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
