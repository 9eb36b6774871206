"""The operators' command line, which `./kexie` starts."""

import os
import shlex
import sys
from datetime import timedelta
from typing import Any, NoReturn

import click

from deploy.cli import system_commands, system_status
from deploy.cli.client import Gateway
from deploy.cli.gateway_commands import COMMANDS
from deploy.cli.output import console
from deploy.errors import CommandFailed
from deploy.local import stack_file
from deploy.local.home import Home
from deploy.local.home_keys import token_keys
from deploy.local.process_status import causes, status_table
from deploy.local.programs import PROGRAMS, RUN
from deploy.local.temporary_stores import run_tests
from deploy.local.up import run_everything
from services.chassis import provisioning

TOKEN_LIFETIME = timedelta(days=1)

HELP = {"-h", "--help"}
PASSED_ON: dict[str, Any] = {"ignore_unknown_options": True, "allow_interspersed_args": False}


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def kexie() -> None:
    """Run and operate Kexie, the annual work plan of an association as a live system."""


@kexie.command()
@click.option("--demo", is_flag=True, help="Fill 2011 with a realistic year.")
@click.option("--port", type=click.IntRange(1, 65535), help="The gateway's; 8011 or any free one if left out.")
def up(demo: bool, port: int | None) -> None:
    """Start everything on this machine.

    Broker and database are embedded unless AMQP_URI and MONGO_URI name them.
    """
    run_everything(Home.of_the_environment(), port=port, demo=demo, say=click.echo)


@kexie.command()
def env() -> None:
    """Print the running stack's addresses as shell assignments.

    With an operator's token that is valid for a day: eval "$(./kexie env)"
    """
    home = Home.of_the_environment()
    addresses = stack_file.addresses(home)
    assignments = {
        "AMQP_URI": addresses.amqp_uri,
        "MONGO_URI": addresses.mongo_uri,
        "GATEWAY_URL": addresses.gateway_url,
        "KEXIE_TOKEN": token_keys(home).token(subject="operator", roles=("operator",), lifetime=TOKEN_LIFETIME),
    }
    for name, value in assignments.items():
        click.echo(f"export {name}={shlex.quote(value)}")


@kexie.command()
@click.argument("names", metavar="SERVICE...", nargs=-1, required=True, type=click.Choice(PROGRAMS))
def run(names: tuple[str, ...]) -> None:
    """Run services in one process, as containers do."""
    os.execv(RUN[0], (*RUN, *names))


@kexie.command()
def status() -> None:
    """Show the condition of processes, services, queues and jobs.

    Exit code 1 where a process is not ready, a service is away, or numbers are not complete.
    """
    is_ready = "GATEWAY_URL" in os.environ or _show_processes()
    sys.exit(0 if _show_system() and is_ready else 1)


def _show_processes() -> bool:
    home, out = Home.of_the_environment(), console()
    table, unready = status_table(stack_file.running(home))
    for part in causes(unready):
        out.print(f"WRONG: {part.name} is not ready; its log is {home.log(part.name)}")
    out.print(table)
    out.print()
    return not unready


def _show_system() -> bool:
    try:
        status = Gateway.of_the_environment().get("status")
    except CommandFailed as failure:
        click.echo(f"gateway: {failure.message}")
        return False
    system_status.show(status, console())
    return system_status.is_whole(status)


@kexie.command()
def provision() -> None:
    """Make the exchanges and queues that are missing.

    At the broker of AMQP_URI, or of the running stack; those that are there stay as they are.
    """
    try:
        provisioning.provision(os.environ.get("AMQP_URI") or stack_file.addresses(Home.of_the_environment()).amqp_uri)
    except provisioning.AWAY as error:
        raise CommandFailed(f"The broker cannot be provisioned: {type(error).__name__}: {error}") from error
    click.echo("All exchanges and queues are there. `./kexie audit` finds what was lost with one that was missing.")


@kexie.command(context_settings=PASSED_ON, add_help_option=False)
@click.argument("arguments", metavar="[PYTEST ARGUMENTS]", nargs=-1, type=click.UNPROCESSED)
def test(arguments: tuple[str, ...]) -> None:
    """Run the tests on a broker and a database of their own."""
    if HELP.intersection(arguments):
        _become("tests", *arguments)
    sys.exit(run_tests(Home.of_the_environment(), arguments, say=click.echo))


@kexie.command(context_settings=PASSED_ON, add_help_option=False)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def chaos(arguments: tuple[str, ...]) -> None:
    """Inject faults under load, and count what is lost or doubled."""
    _become("tests.chaos", *arguments)


@kexie.command(context_settings=PASSED_ON, add_help_option=False)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def bench(arguments: tuple[str, ...]) -> None:
    """Measure the stack beside stock nameko."""
    _become("tests.bench", *arguments)


def _become(module: str, *arguments: str) -> NoReturn:
    """Replace this process by a module's own command line."""
    os.execv(sys.executable, (sys.executable, "-m", module, *arguments))


for command in (*COMMANDS, system_commands.of_the_stack):
    kexie.add_command(command)


if __name__ == "__main__":
    kexie(prog_name="kexie")
