"""`./kexie bench`: measurements on a broker and a database of their own."""

import os
import subprocess
import sys

import click

from deploy.local.home import Home
from deploy.local.home_keys import sealing_key, token_keys
from deploy.local.supervisor import StopRequested
from deploy.local.temporary_stores import stores_of_its_own
from deploy.secrets.keys import as_setting
from deploy.secrets.private_files import CHECKOUT
from services.chassis.provisioning import provision
from tests.bench import judging

MANY, FEWER = 1_000_000, 100_000  # records that a question goes over


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--limit", "at_limit", is_flag=True, help="Load the stack at its limit and at twice that.")
@click.option("--seconds", type=click.FloatRange(1), metavar="N", help="With --limit: length of each phase (300).")
@click.option(
    "--import", "rows", type=click.IntRange(1), metavar="ROWS", help="Import a sheet of ROWS audience counts."
)
@click.option("--judging", "of_judging", is_flag=True, help="Assign the entries of a large contest and rank them.")
@click.option(
    "--slow", type=click.IntRange(9), metavar="CONNECTIONS", help="A clerk's page beside so many slow clients."
)
@click.option("--sheets", "of_sheets", is_flag=True, help="Read and mark 500 uploaded sheets that were made to hurt.")
@click.option("--quick", is_flag=True, help="Without the others: ask over 100,000 records instead of a million.")
def bench(
    at_limit: bool,
    seconds: float | None,
    rows: int | None,
    of_judging: bool,
    slow: int | None,
    of_sheets: bool,
    quick: bool,
) -> None:
    """Measure our pipeline beside stock nameko, in the same run, and print a table.

    The exit code is 1 where a target is missed. The options measure something else: the stack at its limit, the import
    of a sheet from its upload to the changed KPI, the judging of a contest, a page beside clients that are slow, sheets
    made to hurt.
    """
    _refuse_contradictions(at_limit, bool(rows), of_judging, bool(slow), of_sheets, quick)
    if seconds and not at_limit:
        raise click.UsageError("--seconds belongs to --limit.")

    if of_judging:
        sys.exit(judging.main())
    if of_sheets:
        sys.exit(subprocess.call((sys.executable, "-m", "tests.bench.sheets")))
    if at_limit:
        sys.exit(_measure("saturation", f"{seconds or 300:g}"))
    if rows:
        sys.exit(_measure("imports", f"{rows}"))
    if slow:
        sys.exit(_measure("slow_clients", f"{slow}"))
    sys.exit(_measure("against_nameko", f"{FEWER if quick else MANY}"))


def _refuse_contradictions(*chosen: bool) -> None:
    if sum(chosen) > 1:
        raise click.UsageError("All options but --seconds each choose a measurement: choose one.")


def _measure(measurement: str, argument: str) -> int:
    """Start broker and database, measure in a process of its own, and return its exit code."""
    try:
        with stores_of_its_own(Home.of_the_environment(), "bench", say=_say) as (supervisor, stores):
            provision(stores.amqp_uri)
            keys = token_keys(supervisor.home)
            settings = {
                "AMQP_URI": stores.amqp_uri,
                "MONGO_URI": stores.mongo_uri,
                "TOKEN_PUBLIC_KEY": as_setting(keys.public),
                "TOKEN_PRIVATE_KEY": as_setting(keys.private),
                "SEALING_KEY": sealing_key(supervisor.home),
                "KEXIE_HOME": str(supervisor.home.folder),
                "PYTHONPATH": str(CHECKOUT),
                "PYTHONWARNINGS": "ignore",
                "LOG_LEVEL": "WARNING",
            }
            command = (sys.executable, "-m", f"tests.bench.{measurement}", argument)
            return supervisor.run(*command, environment=os.environ | settings)
    except StopRequested as stop:
        return 128 + stop.number


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")


if __name__ == "__main__":
    bench(prog_name="./kexie bench")
