"""`kexie deploy`: a site of containers or systemd units, and the systems that may call it."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Collection
from datetime import timedelta
from urllib.parse import urlsplit

import click
import msgspec

from deploy.cli import backup_commands, compose, system_commands
from deploy.deployment.layout import CLUSTER, Layout, check_change, with_hosts
from deploy.deployment.site_files import IRREPLACEABLE, Site
from deploy.provision import NEW_KEY
from deploy.secrets.keys import Keys, as_setting
from deploy.secrets.private_files import CHECKOUT

IN_CONTAINERS = (
    'docker build -t kexie -f deploy/Dockerfile --build-arg VERSION="$(git describe --always)" .',
    "./kexie deploy compose up -d --wait",
)
WITHOUT = (
    "rabbitmqctl import_definitions < {site}/definitions.json",
    "python -m deploy.provision {site}    # where the database is, as deploy/README.md says",
    "systemctl enable --now kexie.target",
)
RESTART = "./kexie deploy compose up -d --wait --force-recreate"
WITHOUT_PROXY = "http://127.0.0.1:8011"
TOKEN_LIFETIME = timedelta(days=1)
STARTS = frozenset({"up", "run", "start", "restart", "create"})
"""Commands of compose that start containers."""


@click.group()
def deploy() -> None:
    """Run a site of containers or of systemd units."""


@deploy.command()
@click.option("--cluster/--single", "is_cluster", default=None, help="Three brokers and databases, or one of each.")
@click.option(
    "--host", "hosts", multiple=True, metavar="NAME", help="A name by which others reach the site, beside those it has."
)
@click.option("--drop-host", "dropped", multiple=True, metavar="NAME", help="A name that it has no longer.")
@click.option("--broker", metavar="HOST[:PORT],...", help="Your own RabbitMQ, where none runs in a container.")
@click.option("--database", metavar="HOST[:PORT],...", help="Your own MongoDB: the replica set's members.")
@click.option(
    "--anew", multiple=True, type=click.Choice(tuple(IRREPLACEABLE)), help="Invent this secret, which is lost for good."
)
def init(
    is_cluster: bool | None,
    hosts: tuple[str, ...],
    dropped: tuple[str, ...],
    broker: str | None,
    database: str | None,
    anew: tuple[str, ...],
) -> None:
    """Make the secrets and certificates of a site.

    Again to renew certificates or to change hosts; passwords and keys stay.
    """
    if bool(broker) != bool(database):
        raise click.UsageError("--broker and --database go together.")
    site = Site.of_the_environment()
    before, is_known = site.layout(), site.is_made
    wanted = _wanted(before, is_cluster, broker, database)
    layout = msgspec.structs.replace(wanted, hosts=with_hosts(before.hosts, hosts, dropped))
    if is_known:
        check_change(before, layout)
        site.require_files(anew=anew)
    outdated = site.outdated_systems()
    replaced = site.make(layout, anew=anew)
    _tell_of_site(site, replaced)
    _tell_what_is_left(site, anew=anew, grows=is_known and layout.is_cluster and not before.is_cluster)
    system_commands.tell_of_outdated(site, outdated)


def _wanted(before: Layout, is_cluster: bool | None, broker: str | None, database: str | None) -> Layout:
    if broker and database:
        return Layout(tuple(broker.split(",")), tuple(database.split(",")))
    if is_cluster is None:
        return before
    return CLUSTER if is_cluster else Layout()


def _tell_what_is_left(site: Site, *, anew: Collection[str], grows: bool) -> None:
    """Tell what this command cannot do, since broker and database have to run for it."""
    in_containers = site.layout().is_in_containers
    if grows and in_containers:
        click.echo("Then spread the queues that exist over the new brokers, or they fall with the one that has them:")
        for node in CLUSTER.brokers[1:]:
            click.echo(f"  ./kexie deploy compose exec rabbitmq rabbitmq-queues grow rabbit@{node} all")
    if "sealing_key" in anew:
        click.echo("Then give up what was sealed with the lost key, so that names can be sealed again:")
        program = "./kexie deploy compose run --rm provision" if in_containers else "python -m deploy.provision"
        click.echo(f"  {program} {NEW_KEY}{'' if in_containers else f' {site.folder}'}")
    if not {"mongo_keyfile", "erlang_cookie"}.isdisjoint(anew):
        click.echo("Then start broker and database anew, all nodes at once:")
        click.echo(f"  {RESTART}")
    if "token_private_key" in anew:
        click.echo("Every token of a system is refused from now on; `./kexie deploy system add` issues a new one.")


def _tell_of_site(site: Site, replaced: tuple[str, ...]) -> None:
    layout = site.layout()
    for file, ends in site.certificates():
        click.echo(f"  {file.name:<14} is valid until {ends:%Y-%m-%d}")
    click.echo(f"Others reach it as {', '.join(layout.hosts)}.")
    if layout.is_in_containers:
        click.echo(f"Its containers and volumes are named {site.project}.")
    click.echo(f"{site.folder} is ready. Keep a copy of it where nobody else can read it. Next:")
    for step in IN_CONTAINERS if layout.is_in_containers else WITHOUT:
        click.echo(f"  {step.format(site=site.folder)}")
    if replaced:
        click.echo(f"New certificates ({', '.join(replaced)}) are used after a restart:")
        click.echo(f"  {RESTART}")


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
    site = Site.of_the_environment()
    command = (*compose.command(site), *words)
    os.chdir(CHECKOUT)
    if STARTS.isdisjoint(words):
        os.execvp(command[0], command)
    compose.check_start(site)
    signal.signal(signal.SIGINT, lambda *_: None)  # Ctrl-C is for compose, which stops what it started
    code = subprocess.run(command, check=False).returncode
    for line in compose.preparations() if code else ():
        click.echo(line, err=True)
    sys.exit(code)


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


deploy.add_command(system_commands.of_the_site)
