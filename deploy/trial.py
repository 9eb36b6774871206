"""The test suite on a broker and a database of its own: `./kexie test`."""

import os
import shutil
import sys
from collections.abc import Callable, Sequence

from deploy import embedded, stack
from deploy.home import Home, InUse
from deploy.supervisor import AskedToStop, Supervisor


def run_tests(home: Home, arguments: Sequence[str], *, say: Callable[[str], None]) -> int:
    """Run pytest in a home made for it and removed afterwards; its exit code."""
    home.make()
    _remove_left_behind(home)
    fresh = Home(home.folder / f"test-{os.getpid()}")
    try:
        with fresh.claimed(), Supervisor(fresh, say=say) as supervisor:
            stores = embedded.start(supervisor, say=say)
            told = {"AMQP_URI": stores.amqp_uri, "MONGO_URI": stores.mongo_uri, "KEXIE_HOME": str(fresh.folder)}
            return supervisor.attend(sys.executable, "-m", "pytest", *arguments, environment=os.environ | told)
    except AskedToStop as asked:
        return 128 + asked.number
    finally:
        shutil.rmtree(fresh.folder)


def _remove_left_behind(home: Home) -> None:
    """The homes of test runs that were killed, with what still runs of them."""
    for folder in home.folder.glob("test-*"):
        left = Home(folder)
        try:
            with left.claimed():
                stack.clear_away(left)
                shutil.rmtree(folder)
        except InUse:
            continue
