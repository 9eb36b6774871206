"""`./kexie deploy try`: the containers on this machine, in a site of their own, under load while they are disturbed.

Every command that was accepted has to be counted once, whatever was killed, replaced or moved meanwhile. Needs Docker,
and to be root: a process in a container is killed from outside, as a crash would end it.
"""

from __future__ import annotations

import json
import os
import re
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
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from socket import socket
from typing import Any

import click

from deploy.deployment.site_files import CLUSTER, Layout, Site
from deploy.local.home import CHECKOUT
from deploy.secrets.keys import Keys
from services.contract.topology import SOURCES

PROJECT = "kexie-try"
IN_TURN = ("awards", "gateway", "proxy", "outreach", "rabbitmq", "mongo", "rural", "members")
CLERKS = 4
BETWEEN, WITHIN = 4.0, 180.0  # seconds
SCALED = 3
NO_SECRETS = ("ca.pem", "token_public_key", "layout.json")
ACCEPTED = (200, 202)
PRIZE = {
    "series": "youth_contest", "level": "province", "edition_no": 26, "category": "science_idea",
    "award_kind": "graded", "grade": "second", "awarded_on": "2011-04-10", "document_sha256": "b" * 64,
}  # fmt: skip
LOOK_ELSEWHERE = """
from os import environ; from sys import argv
from pymongo import MongoClient; from pymongo.errors import OperationFailure
client = MongoClient(open(environ["MONGO_URI_FILE"]).read())
def refuses(name, act):
    try: act(client[name])
    except OperationFailure as error: assert error.code == 13, error; return True
own = client.get_default_database().name
assert not refuses(own, lambda database: database.list_collection_names()), own
for name in argv[1].split():
    assert name == own or refuses(name, lambda database: database.list_collection_names()), name
    assert name == own or refuses(name, lambda database: database.x.insert_one({})), name
"""
PRIMARY = """
from os import environ; from pymongo import MongoClient
print(MongoClient(open(environ["MONGO_URI_FILE"]).read()).admin.command("hello")["primary"].partition(":")[0])
"""


@click.command()
@click.option("--cluster", "is_cluster", is_flag=True, help="Kill one of three and of two of each kind, at once.")
@click.option("--before", metavar="COMMIT", help="Go from this version to the one here under load, and back.")
def main(is_cluster: bool, before: str | None) -> None:
    """Ends with 1 where something was lost, doubled, or did not come back."""
    build("latest", CHECKOUT)
    if before:
        with tempfile.TemporaryDirectory() as folder:
            run("sh", "-c", f"git archive {before} | tar -x -C {folder}")
            build("before", Path(folder))
    with started(is_cluster, tag="before" if before else "latest") as (containers, office):
        if before:
            upgraded(containers, office)
        elif is_cluster:
            killed_at_once(containers, office)
            restarted(containers, office)
        else:
            keeps_apart(containers)
            killed_in_turn(containers, office)
            scaled(containers, office)
            restarted(containers, office)
        tells_nothing(containers)


@contextmanager
def started(is_cluster: bool, *, tag: str) -> Iterator[tuple[Containers, Office]]:
    """All of it in a new site, its services of this version, and who works with it; gone without a trace afterwards."""
    with tempfile.TemporaryDirectory(prefix="kexie-try-") as folder:
        site = Site(Path(folder, "site"), Path(folder, ".env"))
        site.make(CLUSTER if is_cluster else Layout())
        with running(site, is_cluster, tag=tag) as it:
            yield it


