"""`kexie deploy`: makes what a deployment with containers needs, and lets other systems in."""

from __future__ import annotations

import os
import secrets
import shlex
import sys
from datetime import timedelta

import click
import msgspec

from deploy.keys import Keys
from deploy.operators import backups
from deploy.site import CLUSTER, Layout, Site, System

COMPOSE, OF_CLUSTER = "docker compose -f deploy/compose.yml", "-f deploy/compose.cluster.yml"
TOKEN_HOLDS = timedelta(days=1)


@click.group()
def deploy() -> None:
    """With containers, from deploy/compose.yml."""


@deploy.command()
@click.option("--cluster/--single", "is_cluster", default=None, help="Three brokers and databases, or one of each.")
@click.option("--host", "hosts", multiple=True, metavar="NAME", help="A name or address that others reach the site by.")
def init(is_cluster: bool | None, hosts: tuple[str, ...]) -> None:
    """Invent all secrets of a new site, once; again to renew certificates or to change what is asked for."""
    site = Site.of_the_environment()
    layout = site.layout()
    if is_cluster is not None:
        layout = msgspec.structs.replace(CLUSTER if is_cluster else Layout(), hosts=layout.hosts)
    if hosts:
        layout = msgspec.structs.replace(layout, hosts=tuple(dict.fromkeys((*hosts, *Layout().hosts))))
    site.make(layout)
    for file, ends in site.certificates():
        click.echo(f"  {file.name:<14} holds until {ends:%Y-%m-%d}")
    click.echo(f"{site.folder} is ready. Keep a copy of it where nobody else can read it. Next:")
    click.echo("  docker build -t kexie -f deploy/Dockerfile .")
    click.echo(f"  {compose_of(layout)} up -d --wait")


@deploy.command()
@click.option("--url", default="https://localhost:8443", show_default=True, help="Where the gateway is reached.")
def env(url: str) -> None:
    """Print the gateway's address and an operator's token of a day, as shell assignments."""
    site = Site.of_the_environment()
    token = Keys(site.private_key()).token(subject="operator", roles=("operator",), lifetime=TOKEN_HOLDS)
    trusted = str(site.folder / "tls/ca.pem")
    for name, value in {"GATEWAY_URL": url, "KEXIE_TOKEN": token, "SSL_CERT_FILE": trusted}.items():
        click.echo(f"export {name}={shlex.quote(value)}")


def compose_of(layout: Layout) -> str:
    return COMPOSE if len(layout.brokers) == 1 else f"{COMPOSE} {OF_CLUSTER}"


@deploy.command("try", context_settings={"ignore_unknown_options": True}, add_help_option=False)
@click.argument("options", nargs=-1)
def try_(options: tuple[str, ...]) -> None:
    """Start the containers in a site of their own, disturb them under load, and count what was accepted."""
    os.execv(sys.executable, (sys.executable, "-m", "deploy.trying", *options))


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
    tool = f"{compose_of(site.layout())} exec -T rabbitmq rabbitmqctl"
    click.echo(f"  {tool} import_definitions < {site.folder}/definitions.json")
    click.echo(f"A token for its calls: ./kexie token issue --subject {name} --role system --role viewer")
