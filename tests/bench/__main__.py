"""`./kexie bench`: measurements on a stack of its own.

Ratios of our pipeline to stock nameko in the same run; with `--limit` what the stack does at and beyond its limit, with
`--import ROWS` how fast a sheet of so many audience counts is imported, and with how much memory; with `--judging` how
fast a large contest is assigned to its judges and ranked.
"""

import os
import sys
from collections.abc import Sequence

from deploy.local.home import Home
from deploy.local.home_keys import sealing_key, token_keys
from deploy.local.supervisor import AskedToStop
from deploy.local.temporary_stores import stores_of_its_own
from deploy.secrets.keys import as_setting
from deploy.secrets.private_files import CHECKOUT

MEASUREMENTS = {"--limit": "limit", "--import": "sheet", "--judging": "judging"}


def main(arguments: Sequence[str]) -> int:
    """Start broker and database, measure, print the table; 1 where a target was missed."""
    measurement = next((name for option, name in MEASUREMENTS.items() if option in arguments), "measure")
    given = [argument for argument in arguments if argument not in MEASUREMENTS]
    try:
        with stores_of_its_own(Home.of_the_environment(), "bench", say=_say) as (supervisor, stores):
            keys = token_keys(supervisor.home)
            told = {
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
            command = (sys.executable, "-m", f"tests.bench.{measurement}", *given)
            return supervisor.attend(*command, environment=os.environ | told)
    except AskedToStop as asked:
        return 128 + asked.number


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
