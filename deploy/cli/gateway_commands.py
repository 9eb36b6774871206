"""Operators' commands that go through the gateway: jobs, sheets, plans and parked messages."""

from __future__ import annotations

import shlex
import sys
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn

import click

from deploy.cli import dead_letters, imports, jobs, plans, recounts, user_commands
from deploy.cli.client import Gateway
from deploy.cli.deploy_commands import deploy
from deploy.cli.output import console
from deploy.local.programs import NAMES
from services.contract.topology import HEARS, SERVICES

INTERRUPTED = 130  # the exit code of shells for SIGINT


def _reason(context: click.Context, _: click.Parameter, given: str | None) -> str | None:
    """Ask for the reason where a person is there to answer."""
    if given or context.params.get("follow"):
        return given
    if not sys.stdin.isatty():
        raise click.UsageError("Missing option '--why'.")
    return str(click.prompt("Why"))


optional_why = click.option("--why", metavar="TEXT", help="Kept with the job.")
why = click.option("--why", metavar="TEXT", callback=_reason, help="The reason, which is kept; asked for if left out.")
watch = click.option(
    "--follow", is_flag=True, is_eager=True, help="Begin nothing; show the job at work, or the last one."
)


@click.command()
@optional_why
@watch
def audit(why: str | None, follow: bool) -> None:
    """Compare the gateway's copy with every service.

    Exit code 1 where a record differs.
    """
    _job("audit", follow, why=why)


@click.command()
@click.option("--heard-by", type=click.Choice(tuple(HEARS)), help="Everything that this service hears.")
@why
@watch
def rearm(heard_by: str | None, why: str | None, follow: bool) -> None:
    """Have services publish again what the gateway lacks.

    Nothing is counted twice.
    """
    _job("rearm", follow, why=why, heard_by=heard_by)


@click.command()
@optional_why
@watch
def verify(why: str | None, follow: bool) -> None:
    """Check every record's chain of versions.

    At its service, and in the gateway's copy; exit code 1 where a chain is broken.
    """
    _job("verify", follow, why=why)


@click.command()
@why
@watch
def rebuild(why: str | None, follow: bool) -> None:
    """Make the gateway's copy anew from the services.

    The old copy goes on answering until the new one is complete.
    """
    _job("rebuild", follow, why=why)


def _job(name: str, follow: bool, **body: Any) -> NoReturn:
    gateway = Gateway.of_the_environment()
    job = jobs.last(gateway, name) if follow else jobs.begin(gateway, name, **body)
    try:
        job = jobs.follow(gateway, job)
    except KeyboardInterrupt:
        click.echo(f"The {name} goes on at the gateway; `./kexie {name} --follow` shows how far it is.", err=True)
        sys.exit(INTERRUPTED)
    sys.exit(jobs.show(job))


@click.command()
@click.argument("kpi")
@click.option("--period", metavar="PERIOD", help="Like 2011, 2011Q3 or 201107; the plan's year if left out.")
@click.option("--district", metavar="CODE", help="Only this district.")
def recount(kpi: str, period: str | None, district: str | None) -> None:
    """Have the owning service count a number again.

    Record by record; exit code 1 where a record or the result differs.
    """
    gateway = Gateway.of_the_environment().at("recounts")
    begun = recounts.begin(gateway, kpi=kpi, period=period, district=district)
    try:
        ended = recounts.follow(gateway, begun)
    except KeyboardInterrupt:
        click.echo(f"The recount goes on at the gateway: GET /api/v1/recounts/{begun['id']}", err=True)
        sys.exit(INTERRUPTED)
    sys.exit(recounts.show(ended))


@click.group("parked")
def parked_messages() -> None:
    """Show, replay and discard parked messages (dead letters)."""


where = click.option("--service", type=click.Choice(NAMES), help="Its service; all are searched if left out.")
which = click.argument("id_", metavar="ID")


