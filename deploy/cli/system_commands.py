"""`kexie system` and `kexie deploy system`: the outside systems of the stack on this machine, and of a site."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from subprocess import CalledProcessError
from typing import Any

import click

from deploy.cli import compose, user_commands
from deploy.cli.output import console, table
from deploy.deployment import system_definitions
from deploy.deployment.other_systems import USUAL_ROLES, Folder, System, Systems, last_day
from deploy.deployment.site_files import VHOST, Site
from deploy.errors import CommandFailed
from deploy.local import stack_file
from deploy.local.broker import USER, Broker
from deploy.local.home import Home
from deploy.local.home_keys import token_keys
from gateway.door.systems import event_queue
from services.chassis.tokens import ROLES, Verified

GONE = re.compile("does not exist|not found")
"""The words of rabbitmqctl where nothing is there to be removed."""
REVOKE = "./kexie token revoke {} --why TEXT"

OPTIONS = (
    click.argument("name"),
    click.option(
        "--may", multiple=True, metavar="METHOD", help="A method, like rural.list_associations; may be repeated."
    ),
    click.option(
        "--hears",
        multiple=True,
        metavar="EVENT",
        help="An event, like awards.external_result.verified; 'external_result.*' of a kind, 'awards.*' of a service.",
    ),
    click.option(
        "--role",
        "roles",
        multiple=True,
        default=USUAL_ROLES,
        show_default=True,
        type=click.Choice(ROLES),
        help="A role of its token; methods need one.",
    ),
    user_commands.district,
    click.option(
        "--renew", is_flag=True, help="Issue a new token even if the present one is valid for more than a month."
    ),
)


def _of_a_grant(command: Callable[..., None]) -> Callable[..., None]:
    for option in reversed(OPTIONS):
        command = option(command)
    return command


# --- on this machine --------------------------------------------------------------------------------------------------


@click.group("system")
def of_the_stack() -> None:
    """Let programs call and hear as outside systems do.

    Over the broker that `up` runs on this machine.
    """


@of_the_stack.command("add")
@_of_a_grant
def add_to_stack(name: str, may: tuple[str, ...], hears: tuple[str, ...], **token: Any) -> None:
    """Let a system call these methods and hear these events.

    And no others; again to change that.
    """
    broker, systems = _embedded()
    before = systems.handed(name).token()
    folder = systems.add(name, _system(may, hears), server=broker.server, **token)
    broker.import_definitions(system_definitions.of_systems(systems.all(), vhost=VHOST, door=USER))
    click.echo(f"{folder.path} is for it: address, token and an example that runs as it is.")
    _tell_of_token(folder, before)


@of_the_stack.command("list")
def list_of_stack() -> None:
    """List the systems with their rights and the end of their tokens."""
    _show(_systems_of_home())


@of_the_stack.command("remove")
@click.argument("name")
def remove_from_stack(name: str) -> None:
    """Take all rights from a system, and what waits for it."""
    broker, systems = _embedded()
    token = systems.handed(name).token()
    systems.require(name)
    _remove_at_broker(broker.control, name)
    systems.remove(name)
    click.echo(f"{name} is removed.")
    if token:
        click.echo(f"For the services to refuse its token, too: {REVOKE.format(token.id)}")


def _systems_of_home() -> Systems:
    home = Home.of_the_environment()
    return Systems(home.folder, token_keys(home).private)


def _embedded() -> tuple[Broker, Systems]:
    """The broker of the running stack; `CommandFailed` where nothing runs, or on another broker."""
    home = Home.of_the_environment()
    if "broker" not in [part.name for part in stack_file.running(home).parts]:
        raise CommandFailed(
            "The stack has a broker of yours: `./kexie deploy init` and `deploy system add` are for it."
        )
    return Broker(home), _systems_of_home()


# --- of a site --------------------------------------------------------------------------------------------------------


@click.group("system")
def of_the_site() -> None:
    """Let other bureaus' programs call and hear over the broker."""


@of_the_site.command("add")
@click.option(
    "--host", default="", metavar="HOST[:PORT]", help="Where it reaches the broker, if not by the site's name."
)
@_of_a_grant
def add_to_site(name: str, may: tuple[str, ...], hears: tuple[str, ...], host: str, **token: Any) -> None:
    """Let a system call these methods and hear these events.

    And no others; again to change that.
    """
    site = Site.of_the_environment()
    runs = site.layout().is_in_containers and compose.is_healthy(compose.BROKER)  # asked before anything is written
    before = site.systems().handed(name).token()
    folder = site.add(name, _system(may, hears), host=host, **token)
    _tell_of_broker(site, runs=runs)
    click.echo(f"{folder.path} is for its bureau: hand over the whole folder, and let nobody else read it.")
    _tell_of_token(folder, before)
    _tell_the_door(site)


