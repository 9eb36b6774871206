"""`python -m tests.chaos.injection.process SERVICE...`: `deploy.run` with a fault that the environment names.

CRASH_AT is the crash point at which it ends, CRASH_LOG the file into which it then writes a line, WITHOUT the
protection that it lacks, CLOCK_AHEAD by how many seconds its clock is wrong.
"""

import deploy.image.greenthreads  # noqa: F401, I001 - before anything else

import os
import sys
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from deploy import run
from services.chassis.clock import SystemClock
from tests.chaos.injection import crash_points, mutants


def prepare(environment: Mapping[str, str]) -> None:
    """Build in the faults of these variables; raise KeyError for a point or protection that does not exist."""
    if point := environment.get("CRASH_AT"):
        crash_points.arm(point, partial(crash_points.crash_here, point, environment.get("CRASH_LOG")))
    if protection := environment.get("WITHOUT"):
        mutants.remove(protection)
    if ahead := environment.get("CLOCK_AHEAD"):
        crash_points.wrap((SystemClock, "now"), partial(_wrong, timedelta(seconds=float(ahead))))


def _wrong(ahead: timedelta, now: Callable[..., datetime], *args: Any) -> datetime:
    return now(*args) + ahead


if __name__ == "__main__":
    prepare(os.environ)
    code = run.main(sys.argv[1:])
    sys.stdout.flush()
    sys.exit(code)
