"""`./kexie bench`: ratios of our pipeline to stock nameko, measured in the same run on a stack of its own."""

import os
import sys
from collections.abc import Sequence

from deploy.home import CHECKOUT, Home
from deploy.keys import Keys, as_setting
from deploy.supervisor import AskedToStop
from deploy.trial import stores_of_its_own


def main(arguments: Sequence[str]) -> int:
    """Start broker and database, measure beside each other, print the table; 1 where a target was missed."""
    try:
        with stores_of_its_own(Home.of_the_environment(), "bench", say=_say) as (supervisor, stores):
            keys = Keys.of(supervisor.home)
            told = {
                "AMQP_URI": stores.amqp_uri,
                "MONGO_URI": stores.mongo_uri,
                "TOKEN_PUBLIC_KEY": as_setting(keys.public),
                "TOKEN_PRIVATE_KEY": as_setting(keys.private),
                "KEXIE_HOME": str(supervisor.home.folder),
                "PYTHONPATH": str(CHECKOUT),
                "PYTHONWARNINGS": "ignore",
                "LOG_LEVEL": "WARNING",
            }
            command = (sys.executable, "-m", "deploy.bench.measure", *arguments)
            return supervisor.attend(*command, environment=os.environ | told)
    except AskedToStop as asked:
        return 128 + asked.number


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