def _tell_of_broker(site: Site, *, runs: bool) -> None:
    """Tell a broker in a container what it has to know, or the operator how the broker is told."""
    definitions = site.folder / "definitions.json"
    if runs:
        with definitions.open("rb") as file:
            compose.control_broker("import_definitions", stdin=file)
        click.echo("The broker knows of it.")
    elif site.layout().is_in_containers:
        click.echo("The broker is not running; `./kexie deploy compose up -d --wait` tells it.")
    else:
        click.echo("Not done yet. To tell the broker:")
        click.echo(f"  {broker_control(site)} import_definitions < {definitions}")


@of_the_site.command("list")
def list_of_site() -> None:
    """List the systems with their rights and the end of their tokens."""
    _show(Site.of_the_environment().systems())


@of_the_site.command("remove")
@click.argument("name")
def remove_from_site(name: str) -> None:
    """Take all rights from a system."""
    site = Site.of_the_environment()
    site.systems().require(name)
    token = site.systems().handed(name).token()
    in_containers = site.layout().is_in_containers
    if in_containers:
        _require_broker()
        _remove_at_broker(compose.control_broker, name)
    site.remove(name)
    click.echo(f"{name} is removed from {site.folder}{' and from the broker' if in_containers else ''}.")
    if token or not in_containers:
        click.echo("Not done yet. For it to be refused everywhere:")
    for command in () if in_containers else _removal(name):
        click.echo(f"  {' '.join((broker_control(site), *command))}")
    if token:
        click.echo(f"  {REVOKE.format(token.id)}")
    _tell_the_door(site)


def tell_of_outdated(site: Site, outdated: tuple[str, ...]) -> None:
    """Tell which systems have another address since an earlier release, and how the old way is closed."""
    if not outdated:
        return
    click.echo("Outside systems have a virtual host of their own now: another address, the same password and token.")
    click.echo("Once the broker is told, their old rights end. Then hand over these folders anew:")
    for name in outdated:
        click.echo(f"  {broker_control(site)} clear_permissions -p {VHOST} {name}")
        click.echo(f"  {broker_control(site)} delete_queue {name}.events  # and others that it left: list_queues name")
        click.echo(f"  {site.systems().handed(name).path}")


def _tell_the_door(site: Site) -> None:
    """Containers see the list itself, units a copy as of their start."""
    if not site.layout().is_in_containers:
        click.echo("To tell the door:")
        click.echo("  systemctl restart kexie@door")


def broker_control(site: Site) -> str:
    """Return how rabbitmqctl is called at this site."""
    return "./kexie deploy compose exec -T rabbitmq rabbitmqctl" if site.layout().is_in_containers else "rabbitmqctl"


# --- both -------------------------------------------------------------------------------------------------------------


def _system(may: tuple[str, ...], hears: tuple[str, ...]) -> System:
    return System(may=may, hears=hears, password=secrets.token_hex(24))


def _removal(name: str) -> tuple[tuple[str, ...], ...]:
    """Commands of rabbitmqctl that remove what an import leaves."""
    return ("delete_user", name), ("delete_vhost", name), ("delete_queue", event_queue(name), "--vhost", VHOST)


def _require_broker() -> None:
    if not compose.is_healthy(compose.BROKER):
        raise CommandFailed(
            "The broker is not running, and nothing but a command to it takes its rights from a system: "
            "`./kexie deploy compose up -d --wait rabbitmq` first. Nothing was changed."
        )


def _remove_at_broker(control: Callable[..., object], name: str) -> None:
    """Remove a system's user, virtual host and queue; one that is gone already, or never was, is no error."""
    for command in _removal(name):
        try:
            control(*command)
        except (CommandFailed, CalledProcessError) as failure:
            if not GONE.search(str(getattr(failure, "stderr", failure))):
                raise


def _tell_of_token(folder: Folder, before: Verified | None) -> None:
    token = folder.token()
    if token:
        click.echo(f"Its token {token.id} is valid until the end of {last_day(token)}.")
    if before and token and before.id != token.id:
        click.echo(f"The token before is valid until {last_day(before)}, unless: {REVOKE.format(before.id)}")


def _show(systems: Systems) -> None:
    rows = (
        (
            name,
            "\n".join(one.may),
            "\n".join(one.hears),
            last_day(token) if (token := systems.handed(name).token()) else "-",
        )
        for name, one in systems.all().items()
    )
    console().print(table(("name", "may", "hears", "token until"), rows))