@parked_messages.command("list")
@click.option("--service", type=click.Choice(NAMES), help="Only this service's.")
@click.option("--settled", is_flag=True, help="Those of the last 90 days that no longer wait.")
@click.option("--limit", type=click.IntRange(1, dead_letters.PAGE), default=100, show_default=True)
def list_(service: str | None, settled: bool, limit: int) -> None:
    """List messages that wait, the oldest first."""
    state = "settled" if settled else "waiting"
    page = Gateway.of_the_environment().get("parked", service=service, state=state, limit=limit)
    out = console()
    if page["items"]:
        out.print(dead_letters.settled(page) if settled else dead_letters.waiting(page, datetime.now(UTC)))
    if (more := page["total"] - len(page["items"])) > 0:
        out.print(f"and {more:,} more")
    away = page.get("away") or ()
    if not page["total"]:
        out.print(f"No message is {state}{' at the others' if away else ''}.")
    if away:
        out.print(f"Away, and so not listed: {', '.join(away)}")
        sys.exit(1)


@parked_messages.command()
@which
@where
def show(id_: str, service: str | None) -> None:
    """Show a message with its text and its error.

    The beginning of its id is enough.
    """
    gateway = Gateway.of_the_environment()
    item = dead_letters.find(gateway, id_, service=service)
    message = gateway.get("parked", item["service"], item["id"])
    console().print(dead_letters.details({"service": item["service"], **message}))


@parked_messages.command()
@which
@where
@why
def replay(id_: str, service: str | None, why: str) -> None:
    """Have a message handled again, now.

    It stays parked where that fails again.
    """
    _settle("replay", id_, service, why)


@parked_messages.command()
@which
@where
@why
def discard(id_: str, service: str | None, why: str) -> None:
    """Discard a message: it is never handled again."""
    _settle("discard", id_, service, why)


def _settle(how: str, id_: str, service: str | None, why: str) -> None:
    gateway = Gateway.of_the_environment()
    item = dead_letters.find(gateway, id_, service=service)
    settled = gateway.post("parked", item["service"], item["id"], how, why=why)
    click.echo(f"{settled['id']} at {item['service']}: {settled['state']} by {settled['settled_by']}.")


@click.group()
def plan() -> None:
    """Check and apply the annual work plan as a file."""


@plan.command()
@plans.file
def check(path: Path) -> None:
    """Check a plan file, line by line.

    Exit code 1 where it has errors.
    """
    plans.check(path)


@plan.command()
@plans.file
@why
def apply(path: Path, why: str) -> None:
    """Put a plan file into force.

    The plans before it are kept.
    """
    plans.apply(Gateway.of_the_environment(), path, why=why)


@click.command("import")
@click.argument("service", type=click.Choice(SERVICES))
@click.argument("command")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Only check the rows; write them later with --id.")
@click.option("--id", "import_id", metavar="ID", help="Of an import that was begun before.")
@click.option(
    "--role", "roles", multiple=True, default=("recorder",), show_default=True, help="A role that the command needs."
)
def import_sheet(
    service: str, command: str, file: Path, dry_run: bool, import_id: str | None, roles: tuple[str, ...]
) -> None:
    """Make a record of every row of an XLSX or CSV sheet, or none.

    Exit code 1 where rows are wrong.
    """
    gateway = Gateway.of_the_environment(roles=roles)
    id_ = import_id or str(uuid.uuid4())
    again = f"./kexie import {service} {command} {shlex.quote(str(file))} --id {id_}"
    try:
        begun = imports.begin(gateway, service, command, file, import_id=id_, dry_run=dry_run)
        ended = imports.follow(gateway, begun)
    except KeyboardInterrupt:
        click.echo(f"The import goes on at the gateway; `{again}` shows how far it is.", err=True)
        sys.exit(INTERRUPTED)
    sys.exit(imports.show(gateway, ended, file, again=again))


COMMANDS = (
    audit,
    rearm,
    verify,
    rebuild,
    recount,
    parked_messages,
    plan,
    import_sheet,
    user_commands.user,
    user_commands.token,
    deploy,
)
