"""The processes that a benchmark measures. Import `deploy.image.greenthreads` first."""

from __future__ import annotations

import os
import signal
import sys
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path

from eventlet.green import subprocess

from deploy.local.health import says_ready
from deploy.local.home import Home
from deploy.local.ports import Ports
from services.chassis.settings import Settings
from services.chassis.tokens import issue
from tests.waiting import wait_until

READY_WITHIN = 30.0  # seconds
LOOK = 0.02  # seconds between two looks
STOCK = "stock-"  # before the name of one of stock nameko's services


@dataclass
class Pipeline:
    """The five processes and stock nameko's, started and stopped as a measurement needs them."""

    settings: Settings
    ports: Ports
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @classmethod
    def of_the_environment(cls) -> Pipeline:
        """A pipeline on the broker and the database that `./kexie bench` started."""
        return cls(Settings.read(), Ports(Home.of_the_environment()))

    def start(self, *names: str) -> None:
        """Start each in a process of its own and wait until ours are ready; stock nameko's do not say when they are."""
        for name in names:
            self.running[name] = self._launch(name)
        for name in names:
            if not name.startswith(STOCK):
                ready = partial(says_ready, self.port(f"{name} health"))
                wait_until(ready, f"{name} to get ready", within=READY_WITHIN, every=LOOK)

    def stop(self, *names: str) -> None:
        """Stop these side by side, in good order, and wait until all have ended."""
        for name in names:
            self.running[name].send_signal(signal.SIGTERM)
        for name in names:
            self.running.pop(name).wait()

    def stop_all(self) -> None:
        """Stop whatever runs."""
        self.stop(*self.running)

    def resident(self, name: str) -> float:
        """Return the memory of this process in MB."""
        return memory(self.running[name].pid)

    def port(self, name: str) -> int:
        """Return the port of a process: of its HTTP by its name, of its health by `NAME health`."""
        return self.ports[name]

    def token(self) -> str:
        """Make a token of the one caller that benchmarks have: recorder, verifier and viewer for two hours."""
        key = self.settings.token_private_key or ""
        return issue(key, subject="u-bench", roles=("recorder", "verifier", "viewer"), lifetime=timedelta(hours=2))

    def _launch(self, name: str) -> subprocess.Popen[bytes]:
        if name.startswith(STOCK):
            command = ["-m", "tests.bench.stock_nameko", name.removeprefix(STOCK)]
            ports = {"HTTP_PORT": str(self.ports.take(name))}
        else:
            command = ["-m", "deploy.run", name]
            ports = {"HEALTH_PORT": str(self.ports.take(f"{name} health")), "HTTP_PORT": str(self.ports.take(name))}
        return subprocess.Popen([sys.executable, *command], env=os.environ | ports)


def memory(pid: int, field: str = "VmRSS") -> float:
    """Return a figure of a process's memory in MB, under the name that Linux gives it."""
    status = Path(f"/proc/{pid}/status").read_text()
    (kilobytes,) = [int(line.split()[1]) for line in status.splitlines() if line.startswith(field)]
    return kilobytes / 1024


def processor_time(pid: int) -> float:
    """Return the seconds of processor time that a process has used."""
    user, system = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")
