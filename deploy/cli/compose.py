"""The containers of a site, as `docker compose` is told of them."""

from __future__ import annotations

import os
import subprocess

from deploy.cli.output import plain
from deploy.deployment.site_files import Layout, Site
from deploy.errors import Trouble
from deploy.secrets.private_files import CHECKOUT

COMPOSE, FILE, OF_CLUSTER = ("docker", "compose"), ("-f", "deploy/compose.yml"), ("-f", "deploy/compose.cluster.yml")


def command(layout: Layout) -> tuple[str, ...]:
    """With the files of this layout; where COMPOSE_FILE names others, compose reads it itself."""
    if "COMPOSE_FILE" in os.environ:
        return COMPOSE
    return (*COMPOSE, *FILE, *(OF_CLUSTER if layout.is_cluster else ()))


def compose(*arguments: str) -> str:
    """What it printed, from the checkout; raises `Trouble`."""
    words = (*command(Site.of_the_environment().layout()), *arguments)
    try:
        done = subprocess.run(words, cwd=CHECKOUT, check=False, capture_output=True, text=True)
    except FileNotFoundError:
        raise Trouble("Docker is not there, and this command needs it.") from None
    if done.returncode:
        raise Trouble(f"docker compose {' '.join(arguments)}: {plain(done.stderr.strip()[-2_000:])}")
    return done.stdout


def url() -> str:
    """Where the proxy is reached from this machine."""
    return f"https://{_opened(8443)}"


def broker() -> str:
    """Host and port of the broker for who comes from this machine."""
    return _opened(5671)


def _opened(port: int) -> str:
    opened = compose("port", "proxy", str(port)).strip().rpartition(":")[2]
    return f"localhost:{opened}"
