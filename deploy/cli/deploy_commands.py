"""`kexie deploy`: makes what a deployment with containers needs, and lets other systems in."""

from __future__ import annotations

import os
import secrets
import shlex
import sys
from datetime import timedelta
from urllib.parse import urlsplit

import click
import msgspec

from deploy.cli import backup_commands, compose, user_commands
from deploy.cli.output import console, table
from deploy.deployment.other_systems import USUAL_ROLES, System, last_day
from deploy.deployment.site_files import CLUSTER, Layout, Site
from deploy.secrets.keys import Keys, as_setting
from deploy.secrets.private_files import CHECKOUT
from services.chassis.tokens import ROLES, Verified

IN_CONTAINERS = (
    'docker build -t kexie -f deploy/Dockerfile --build-arg VERSION="$(git describe --always)" .',
    "./kexie deploy compose up -d --wait",
)
WITHOUT = (
    "rabbitmqctl import_definitions < {site}/definitions.json",
    "python -m deploy.provision {site}    # where the database is, as deploy/README.md says",
    "systemctl enable --now kexie.target",
)
WITHOUT_PROXY = "http://127.0.0.1:8011"
REVOKE = "./kexie token revoke {} --why TEXT"
TOKEN_HOLDS = timedelta(days=1)


@click.group()
def deploy() -> None:
    """With containers from deploy/compose.yml, or with units from deploy/systemd."""


@deploy.command()
@click.option("--cluster/--single", "is_cluster", default=None, help="Three brokers and databases, or one of each.")
@click.option("--host", "hosts", multiple=True, metavar="NAME", help="A name or address that others reach the site by.")
@click.option("--broker", metavar="HOST[:PORT],...", help="Your own RabbitMQ, where none runs in a container.")
@click.option("--database", metavar="HOST[:PORT],...", help="Your own MongoDB: the replica set's members.")
def init(is_cluster: bool | None, hosts: tuple[str, ...], broker: str | None, database: str | None) -> None:
    """Invent all secrets of a new site, once; again to renew certificates or to change what is asked for."""
    if bool(broker) != bool(database):
        raise click.UsageError("--broker and --database go together.")
    site = Site.of_the_environment()
    layout = site.layout()
    if is_cluster is not None:
        layout = msgspec.structs.replace(CLUSTER if is_cluster else Layout(), hosts=layout.hosts)
    if broker and database:
        layout = Layout(tuple(broker.split(",")), tuple(database.split(",")), layout.hosts)
    if hosts:
        layout = msgspec.structs.replace(layout, hosts=tuple(dict.fromkeys((*hosts, *Layout().hosts))))
    replaced = site.make(layout)
    for file, ends in site.certificates():
        click.echo(f"  {file.name:<14} holds until {ends:%Y-%m-%d}")
    click.echo(f"{site.folder} is ready. Keep a copy of it where nobody else can read it. Next:")
    for step in IN_CONTAINERS if layout.is_in_containers else WITHOUT:
        click.echo(f"  {step.format(site=site.folder)}")
    if replaced:
        click.echo(f"New certificates ({', '.join(replaced)}) are shown by who is started anew:")
        click.echo("  ./kexie deploy compose up -d --wait --force-recreate")


@deploy.command()
@click.option("--url", help="Where the gateway is reached, if not on this machine.")
def env(url: str | None) -> None:
    """Print the gateway's address and an operator's token of a day, as shell assignments."""
    site = Site.of_the_environment()
    token = Keys(site.private_key()).token(subject="operator", roles=("operator",), lifetime=TOKEN_HOLDS)
    trusted = str(site.folder / "tls/ca.pem")
    reached = url or (compose.url() if site.layout().is_in_containers else WITHOUT_PROXY)
    for name, value in {"GATEWAY_URL": reached, "KEXIE_TOKEN": token, "KEXIE_CA": trusted}.items():
        click.echo(f"export {name}={shlex.quote(value)}")


@deploy.command("compose", context_settings={"ignore_unknown_options": True}, add_help_option=False)
@click.argument("words", nargs=-1, type=click.UNPROCESSED)
def compose_(words: tuple[str, ...]) -> None:
    """`docker compose` with the files of this site, of one machine or a cluster: `./kexie deploy compose ps -a`."""
    command = (*compose.command(Site.of_the_environment().layout()), *words)
    os.chdir(CHECKOUT)
    os.execvp(command[0], command)


def control_of(site: Site) -> str:
    layout = site.layout()
    return "./kexie deploy compose exec -T rabbitmq rabbitmqctl" if layout.is_in_containers else "rabbitmqctl"


