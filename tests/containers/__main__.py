"""`./kexie deploy try`: the containers on this machine, in a site of their own, under load while they are disturbed.

Every command that was accepted has to be counted once, whatever was killed, replaced or moved meanwhile. Needs Docker,
and to be root: a process in a container is killed from outside, as a crash would end it.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from socket import socket

import click

from deploy.deployment.site_files import CLUSTER, Layout, Site
from deploy.local.programs import PROGRAMS
from deploy.secrets.keys import Keys
from deploy.secrets.private_files import CHECKOUT
from services.contract.topology import SOURCES
from tests.containers.checks import check_databases, check_secrets
from tests.containers.clerks import BETWEEN, Clerks, say, wait_for
from tests.containers.containers import Containers, build, run

IN_TURN = ("awards", "gateway", "proxy", "outreach", "rabbitmq", "mongo", "rural", "members", "door")
SCALED = 3  # containers of one service
UNPACK = 'git archive "$1" | tar -x -C "$2"'


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--cluster", "is_cluster", is_flag=True, help="Kill one of three and of two of each kind, at once.")
@click.option("--before", metavar="COMMIT", help="Go from this version to the present one under load, and back.")
def main(is_cluster: bool, before: str | None) -> None:
    """Disturb the containers of a site under load, and count what was accepted.

    Needs Docker, and to be root. The exit code is 1 where something was lost, doubled, or did not come back.
    """
    build("latest", CHECKOUT)
    if before:
        build_before(before)
    with started(is_cluster, tag="before" if before else "latest") as (containers, clerks):
        if before:
            upgrade(containers, clerks)
        elif is_cluster:
            kill_at_once(containers, clerks)
            restart(containers, clerks)
        else:
            check_databases(containers)
            kill_in_turn(containers, clerks)
            scale(containers, clerks)
            restart(containers, clerks)
        check_secrets(containers)


def build_before(commit: str) -> None:
    """Build the image `before` from this commit."""
    with tempfile.TemporaryDirectory() as folder:
        run("sh", "-c", UNPACK, "sh", commit, folder)
        build("before", Path(folder))


@contextmanager
def started(is_cluster: bool, *, tag: str) -> Iterator[tuple[Containers, Clerks]]:
    """Start a new site with services of this version, and its clerks; remove all of it after the block."""
    with tempfile.TemporaryDirectory(prefix="kexie-try-") as folder:
        site = Site(Path(folder, "site"), Path(folder, ".env"))
        site.make(CLUSTER if is_cluster else Layout())
        with running(site, is_cluster, tag=tag) as (containers, clerks):
            yield containers, clerks


@contextmanager
def running(site: Site, is_cluster: bool, *, tag: str) -> Iterator[tuple[Containers, Clerks]]:
    """Run the containers of this site at a free port; remove them and their volumes after the block."""
    port = _free_port()
    owner = site.environment.read_text().strip().partition("=")[2]
    settings = {"KEXIE_SITE": str(site.folder), "KEXIE_USER": owner, "KEXIE_HTTPS": port, "KEXIE_AMQPS": "127.0.0.1:0"}
    files = ("compose.yml", "compose.cluster.yml") if is_cluster else ("compose.yml",)
    containers = Containers(os.environ | settings, files, site.folder)
    try:
        containers.compose("build", "--quiet")
        seconds = containers.start() if tag == "latest" else containers.start_as(tag)
        say(f"healthy after {seconds:.0f} s")
        yield containers, Clerks(f"https://127.0.0.1:{port}", Keys(site.private_key()), site.trust())
    finally:
        containers.compose("down", "--volumes", "--timeout", "20")


def _free_port() -> str:
    with closing(socket()) as free:
        free.bind(("127.0.0.1", 0))
        return str(free.getsockname()[1])


def kill_in_turn(containers: Containers, clerks: Clerks) -> None:
    """Kill one container after the other, each after the last one is back."""
    with clerks.at_work():
        for name in IN_TURN:
            disturb(containers, clerks, f"{name}-1")
    clerks.check_counts()


def kill_at_once(containers: Containers, clerks: Clerks) -> None:
    """Kill a node of the broker, the database's primary and one of each service's two at once, three times."""
    with clerks.at_work():
        for number, broker in enumerate(CLUSTER.brokers):
            services = [f"{name}-{1 + number % 2}" for name in PROGRAMS]
            disturb(containers, clerks, f"{broker}-1", f"{containers.primary()}-1", *services)
    clerks.check_counts()


def disturb(containers: Containers, clerks: Clerks, *names: str) -> None:
    """Kill these containers, and wait until they are back and a command is accepted again."""
    time.sleep(BETWEEN)
    before, began, killed = len(clerks.accepted_at), time.monotonic(), containers.kill(*names)

    def has_recovered() -> bool:
        return containers.are_back(killed) and clerks.is_gateway_ready() and len(clerks.accepted_at) > before

    wait_for(has_recovered, f"{', '.join(names)} to be back")
    seconds, more = time.monotonic() - began, len(clerks.accepted_at) - before
    say(
        f"killed {', '.join(names)}: all back in {seconds:.0f} s; {more} commands were accepted meanwhile, "
        f"none for {clerks.longest_pause(began):.1f} s"
    )


def scale(containers: Containers, clerks: Clerks) -> None:
    """Run three containers of one service, and wait until each has answered commands."""
    containers.start("--scale", f"awards={SCALED}")
    names = [f"awards-{number + 1}" for number in range(SCALED)]
    before = {name: containers.answered(name) for name in names}
    with clerks.at_work():
        wait_for(lambda: all(containers.answered(name) > before[name] for name in names), f"all of {SCALED} to answer")
        time.sleep(BETWEEN)
    shares = ", ".join(str(containers.answered(name) - before[name]) for name in names)
    say(f"{SCALED} containers of awards answered {shares} commands")
    clerks.check_counts()


def restart(containers: Containers, clerks: Clerks) -> None:
    """Remove all containers and start new ones on the same volumes."""
    containers.compose("down", "--timeout", "20")
    say(f"all stopped and started again: healthy after {containers.start():.0f} s")
    clerks.check_counts()


def upgrade(containers: Containers, clerks: Clerks) -> None:
    """Replace the services of the version before by the present ones, go back, and replace them again, under load."""
    with clerks.at_work():
        for tag in ("latest", "before", "latest"):
            replace_services(containers, clerks, tag)
    clerks.check_counts()


def replace_services(containers: Containers, clerks: Clerks, tag: str) -> None:
    """Start the services of this version in place of those that run, and say how long no command was accepted."""
    time.sleep(BETWEEN)
    began = time.monotonic()
    seconds = containers.of_version(tag).start("--no-deps", *SOURCES)
    health = clerks.ask("/health")
    version = health.body.get("version") if health else None
    say(
        f"version {version} ({tag}) runs after {seconds:.0f} s; "
        f"nothing was accepted for {clerks.longest_pause(began):.1f} s"
    )


if __name__ == "__main__":
    main(prog_name="./kexie deploy try")
