"""`kexie deploy`: makes what a deployment with containers needs, and lets other systems in."""

from __future__ import annotations

import os
import secrets
import shlex
import sys
from datetime import timedelta

import click

from deploy.keys import Keys
from deploy.operators import backups
from deploy.site import Site, System

COMPOSE = "docker compose -f deploy/compose.yml"
TOKEN_HOLDS = timedelta(days=1)


@click.group()
def deploy() -> None:
    """With containers, from deploy/compose.yml."""


@deploy.command()
def init() -> None:
    """Invent all secrets of a new site, once; nothing that is there is changed."""
    site = Site.of_the_environment()
    site.make()
    click.echo(f"{site.folder} is ready. Keep a copy of it where nobody else can read it. Next:")
    click.echo("  docker build -t kexie -f deploy/Dockerfile .")
    click.echo(f"  {COMPOSE} up -d --wait")


@deploy.command()
@click.option("--url", default="http://127.0.0.1:8011", show_default=True, help="Where the gateway is reached.")
def env(url: str) -> None:
    """Print the gateway's address and an operator's token of a day, as shell assignments."""
    token = Keys(Site.of_the_environment().private_key()).token(
        subject="operator", roles=("operator",), lifetime=TOKEN_HOLDS
    )
    for name, value in {"GATEWAY_URL": url, "KEXIE_TOKEN": token}.items():
        click.echo(f"export {name}={shlex.quote(value)}")


@deploy.command("try")
def try_() -> None:
    """Start the containers in a site of their own, kill every process under load, and count what was accepted."""
    os.execv(sys.executable, (sys.executable, "-m", "deploy.trying"))


deploy.add_command(backups.backup)
deploy.add_command(backups.restore)


@deploy.group()
def system() -> None:
    """Other bureaus' programs, which come over the broker."""


@system.command()
@click.argument("name")
@click.option(
    "--may", multiple=True, metavar="METHOD", help="Like rural.list_associations; may be given several times."
)
@click.option("--hears", multiple=True, metavar="EVENT", help="Like awards.external_result.*; as often as needed.")
def add(name: str, may: tuple[str, ...], hears: tuple[str, ...]) -> None:
    """Let a system in, to call these methods and hear these events and nothing else; again to change that."""
    site = Site.of_the_environment()
    site.add(name, System(may=may, hears=hears, password=secrets.token_hex(24)))
    click.echo(f"{site.folder}/systems/{name} has its password. The broker learns of it at once with:")
    click.echo(f"  {COMPOSE} exec -T rabbitmq rabbitmqctl import_definitions < {site.folder}/definitions.json")
    click.echo(f"A token for its calls: ./kexie token issue --subject {name} --role system --role viewer")
