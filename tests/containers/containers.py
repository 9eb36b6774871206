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
from deploy.local.programs import PROGRAMS
from deploy.secrets.private_files import CHECKOUT
from services.contract.topology import SOURCES

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
    """The containers of the trial's project, in this environment and with these compose files."""

    environment: dict[str, str]
    files: tuple[str, ...]
    site: Path
    program: tuple[str, ...] = field(default_factory=compose.program)  # of docker compose

    def compose(self, *arguments: str) -> str:
        """Run `docker compose` and return what it prints; raise ContainerCommandFailed."""
        files = [word for file in self.files for word in ("-f", f"deploy/{file}")]
        return run(*self.program, "-p", PROJECT, *files, *arguments, environment=self.environment)

    def start(self, *arguments: str) -> float:
        """Start all, or some, and wait until they are healthy; return the seconds that took."""
        began = time.monotonic()
        self.compose("up", "--detach", "--wait", *arguments)
        return time.monotonic() - began

    def start_as(self, tag: str) -> float:
        """Start all, with the services of another version from the first moment on: plan and indexes are theirs."""
        began = time.monotonic()
        stores = set(self.compose("config", "--services").split()) - {*PROGRAMS, "proxy"}
        self.compose("up", "--detach", *sorted(stores))
        self.compose("run", "--rm", "--no-deps", "provision")  # once more: it ends when everything is prepared
        self.start("--no-deps", *sorted(name for name in stores if name.startswith("rabbitmq")))
        self.of_version(tag).start("--no-deps", *SOURCES)
        self.start("--no-deps", "proxy")
        return time.monotonic() - began

    def of_version(self, tag: str) -> Containers:
        """Return the same containers, of the images with this tag when they are started next."""
        return replace(self, environment=self.environment | {"KEXIE_VERSION": tag})

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


def run(*command: str, environment: dict[str, str] | None = None, folder: Path = CHECKOUT) -> str:
    """Run a command and return what it prints; raise ContainerCommandFailed with the end of its errors."""
    done = subprocess.run(command, cwd=folder, env=environment, check=False, capture_output=True, text=True)
    if done.returncode:
        raise ContainerCommandFailed(f"{' '.join(command)}: {done.stderr.strip()[-2_000:]}")
    return done.stdout
