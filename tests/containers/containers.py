"""The containers of a site on trial, through docker compose."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from dataclasses import dataclass, replace
from pathlib import Path

from deploy.secrets.private_files import CHECKOUT
from services.contract.topology import SOURCES

PROJECT = "kexie-try"

PRIMARY = """
from os import environ; from pymongo import MongoClient
print(MongoClient(open(environ["MONGO_URI_FILE"]).read()).admin.command("hello")["primary"].partition(":")[0])
"""


@dataclass(frozen=True)
class Containers:
    """Those of our project."""

    environment: dict[str, str]
    files: tuple[str, ...]
    site: Path

    def compose(self, *arguments: str) -> str:
        files = [word for file in self.files for word in ("-f", f"deploy/{file}")]
        return run("docker", "compose", "-p", PROJECT, *files, *arguments, environment=self.environment)

    def start(self, *arguments: str) -> float:
        """How many seconds it took until all were healthy."""
        began = time.monotonic()
        self.compose("up", "--detach", "--wait", *arguments)
        return time.monotonic() - began

    def start_as(self, tag: str) -> float:
        """With services of an earlier version from the first moment on, so that plan and indexes are those of it."""
        began = time.monotonic()
        around = set(self.compose("config", "--services").split()) - {*SOURCES, "proxy"}
        self.compose("up", "--detach", *sorted(around))
        self.compose("run", "--rm", "--no-deps", "provision")  # once more: it ends when everything is prepared
        self.start("--no-deps", *sorted(name for name in around if name.startswith("rabbitmq")))
        self.of_version(tag).start("--no-deps", *SOURCES)
        self.start("--no-deps", "proxy")
        return time.monotonic() - began

    def of_version(self, tag: str) -> Containers:
        return replace(self, environment=self.environment | {"KEXIE_VERSION": tag})

    def kill(self, *names: str) -> dict[str, int]:
        """The processes of these, at once; their numbers."""
        killed = {name: int(self.state(name)[0]) for name in names}
        for pid in killed.values():
            os.kill(pid, signal.SIGKILL)
        return killed

    def are_back(self, killed: dict[str, int]) -> bool:
        return all(self.is_back(*one) for one in killed.items())

    def is_back(self, name: str, killed: int) -> bool:
        pid, is_running, health = self.state(name)
        return int(pid) != killed and is_running == "true" and health in ("healthy", "none")

    def state(self, name: str) -> list[str]:
        health = "{{if .State.Health}}{{.State.Health.Status}}{{else}}none{{end}}"
        shown = f"{{{{.State.Pid}}}} {{{{.State.Running}}}} {health}"
        return run("docker", "inspect", "--format", shown, f"{PROJECT}-{name}").split()

    def inside(self, name: str, program: str, *arguments: str) -> str:
        """What this program of Python prints in that container."""
        return run("docker", "exec", f"{PROJECT}-{name}", "python", "-c", program, *arguments)

    def primary(self) -> str:
        """Which member of the database takes the writes."""
        return self.inside("awards-1", PRIMARY).strip()

    def answered(self, name: str) -> int:
        """Commands that this one has answered."""
        ask = "import urllib.request as r; print(r.urlopen('http://127.0.0.1:8080/metrics').read().decode())"
        said = self.inside(name, ask).splitlines()
        return sum(int(float(line.split()[-1])) for line in said if line.startswith("kexie_commands_total{"))


def build(tag: str, folder: Path) -> None:
    version = run("git", "describe", "--always", "--dirty").strip() if folder == CHECKOUT else tag
    said = ("--tag", f"kexie:{tag}", "--build-arg", f"VERSION={version}", "--file", "deploy/Dockerfile", ".")
    run("docker", "build", "--quiet", *said, folder=folder)


def run(*command: str, environment: dict[str, str] | None = None, folder: Path = CHECKOUT) -> str:
    done = subprocess.run(command, cwd=folder, env=environment, check=False, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}: {done.stderr.strip()[-2_000:]}")
    return done.stdout
