"""The operator's command line, which `./kexie` starts."""

import os
import shlex
import sys
from datetime import timedelta
from typing import Any

import click
from rich.console import Console

from deploy import stack
from deploy.home import Home
from deploy.keys import Keys
from deploy.programs import NAMES, RUN
from deploy.report import report
from deploy.trial import run_tests
from deploy.up import up as run_everything

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
    """Print the running stack's addresses and an operator's token, as shell assignments."""
    home = Home.of_the_environment()
    addresses = stack.addresses(home)
    assignments = {
        "AMQP_URI": addresses.amqp_uri,
        "MONGO_URI": addresses.mongo_uri,
        "GATEWAY_URL": addresses.gateway_url,
        "KEXIE_TOKEN": _issue(home, subject="operator", roles=("operator",), district=None, days=7),
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
    """Tell of each part of the running stack whether it is ready; exit code 1 when one is not."""
    table, whole = report(stack.running(Home.of_the_environment()))
    Console().print(table)
    sys.exit(0 if whole else 1)


@kexie.command(context_settings=PASSED_ON, add_help_option=False)
@click.argument("arguments", metavar="[PYTEST ARGUMENTS]", nargs=-1, type=click.UNPROCESSED)
def test(arguments: tuple[str, ...]) -> None:
    """Run the test suite on a broker and a database of its own."""
    sys.exit(run_tests(Home.of_the_environment(), arguments, say=click.echo))


@kexie.group()
def token() -> None:
    """Who may call."""


@token.command()
@click.option("--subject", required=True, help="Whose it is.")
@click.option("--role", "roles", required=True, multiple=True, help="May be given several times.")
@click.option("--district", help="Where it holds, as a GB/T 2260 code; everywhere where left out.")
@click.option("--days", type=click.IntRange(min=1), default=30, show_default=True, help="How long it holds.")
def issue(subject: str, roles: tuple[str, ...], district: str | None, days: int) -> None:
    """Print a new token."""
    click.echo(_issue(Home.of_the_environment(), subject=subject, roles=roles, district=district, days=days))


@kexie.command(context_settings=PASSED_ON, add_help_option=False)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def bench(arguments: tuple[str, ...]) -> None:
    """Measure, beside stock nameko in the same run."""
    from deploy.bench import running  # noqa: PLC0415 (it loads the whole framework)

    sys.exit(running.main(arguments))


def _issue(home: Home, *, subject: str, roles: tuple[str, ...], district: str | None, days: int) -> str:
    from services.chassis import tokens  # noqa: PLC0415 (it loads the framework)

    key, lifetime = Keys.of(home).private, timedelta(days=days)
    try:
        return tokens.issue(key, subject=subject, roles=roles, district=district, lifetime=lifetime)
    except ValueError as error:
        raise click.UsageError(str(error)) from error


if __name__ == "__main__":
    kexie(prog_name="kexie")
