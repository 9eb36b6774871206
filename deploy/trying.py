"""`./kexie deploy try`: the containers on this machine, in a site of their own, whose processes are killed under load.

Every command that was accepted has to be counted once, whatever was killed meanwhile. Needs Docker, and to be root:
a process in a container is killed from outside, as a crash would end it.
"""

from __future__ import annotations

import json
import os
import signal
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from socket import socket
from typing import Any

from deploy.home import CHECKOUT
from deploy.keys import Keys
from deploy.site import Site

PROJECT = "kexie-try"
KILLED = ("awards", "gateway", "proxy", "outreach", "rabbitmq", "mongo", "rural", "members")
CLERKS = 4
BETWEEN, WITHIN = 4.0, 120.0  # seconds
ACCEPTED = (200, 202)
PRIZE = {
    "series": "youth_contest", "level": "province", "edition_no": 26, "category": "science_idea",
    "award_kind": "graded", "grade": "second", "awarded_on": "2011-04-10", "document_sha256": "b" * 64,
}  # fmt: skip


def main() -> int:
    """1 where something was lost, doubled, or did not come back."""
    with tempfile.TemporaryDirectory(prefix="kexie-try-") as folder, closing(socket()) as free:
        free.bind(("127.0.0.1", 0))
        site = Site(Path(folder, "site"), Path(folder, ".env"))
        site.make()
        port = str(free.getsockname()[1])
        owner = site.environment.read_text().strip().partition("=")[2]
        told = {"KEXIE_SITE": str(site.folder), "KEXIE_USER": owner, "KEXIE_HTTPS": port, "KEXIE_AMQPS": "127.0.0.1:0"}
        containers = Containers(os.environ | told)
        free.close()
        try:
            run("docker", "build", "--quiet", "--tag", "kexie", "--file", "deploy/Dockerfile", ".")
            containers.compose("build", "--quiet")
            began = time.monotonic()
            containers.compose("up", "--detach", "--wait")
            say(f"healthy after {time.monotonic() - began:.0f} s")
            office = Office(f"https://127.0.0.1:{port}", Keys(site.private_key()), site.trust())
            return 0 if try_(containers, office) else 1
        finally:
            containers.compose("down", "--volumes", "--timeout", "20")


@dataclass(frozen=True)
class Containers:
    """Those of our project."""

    environment: dict[str, str]

    def compose(self, *arguments: str) -> None:
        run("docker", "compose", "-p", PROJECT, "-f", "deploy/compose.yml", *arguments, environment=self.environment)

    def kill(self, name: str) -> int:
        """The process of this one; its number."""
        pid = int(self.state(name)[0])
        os.kill(pid, signal.SIGKILL)
        return pid

    def is_back(self, name: str, killed: int) -> bool:
        pid, is_running, health = self.state(name)
        return int(pid) != killed and is_running == "true" and health in ("healthy", "none")

    def state(self, name: str) -> list[str]:
        health = "{{if .State.Health}}{{.State.Health.Status}}{{else}}none{{end}}"
        shown = f"{{{{.State.Pid}}}} {{{{.State.Running}}}} {health}"
        return run("docker", "inspect", "--format", shown, f"{PROJECT}-{name}-1").split()


@dataclass
class Office:
    """Clerks who report prizes, each again under the same key until it is accepted."""

    url: str
    keys: Keys
    trust: ssl.SSLContext
    accepted: int = 0
    is_closed: bool = False  # what was begun is still sent until it is accepted
    gives_up: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def work(self) -> None:
        while not self.is_closed:
            name = uuid.uuid4().hex
            prize = {**PRIZE, "result_id": name, "title": name, "first_entrant": name}
            while self.ask("POST", "/api/v1/awards/report_external_result", prize, key=name)[0] not in ACCEPTED:
                if self.gives_up:
                    return
                time.sleep(0.3)
            with self._lock:
                self.accepted += 1

    def counted(self) -> int:
        """Prizes that the gateway counts; 0 while it does not say that nothing is missing."""
        status, said = self.ask("GET", "/api/v1/kpis/K1")
        return int(said["reported"]["value"] or 0) if status == 200 and said["complete"] else 0

    def is_open(self) -> bool:
        return self.ask("GET", "/ready")[0] == 200

    def ask(self, method: str, path: str, body: Any = None, key: str | None = None) -> tuple[int, Any]:
        """Status and JSON; 0 where nobody answers."""
        token = self.keys.token(subject="u-try", roles=("recorder", "viewer"), lifetime=timedelta(hours=1))
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json", "Idempotency-Key": key or ""}
        request = urllib.request.Request(  # noqa: S310 - our own address
            self.url + path, data=json.dumps(body).encode() if body else None, method=method,
            headers={name: value for name, value in headers.items() if value},
        )  # fmt: skip
        try:
            with urllib.request.urlopen(request, timeout=20, context=self.trust) as answer:  # noqa: S310 - as above
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, None
        except (OSError, ValueError):
            return 0, None


def try_(containers: Containers, office: Office) -> bool:
    clerks = [threading.Thread(target=office.work) for _ in range(CLERKS)]
    for clerk in clerks:
        clerk.start()
    try:
        for name in KILLED:
            time.sleep(BETWEEN)
            before, began, pid = office.accepted, time.monotonic(), containers.kill(name)
            until(lambda: containers.is_back(name, pid) and office.is_open())  # noqa: B023 - it is asked here
            took, more = time.monotonic() - began, office.accepted - before
            say(f"{name:<9} killed, back in {took:.0f} s; {more} commands were accepted meanwhile")
    except BaseException:
        office.gives_up = True
        raise
    finally:
        office.is_closed = True
        for clerk in clerks:
            clerk.join()
    counted = until(lambda: seen if (seen := office.counted()) >= office.accepted else None)
    say(f"{office.accepted} commands accepted, {counted} counted")
    return bool(counted == office.accepted)


def until(condition: Callable[[], Any]) -> Any:
    """The first answer that is one."""
    give_up = time.monotonic() + WITHIN
    while not (answer := condition()):
        if time.monotonic() > give_up:
            raise SystemExit(f"not within {WITHIN:.0f} s")
        time.sleep(0.3)
    return answer


def run(*command: str, environment: dict[str, str] | None = None) -> str:
    done = subprocess.run(command, cwd=CHECKOUT, env=environment, check=False, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}: {done.stderr.strip()[-2_000:]}")
    return done.stdout


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
