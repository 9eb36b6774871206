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
from deploy.secrets.keys import Keys
from deploy.secrets.private_files import CHECKOUT
from services.contract.topology import SOURCES
from tests.containers.checks import keeps_apart, tells_nothing
from tests.containers.clerks import BETWEEN, Office, say, until
from tests.containers.containers import Containers, build, run

IN_TURN = ("awards", "gateway", "proxy", "outreach", "rabbitmq", "mongo", "rural", "members")
SCALED = 3


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


if __name__ == "__main__":
    main()
