"""`kexie deploy`: a site of containers or systemd units, and the systems that may call it."""

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
TOKEN_LIFETIME = timedelta(days=1)


@click.group()
def deploy() -> None:
    """Run a site of containers or of systemd units."""


@deploy.command()
@click.option("--cluster/--single", "is_cluster", default=None, help="Three brokers and databases, or one of each.")
@click.option(
    "--host", "hosts", multiple=True, metavar="NAME", help="A name or address by which others reach the site."
)
@click.option("--broker", metavar="HOST[:PORT],...", help="Your own RabbitMQ, where none runs in a container.")
@click.option("--database", metavar="HOST[:PORT],...", help="Your own MongoDB: the replica set's members.")
def init(is_cluster: bool | None, hosts: tuple[str, ...], broker: str | None, database: str | None) -> None:
    """Make the secrets and certificates of a site.

    Again to renew certificates or to change hosts; passwords and keys stay.
    """
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
        click.echo(f"  {file.name:<14} is valid until {ends:%Y-%m-%d}")
    click.echo(f"{site.folder} is ready. Keep a copy of it where nobody else can read it. Next:")
    for step in IN_CONTAINERS if layout.is_in_containers else WITHOUT:
        click.echo(f"  {step.format(site=site.folder)}")
    if replaced:
        click.echo(f"New certificates ({', '.join(replaced)}) are used after a restart:")
        click.echo("  ./kexie deploy compose up -d --wait --force-recreate")


@deploy.command()
@click.option("--url", help="Where the gateway is reached, if not on this machine.")
def env(url: str | None) -> None:
    """Print the gateway's address as shell assignments.

    With an operator's token that is valid for a day: eval "$(./kexie deploy env)"
    """
    site = Site.of_the_environment()
    token = Keys(site.private_key()).token(subject="operator", roles=("operator",), lifetime=TOKEN_LIFETIME)
    authority = str(site.folder / "tls/ca.pem")
    address = url or (compose.url() if site.layout().is_in_containers else WITHOUT_PROXY)
    for name, value in {"GATEWAY_URL": address, "KEXIE_TOKEN": token, "KEXIE_CA": authority}.items():
        click.echo(f"export {name}={shlex.quote(value)}")


@deploy.command("compose", context_settings={"ignore_unknown_options": True}, add_help_option=False)
@click.argument("words", nargs=-1, type=click.UNPROCESSED)
def compose_(words: tuple[str, ...]) -> None:
    """Run docker compose with the files of this site.

    Those of one machine or of a cluster: `./kexie deploy compose ps -a`.
    """
    command = (*compose.command(Site.of_the_environment().layout()), *words)
    os.chdir(CHECKOUT)
    os.execvp(command[0], command)


def _rabbitmqctl(site: Site) -> str:
    layout = site.layout()
    return "./kexie deploy compose exec -T rabbitmq rabbitmqctl" if layout.is_in_containers else "rabbitmqctl"


@deploy.command("try", context_settings={"ignore_unknown_options": True}, add_help_option=False)
@click.argument("options", nargs=-1)
def try_(options: tuple[str, ...]) -> None:
    """Try the containers in a site of their own, under load.

    They are disturbed meanwhile, and what was accepted is counted.
    """
    os.execv(sys.executable, (sys.executable, "-m", "tests.containers", *options))


@deploy.command()
def demo() -> None:
    """Fill the site with the demo year 2011: for a trial only."""
    site = Site.of_the_environment()
    broker = urlsplit(site.amqp_uri("gateway"))
    settings = {
        "AMQP_URI": broker._replace(netloc=f"{broker.netloc.rpartition('@')[0]}@{compose.broker()}").geturl(),
        "GATEWAY_URL": compose.url(),
        "TOKEN_PRIVATE_KEY": as_setting(site.private_key()),
        "SSL_CERT_FILE": str(site.folder / "tls/ca.pem"),
        "PYTHONWARNINGS": "ignore",  # Eventlet warns at every import
    }
    os.execve(sys.executable, (sys.executable, "-m", "deploy.demo"), os.environ | settings)


deploy.add_command(backup_commands.backup)
deploy.add_command(backup_commands.restore)


@deploy.group()
def system() -> None:
    """Let other bureaus' programs call and hear over the broker."""


@system.command()
@click.argument("name")
@click.option("--may", multiple=True, metavar="METHOD", help="A method, like rural.list_associations; may be repeated.")
@click.option(
    "--hears",
    multiple=True,
    metavar="EVENT",
    help="An event, like awards.external_result.verified; 'external_result.*' of a kind, 'awards.*' of a service.",
)
@click.option(
    "--host", default="", metavar="HOST[:PORT]", help="Where it reaches the broker, if not by the site's name."
)
@click.option(
    "--role",
    "roles",
    multiple=True,
    default=USUAL_ROLES,
    show_default=True,
    type=click.Choice(ROLES),
    help="A role of its token; methods need one.",
)
@user_commands.district
@click.option("--renew", is_flag=True, help="Issue a new token even if the present one is valid for more than a month.")
def add(
    name: str,
    may: tuple[str, ...],
    hears: tuple[str, ...],
    host: str,
    roles: tuple[str, ...],
    district: str | None,
    renew: bool,
) -> None:
    """Let a system call these methods and hear these events.

    And no others; again to change that.
    """
    site = Site.of_the_environment()
    is_known, before = name in dict(site.systems()), _token_of(site, name)
    system_ = System(may=may, hears=hears, password=secrets.token_hex(24))
    control = _rabbitmqctl(site)
    folder = site.add(name, system_, host=host, roles=roles, district=district, renew=renew)
    token = folder.token()
    click.echo(f"{folder.path} is for its bureau: hand over the whole folder, and let nobody else read it.")
    if token:
        click.echo(f"Its token {token.id} is valid until the end of {last_day(token)}.")
    if before and token and before.id != token.id:
        click.echo(f"The token before is valid until {last_day(before)}, unless: {REVOKE.format(before.id)}")
    click.echo("To tell the broker:")
    click.echo(f"  {control} import_definitions < {site.folder}/definitions.json")
    if is_known:
        click.echo("If it has fewer rights than before, to end open connections and bindings:")
        click.echo(f'  {control} close_all_user_connections {name} "other rights"')
        click.echo(f"  {control} delete_queue {name}.events")


@system.command("list")
def list_systems() -> None:
    """List the systems with their rights and the end of their tokens."""
    site = Site.of_the_environment()
    rows = (
        (name, "\n".join(one.may), "\n".join(one.hears), last_day(token) if (token := _token_of(site, name)) else "-")
        for name, one in site.systems()
    )
    console().print(table(("name", "may", "hears", "token until"), rows))


@system.command()
@click.argument("name")
def remove(name: str) -> None:
    """Take all rights from a system."""
    site = Site.of_the_environment()
    token = _token_of(site, name)
    control = _rabbitmqctl(site)
    site.remove(name)
    click.echo(f"{name} is removed from {site.folder}. For the broker and the services to refuse it:")
    click.echo(f"  {control} delete_user {name}")
    if token:
        click.echo(f"  {REVOKE.format(token.id)}")
    click.echo(f"  {control} delete_queue {name}.events  # and others that it left: {control} list_queues name")


def _token_of(site: Site, name: str) -> Verified | None:
    return site.handed(name).token()
