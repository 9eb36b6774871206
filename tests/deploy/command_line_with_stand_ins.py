"""The operator's command line as it is, but for what the six processes do."""

import sys
from functools import partial

from deploy.__main__ import kexie
from deploy.local import programs

programs.replica = partial(programs.replica, run=(sys.executable, "-m", "tests.deploy.stand_in"))

if __name__ == "__main__":
    kexie(prog_name="kexie")
