"""`./kexie bench`: ratios of our pipeline to stock nameko, measured in the same run on a stack of its own."""

import os
import shutil
import sys
from collections.abc import Sequence

from deploy import embedded
from deploy.home import CHECKOUT, Home
from deploy.keys import Keys, as_setting
from deploy.supervisor import AskedToStop, Supervisor


def main(arguments: Sequence[str]) -> int:
    """Start broker and database, measure beside each other, print the table; 1 where a target was missed."""
    home = Home(Home.of_the_environment().folder / f"bench-{os.getpid()}")
    try:
        with home.claimed(), Supervisor(home, say=_say) as supervisor:
            stores = embedded.start(supervisor, say=_say)
            keys = Keys.of(home)
            told = {
                "AMQP_URI": stores.amqp_uri,
                "MONGO_URI": stores.mongo_uri,
                "TOKEN_PUBLIC_KEY": as_setting(keys.public),
                "TOKEN_PRIVATE_KEY": as_setting(keys.private),
                "KEXIE_HOME": str(home.folder),
                "PYTHONPATH": str(CHECKOUT),
                "PYTHONWARNINGS": "ignore",
                "LOG_LEVEL": "WARNING",
            }
            return supervisor.attend(
                sys.executable, "-m", "deploy.bench.measure", *arguments, environment=os.environ | told
            )
    except AskedToStop as asked:
        return 128 + asked.number
    finally:
        shutil.rmtree(home.folder, ignore_errors=True)


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