@contextmanager
def running(site: Site, is_cluster: bool, *, tag: str) -> Iterator[tuple[Containers, Office]]:
    with closing(socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    owner = site.environment.read_text().strip().partition("=")[2]
    told = {"KEXIE_SITE": str(site.folder), "KEXIE_USER": owner, "KEXIE_HTTPS": port, "KEXIE_AMQPS": "127.0.0.1:0"}
    files = ("compose.yml", "compose.cluster.yml") if is_cluster else ("compose.yml",)
    containers = Containers(os.environ | told, files, site.folder)
    try:
        containers.compose("build", "--quiet")
        took = containers.start() if tag == "latest" else containers.start_as(tag)
        say(f"healthy after {took:.0f} s")
        yield containers, Office(f"https://127.0.0.1:{port}", Keys(site.private_key()), site.trust())
    finally:
        containers.compose("down", "--volumes", "--timeout", "20")


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


@dataclass
class Office:
    """Clerks who report prizes, each again under the same key until it is accepted."""

    url: str
    keys: Keys
    trust: ssl.SSLContext
    accepted_at: list[float] = field(default_factory=list)
    is_closed: bool = False  # what was begun is still sent until it is accepted
    gives_up: bool = False

    @contextmanager
    def at_work(self) -> Iterator[None]:
        self.is_closed = False
        clerks = [threading.Thread(target=self.work) for _ in range(CLERKS)]
        for clerk in clerks:
            clerk.start()
        try:
            yield
        except BaseException:
            self.gives_up = True
            raise
        finally:
            self.is_closed = True
            for clerk in clerks:
                clerk.join()

    def work(self) -> None:
        while not self.is_closed:
            name = uuid.uuid4().hex
            prize = {**PRIZE, "result_id": name, "title": name, "first_entrant": name}
            while self.ask("POST", "/api/v1/awards/report_external_result", prize, key=name)[0] not in ACCEPTED:
                if self.gives_up:
                    return
                time.sleep(0.3)
            self.accepted_at.append(time.monotonic())

    def longest_pause(self, since: float) -> float:
        """Seconds for which nothing was accepted."""
        moments = [since, *(at for at in self.accepted_at if at > since), time.monotonic()]
        return max(later - earlier for earlier, later in pairwise(moments))

    def counts_right(self) -> None:
        """Waits until the gateway says that nothing is missing and counts what was accepted; ends where it does not."""
        wanted = len(self.accepted_at)
        counted = until(lambda: seen if (seen := self.counted()) >= wanted else None)
        say(f"{wanted} commands accepted, {counted} counted")
        if counted != wanted:
            raise SystemExit(1)

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


def killed_in_turn(containers: Containers, office: Office) -> None:
    with office.at_work():
        for name in IN_TURN:
            disturb(containers, office, f"{name}-1")
    office.counts_right()


def killed_at_once(containers: Containers, office: Office) -> None:
    """One node of the broker, the database's primary and one of each service's two, three times."""
    with office.at_work():
        for number, broker in enumerate(CLUSTER.brokers):
            services = [f"{name}-{1 + number % 2}" for name in SOURCES]
            disturb(containers, office, f"{broker}-1", f"{containers.primary()}-1", *services)
    office.counts_right()


def disturb(containers: Containers, office: Office, *names: str) -> None:
    time.sleep(BETWEEN)
    before, began, killed = len(office.accepted_at), time.monotonic(), containers.kill(*names)
    until(lambda: containers.are_back(killed) and office.is_open() and len(office.accepted_at) > before)
    took, more = time.monotonic() - began, len(office.accepted_at) - before
    say(
        f"killed {', '.join(names)}: all back in {took:.0f} s; {more} commands were accepted meanwhile, "
        f"none for {office.longest_pause(began):.1f} s"
    )


def keeps_apart(containers: Containers) -> None:
    """The database lets each service into its own part, and refuses it every other."""
    elsewhere = " ".join([*(f"kexie_{name}" for name in SOURCES), "kexie_backup", "admin", "local", "config"])
    for name in SOURCES:
        containers.inside(f"{name}-1", LOOK_ELSEWHERE, elsewhere)
    say(f"each of {len(SOURCES)} users was refused every database but its own")


def tells_nothing(containers: Containers) -> None:
    """No secret is in a log, nor in what can be inspected of a container or of an image."""
    ids = containers.compose("ps", "--all", "--quiet").split()
    images = run("docker", "inspect", "--format", "{{.Image}}", *ids).split()
    told = containers.compose("logs", "--no-color") + run("docker", "inspect", *ids, *images)
    told += "".join(run("docker", "history", "--no-trunc", image) for image in set(images))
    secrets = {
        word: file.name
        for file in containers.site.rglob("*")
        if file.is_file() and file.name not in NO_SECRETS
        for word in re.findall("[A-Za-z0-9+/]{32,}", file.read_text())
    }
    if found := {name for word, name in secrets.items() if word in told}:
        raise SystemExit(f"somebody told what is in {', '.join(sorted(found))}")
    say(f"none of {len(secrets)} secrets is in {len(told):,} characters of logs and inspections")


def scaled(containers: Containers, office: Office) -> None:
    containers.start("--scale", f"awards={SCALED}")
    names = [f"awards-{number + 1}" for number in range(SCALED)]
    before = {name: containers.answered(name) for name in names}
    with office.at_work():
        until(lambda: all(containers.answered(name) > before[name] for name in names))
        time.sleep(BETWEEN)
    shares = ", ".join(str(containers.answered(name) - before[name]) for name in names)
    say(f"{SCALED} of awards answered {shares} commands")
    office.counts_right()


def restarted(containers: Containers, office: Office) -> None:
    containers.compose("down", "--timeout", "20")
    say(f"all stopped and started again: healthy after {containers.start():.0f} s")
    office.counts_right()


def upgraded(containers: Containers, office: Office) -> None:
    """The services of the version before work; those of here take over, then those of before again, then these."""
    with office.at_work():
        for tag in ("latest", "before", "latest"):
            time.sleep(BETWEEN)
            began = time.monotonic()
            took = containers.of_version(tag).start("--no-deps", *SOURCES)
            said = office.ask("GET", "/health")[1]
            say(
                f"version {(said or {}).get('version')} ({tag}) runs after {took:.0f} s; "
                f"nothing was accepted for {office.longest_pause(began):.1f} s"
            )
    office.counts_right()


def build(tag: str, folder: Path) -> None:
    version = run("git", "describe", "--always", "--dirty").strip() if folder == CHECKOUT else tag
    said = ("--tag", f"kexie:{tag}", "--build-arg", f"VERSION={version}", "--file", "deploy/Dockerfile", ".")
    run("docker", "build", "--quiet", *said, folder=folder)


def until(condition: Callable[[], Any]) -> Any:
    """The first answer that is one."""
    give_up = time.monotonic() + WITHIN
    while not (answer := condition()):
        if time.monotonic() > give_up:
            raise SystemExit(f"not within {WITHIN:.0f} s")
        time.sleep(0.3)
    return answer


def run(*command: str, environment: dict[str, str] | None = None, folder: Path = CHECKOUT) -> str:
    done = subprocess.run(command, cwd=folder, env=environment, check=False, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}: {done.stderr.strip()[-2_000:]}")
    return done.stdout


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
