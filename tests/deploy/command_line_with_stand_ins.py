"""The operator's command line as it is, but for what the five processes do."""

import sys

from deploy import programs
from deploy.command_line import kexie

programs.RUN = (sys.executable, "-m", "tests.deploy.stand_in")

if __name__ == "__main__":
    kexie(prog_name="kexie")