@deploy.command("try", context_settings={"ignore_unknown_options": True}, add_help_option=False)
@click.argument("options", nargs=-1)
def try_(options: tuple[str, ...]) -> None:
    """Start the containers in a site of their own, disturb them under load, and count what was accepted."""
    os.execv(sys.executable, (sys.executable, "-m", "tests.containers", *options))


@deploy.command()
def demo() -> None:
    """Fill what runs in containers with the demo year 2011, through the real commands: for a trial only."""
    site = Site.of_the_environment()
    broker = urlsplit(site.amqp_uri("gateway"))
    told = {
        "AMQP_URI": broker._replace(netloc=f"{broker.netloc.rpartition('@')[0]}@{compose.broker()}").geturl(),
        "GATEWAY_URL": compose.url(),
        "TOKEN_PRIVATE_KEY": as_setting(site.private_key()),
        "SSL_CERT_FILE": str(site.folder / "tls/ca.pem"),
        "PYTHONWARNINGS": "ignore",  # Eventlet speaks at every import
    }
    os.execve(sys.executable, (sys.executable, "-m", "deploy.demo"), os.environ | told)


deploy.add_command(backup_commands.backup)
deploy.add_command(backup_commands.restore)


@deploy.group()
def system() -> None:
    """Other bureaus' programs, which come over the broker."""


@system.command()
@click.argument("name")
@click.option(
    "--may", multiple=True, metavar="METHOD", help="Like rural.list_associations; may be given several times."
)
@click.option(
    "--hears",
    multiple=True,
    metavar="EVENT",
    help="Like awards.external_result.verified; 'external_result.*' for all of a kind, 'awards.*' of a service.",
)
@click.option(
    "--host", default="", metavar="HOST[:PORT]", help="Where they reach the broker, if not by the site's name."
)
@click.option(
    "--role",
    "roles",
    multiple=True,
    default=USUAL_ROLES,
    show_default=True,
    type=click.Choice(ROLES),
    help="Of its token; what it may call needs.",
)
@user_commands.district
@click.option("--renew", is_flag=True, help="Another token, though the one it has holds for more than a month.")
def add(
    name: str,
    may: tuple[str, ...],
    hears: tuple[str, ...],
    host: str,
    roles: tuple[str, ...],
    district: str | None,
    renew: bool,
) -> None:
    """Let a system in, to call these methods and hear these events and nothing else; again to change that."""
    site = Site.of_the_environment()
    is_known, before = name in dict(site.systems()), _token_of(site, name)
    asked = System(may=may, hears=hears, password=secrets.token_hex(24))
    control = control_of(site)
    folder = site.add(name, asked, host=host, roles=roles, district=district, renew=renew)
    token = folder.token()
    click.echo(f"{folder.path} is for its bureau, whole; nobody else may read it.")
    if token:
        click.echo(f"Its token {token.id} holds until the end of {last_day(token)}.")
    if before and token and before.id != token.id:
        click.echo(f"The one before holds until {last_day(before)}, or: {REVOKE.format(before.id)}")
    click.echo("The broker learns of it at once with:")
    click.echo(f"  {control} import_definitions < {site.folder}/definitions.json")
    if is_known:
        click.echo("Where it may less than before, what is open or bound ends with:")
        click.echo(f'  {control} close_all_user_connections {name} "other rights"')
        click.echo(f"  {control} delete_queue {name}.events")


@system.command("list")
def list_systems() -> None:
    """Show who was let in, to do what, and until when their tokens hold."""
    site = Site.of_the_environment()
    rows = (
        (name, "\n".join(one.may), "\n".join(one.hears), last_day(token) if (token := _token_of(site, name)) else "-")
        for name, one in site.systems()
    )
    console().print(table(("name", "may", "hears", "token until"), rows))


@system.command()
@click.argument("name")
def remove(name: str) -> None:
    """Let a system in no more."""
    site = Site.of_the_environment()
    token = _token_of(site, name)
    control = control_of(site)
    site.remove(name)
    click.echo(f"{name} is out of {site.folder}. The broker, and then the services, refuse it after:")
    click.echo(f"  {control} delete_user {name}")
    if token:
        click.echo(f"  {REVOKE.format(token.id)}")
    click.echo(f"  {control} delete_queue {name}.events  # and others that it left: {control} list_queues name")


def _token_of(site: Site, name: str) -> Verified | None:
    return site.handed(name).token()
