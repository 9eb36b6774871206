"""The containers of a site on trial, through docker compose."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from dataclasses import dataclass, field, replace
from pathlib import Path

from deploy.cli import compose
from deploy.errors import CommandFailed
from deploy.secrets.private_files import CHECKOUT

PROJECT = "kexie-try"

PRIMARY = """
from os import environ; from pymongo import MongoClient
print(MongoClient(open(environ["MONGO_URI_FILE"]).read()).admin.command("hello")["primary"].partition(":")[0])
"""
METRICS = """
from urllib.request import urlopen
print(urlopen("http://127.0.0.1:8080/metrics").read().decode())
"""


class ContainerCommandFailed(CommandFailed):
    """A command of the container engine, or in a container, ended with an error."""


@dataclass(frozen=True)
class Containers:
    """The containers of the trial's project, in this environment and with these compose files of a checkout."""

    environment: dict[str, str]
    files: tuple[str, ...]
    site: Path
    checkout: Path = CHECKOUT
    program: tuple[str, ...] = field(default_factory=compose.program)  # of docker compose

    def compose(self, *arguments: str, stdin: str = "") -> str:
        """Run `docker compose` and return what it prints; raise ContainerCommandFailed."""
        files = [word for file in self.files for word in ("-f", f"deploy/{file}")]
        words = (*self.program, "-p", PROJECT, *files, *arguments)
        return run(*words, environment=self.environment, folder=self.checkout, stdin=stdin)

    def start(self, *arguments: str) -> float:
        """Start all, or some, and wait until they are healthy; return the seconds that took."""
        began = time.monotonic()
        self.compose("up", "--detach", "--wait", *arguments)
        return time.monotonic() - began

    def of(self, checkout: Path, tag: str) -> Containers:
        """Return the same containers as this checkout has them, of images with this tag from the next start on."""
        return replace(self, checkout=checkout, environment=self.environment | {"KEXIE_VERSION": tag})

    def import_definitions(self) -> None:
        """Tell the running broker the users and rights of the site."""
        ctl = ("exec", "-T", "rabbitmq", "rabbitmqctl", "import_definitions")
        self.compose(*ctl, stdin=(self.site / "definitions.json").read_text())

    def kill(self, *names: str) -> dict[str, int]:
        """Kill the processes of these containers at once, from outside; return the ids of the killed processes."""
        killed = {name: int(self.state(name)[0]) for name in names}
        for pid in killed.values():
            os.kill(pid, signal.SIGKILL)
        return killed

    def are_back(self, killed: dict[str, int]) -> bool:
        """Whether each of these runs again, healthy and with another process than the killed one."""
        return all(self._is_back(name, pid) for name, pid in killed.items())

    def _is_back(self, name: str, killed: int) -> bool:
        pid, is_running, health = self.state(name)
        return int(pid) != killed and is_running == "true" and health in ("healthy", "none")

    def state(self, name: str) -> list[str]:
        """Return process id, `true` or `false` for running, and health, which is `none` where there is no check."""
        health = "{{if .State.Health}}{{.State.Health.Status}}{{else}}none{{end}}"
        columns = f"{{{{.State.Pid}}}} {{{{.State.Running}}}} {health}"
        return run("docker", "inspect", "--format", columns, f"{PROJECT}-{name}").split()

    def inside(self, name: str, program: str, *arguments: str) -> str:
        """Run a program of Python in this container and return what it prints; raise ContainerCommandFailed."""
        return run("docker", "exec", f"{PROJECT}-{name}", "python", "-c", program, *arguments)

    def primary(self) -> str:
        """Return the name of the database's member that takes writes."""
        return self.inside("awards-1", PRIMARY).strip()

    def answered(self, name: str) -> int:
        """Return how many commands this container has answered since it started."""
        lines = self.inside(name, METRICS).splitlines()
        return sum(int(float(line.split()[-1])) for line in lines if line.startswith("kexie_commands_total{"))


def build(tag: str, folder: Path) -> None:
    """Build the image of the checkout in this folder; the image tells the checkout's version, or its tag elsewhere."""
    version = run("git", "describe", "--always", "--dirty").strip() if folder == CHECKOUT else tag
    options = ("--tag", f"kexie:{tag}", "--build-arg", f"VERSION={version}", "--file", "deploy/Dockerfile", ".")
    run("docker", "build", "--quiet", *options, folder=folder)


def run(*command: str, environment: dict[str, str] | None = None, folder: Path = CHECKOUT, stdin: str = "") -> str:
    """Run a command and return what it prints; raise ContainerCommandFailed with the end of its errors."""
    done = subprocess.run(
        command, cwd=folder, env=environment, check=False, capture_output=True, text=True, input=stdin
    )
    if done.returncode:
        raise ContainerCommandFailed(f"{' '.join(command)}: {done.stderr.strip()[-2_000:]}")
    return done.stdout
