"""`./kexie deploy try`: the containers on this machine, in a site of their own, under load while they are disturbed.

Every command that was accepted has to be counted once, whatever was killed, replaced or moved meanwhile. Needs Docker,
and to be root: a process in a container is killed from outside, as a crash would end it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path
from socket import socket

import click

from deploy.deployment.layout import CLUSTER
from deploy.deployment.site_files import Site
from deploy.local.programs import PROGRAMS
from deploy.secrets.keys import Keys
from deploy.secrets.private_files import CHECKOUT
from tests.containers.checks import check_databases, check_secrets
from tests.containers.clerks import BETWEEN, Clerks, say, wait_for
from tests.containers.containers import Containers, build, run

IN_TURN = ("awards", "gateway", "proxy", "outreach", "rabbitmq", "mongo", "rural", "members", "door")
SCALED = 3  # containers of one service


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--cluster", "is_cluster", is_flag=True, help="Kill one of three and of two of each kind, at once.")
@click.option("--before", metavar="COMMIT", help="Go from this version to the present one under load, and back.")
def main(is_cluster: bool, before: str | None) -> None:
    """Disturb the containers of a site under load, and count what was accepted.

    Needs Docker, and to be root. The exit code is 1 where something was lost, doubled, or did not come back.
    """
    build("latest", CHECKOUT)
    if before:
        with checked_out(before) as old, started(is_cluster, old) as (containers, clerks):
            upgrade(containers, clerks, old)
            check_secrets(containers)
        return
    with started(is_cluster) as (containers, clerks):
        if is_cluster:
            kill_at_once(containers, clerks)
            restart(containers, clerks)
        else:
            check_databases(containers)
            kill_in_turn(containers, clerks)
            scale(containers, clerks)
            restart(containers, clerks)
        check_secrets(containers)


@contextmanager
def checked_out(commit: str) -> Iterator[Path]:
    """Check this commit out beside the checkout, and build its image `before`; remove the folder after the block."""
    with tempfile.TemporaryDirectory(prefix="kexie-before-") as folder:
        run("git", "worktree", "add", "--detach", folder, commit)
        try:
            build("before", Path(folder))
            yield Path(folder)
        finally:
            run("git", "worktree", "remove", "--force", folder)


@contextmanager
def started(is_cluster: bool, checkout: Path = CHECKOUT) -> Iterator[tuple[Containers, Clerks]]:
    """Start a new site as this checkout makes and runs it, and its clerks; remove all of it after the block."""
    with tempfile.TemporaryDirectory(prefix="kexie-try-") as folder:
        site = Site(Path(folder, "site"), Path(folder, ".env"))
        init(site, checkout, "--cluster" if is_cluster else "--single")
        with running(site, is_cluster, checkout) as (containers, clerks):
            yield containers, clerks


def init(site: Site, checkout: Path, *options: str) -> None:
    """Make the site, or renew it, by the code of a checkout: an upgrade begins and ends with this command."""
    if checkout == CHECKOUT:  # the command would write this checkout's own deploy/.env
        site.make(CLUSTER if "--cluster" in options else None)
        return
    environment = os.environ | {"KEXIE_SITE": str(site.folder), "PYTHONPATH": str(checkout), "PYTHONUTF8": "1"}
    run(sys.executable, "-m", "deploy", "deploy", "init", *options, environment=environment, folder=checkout)


@contextmanager
def running(site: Site, is_cluster: bool, checkout: Path) -> Iterator[tuple[Containers, Clerks]]:
    """Run the containers of this site at a free port; remove them and their volumes after the block."""
    port = _free_port()
    settings = {
        "KEXIE_SITE": str(site.folder),
        "KEXIE_USER": owner_of(site.folder / "token_public_key"),
        "KEXIE_HTTPS": port,
        "KEXIE_AMQPS": "127.0.0.1:0",
    }
    files = ("compose.yml", "compose.cluster.yml") if is_cluster else ("compose.yml",)
    tag = "latest" if checkout == CHECKOUT else "before"
    containers = Containers(os.environ | settings, files, site.folder).of(checkout, tag)
    try:
        containers.compose("build", "--quiet")
        say(f"{tag}: healthy after {containers.start():.0f} s")
        yield containers, Clerks(f"https://127.0.0.1:{port}", Keys(site.private_key()), site.folder / "tls/ca.pem")
    finally:
        containers.of(CHECKOUT, "latest").compose("down", "--volumes", "--remove-orphans", "--timeout", "20")


def owner_of(file: Path) -> str:
    """Return user and group of a file, as compose names them."""
    return f"{file.stat().st_uid}:{file.stat().st_gid}"


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


def upgrade(containers: Containers, clerks: Clerks, old: Path) -> None:
    """Upgrade the site as the page for operators says, go back, and upgrade it again, under load."""
    site = Site(containers.site, containers.site.parent / ".env")
    with clerks.at_work():
        for checkout, tag in ((CHECKOUT, "latest"), (old, "before"), (CHECKOUT, "latest")):
            change_version(containers.of(checkout, tag), clerks, site)
    clerks.check_counts()
    check_status(clerks)


def change_version(containers: Containers, clerks: Clerks, site: Site) -> None:
    """Take each step of an upgrade by the code of a checkout, and say how long no command was accepted."""
    time.sleep(BETWEEN)
    began = time.monotonic()
    init(site, containers.checkout)
    containers.compose("build", "--quiet")
    if containers.checkout != CHECKOUT:
        containers.import_definitions()  # its compose file may tell the broker nothing
    seconds = containers.start("--remove-orphans")
    health = clerks.ask("/health")
    version = health.body.get("version") if health else None
    say(
        f"version {version} ({containers.environment['KEXIE_VERSION']}) runs after {seconds:.0f} s; "
        f"nothing was accepted for {clerks.longest_pause(began):.1f} s"
    )


def check_status(clerks: Clerks) -> None:
    """Have `./kexie status` look at the site until nothing is wrong, and show it; raise NotInTime."""
    token = clerks.keys.token(subject="operator", roles=("operator",), lifetime=timedelta(hours=1))
    site = {"GATEWAY_URL": clerks.url, "KEXIE_TOKEN": token, "KEXIE_CA": str(clerks.authority)}
    shown = ""

    def is_whole() -> bool:
        nonlocal shown
        command = (sys.executable, "-m", "deploy", "status")
        status = subprocess.run(command, env=os.environ | site, check=False, capture_output=True, text=True)
        shown = status.stdout + status.stderr
        return status.returncode == 0

    try:
        wait_for(is_whole, "status to end with 0")
    finally:
        say(shown)


if __name__ == "__main__":
    main(prog_name="./kexie deploy try")
