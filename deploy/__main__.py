"""The operator's command line, which `./kexie` starts."""

import os
import shlex
import sys
from datetime import timedelta
from typing import Any, NoReturn

import click

from deploy.cli import system_status
from deploy.cli.client import Gateway
from deploy.cli.gateway_commands import COMMANDS
from deploy.cli.output import console
from deploy.errors import Trouble
from deploy.local import stack_file
from deploy.local.home import Home
from deploy.local.home_keys import token_keys
from deploy.local.process_status import report
from deploy.local.programs import NAMES, RUN
from deploy.local.temporary_stores import run_tests
from deploy.local.up import up as run_everything

TOKEN_HOLDS = timedelta(days=1)

HELP = {"-h", "--help"}
PASSED_ON: dict[str, Any] = {"ignore_unknown_options": True, "allow_interspersed_args": False}


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def kexie() -> None:
    """The annual work plan of an association for science and technology, run as a live system."""


@kexie.command()
@click.option("--demo", is_flag=True, help="Fill 2011 with a realistic year.")
@click.option("--port", type=click.IntRange(1, 65535), help="The gateway's; 8011 or any free one where left out.")
def up(demo: bool, port: int | None) -> None:
    """Start everything on this machine.

    Broker and database are embedded where AMQP_URI and MONGO_URI do not name them.
    """
    run_everything(Home.of_the_environment(), port=port, demo=demo, say=click.echo)


@kexie.command()
def env() -> None:
    """Print the running stack's addresses and an operator's token of a day, as shell assignments."""
    home = Home.of_the_environment()
    addresses = stack_file.addresses(home)
    assignments = {
        "AMQP_URI": addresses.amqp_uri,
        "MONGO_URI": addresses.mongo_uri,
        "GATEWAY_URL": addresses.gateway_url,
        "KEXIE_TOKEN": token_keys(home).token(subject="operator", roles=("operator",), lifetime=TOKEN_HOLDS),
    }
    for name, value in assignments.items():
        click.echo(f"export {name}={shlex.quote(value)}")


@kexie.command()
@click.argument("names", metavar="SERVICE...", nargs=-1, required=True, type=click.Choice(NAMES))
def run(names: tuple[str, ...]) -> None:
    """Run these services in one process, as containers do."""
    os.execv(RUN[0], (*RUN, *names))


@kexie.command()
def status() -> None:
    """Tell how each process, service, queue and job is; exit code 1 when one is not ready or numbers are incomplete."""
    is_ready = "GATEWAY_URL" in os.environ or _show_processes()
    sys.exit(0 if _show_system() and is_ready else 1)


def _show_processes() -> bool:
    table, whole = report(stack_file.running(Home.of_the_environment()))
    out = console()
    out.print(table)
    out.print()
    return whole


def _show_system() -> bool:
    try:
        said = Gateway.of_the_environment().get("status")
    except Trouble as trouble:
        click.echo(f"gateway: {trouble.message}")
        return False
    system_status.show(said, console())
    return system_status.is_whole(said)


@kexie.command(context_settings=PASSED_ON, add_help_option=False)
@click.argument("arguments", metavar="[PYTEST ARGUMENTS]", nargs=-1, type=click.UNPROCESSED)
def test(arguments: tuple[str, ...]) -> None:
    """Run the tests on a broker and a database of their own."""
    if HELP.intersection(arguments):
        _become("pytest", *arguments)
    sys.exit(run_tests(Home.of_the_environment(), arguments, say=click.echo))


@kexie.command(context_settings=PASSED_ON, add_help_option=False)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def chaos(arguments: tuple[str, ...]) -> None:
    """Inject faults under load; prove that nothing is lost."""
    _become("tests.chaos", *arguments)


@kexie.command(context_settings=PASSED_ON, add_help_option=False)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def bench(arguments: tuple[str, ...]) -> None:
    """Measure the stack, beside stock nameko."""
    _become("tests.bench", *arguments)


def _become(module: str, *arguments: str) -> NoReturn:
    """Replace this process by a module's own command line."""
    os.execv(sys.executable, (sys.executable, "-m", module, *arguments))


for command in COMMANDS:
    kexie.add_command(command)


if __name__ == "__main__":
    kexie(prog_name="kexie")
