"""`./kexie bench`: measurements on a stack of its own."""

import os
import sys
from collections.abc import Mapping

import click

from deploy.local.home import Home
from deploy.local.home_keys import sealing_key, token_keys
from deploy.local.supervisor import AskedToStop
from deploy.local.temporary_stores import stores_of_its_own
from deploy.secrets.keys import as_setting
from deploy.secrets.private_files import CHECKOUT


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--quick", is_flag=True, help="Ask over 100,000 records and not over a million.")
@click.option("--limit", is_flag=True, help="Load the stack to its limit, and to twice that.")
@click.option("--seconds", type=float, default=300.0, show_default=True, help="Of each of the two phases of --limit.")
@click.option("--import", "rows", type=click.IntRange(1), metavar="ROWS", help="Import a sheet of so many counts.")
@click.option("--judging", is_flag=True, help="Assign and rank a large contest.")
def bench(quick: bool, limit: bool, seconds: float, rows: int | None, judging: bool) -> None:
    """Compare the stack with stock nameko in the same run, or measure what an option names.

    Starts a broker and a database of its own; exit code 1 where a target was missed.
    """
    command: tuple[str, ...]
    if limit:
        command = ("saturation", "--seconds", f"{seconds:g}")
    elif rows:
        command = ("imports", str(rows))
    elif judging:
        command = ("judging",)
    else:
        command = ("against_nameko", *(["--quick"] if quick else []))
    sys.exit(measure(*command))


def measure(module: str, *arguments: str) -> int:
    """Run a module of this package on a broker and a database of its own; return its exit code."""
    try:
        with stores_of_its_own(Home.of_the_environment(), "bench", say=_say) as (supervisor, stores):
            environment = os.environ | _settings(supervisor.home, stores.amqp_uri, stores.mongo_uri)
            return supervisor.attend(sys.executable, "-m", f"tests.bench.{module}", *arguments, environment=environment)
    except AskedToStop as asked:
        return 128 + asked.number


def _settings(home: Home, amqp_uri: str, mongo_uri: str) -> Mapping[str, str]:
    keys = token_keys(home)
    return {
        "AMQP_URI": amqp_uri,
        "MONGO_URI": mongo_uri,
        "TOKEN_PUBLIC_KEY": as_setting(keys.public),
        "TOKEN_PRIVATE_KEY": as_setting(keys.private),
        "SEALING_KEY": sealing_key(home),
        "KEXIE_HOME": str(home.folder),
        "PYTHONPATH": str(CHECKOUT),
        "PYTHONWARNINGS": "ignore",
        "LOG_LEVEL": "WARNING",
    }


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")


if __name__ == "__main__":
    bench(prog_name="./kexie bench")
