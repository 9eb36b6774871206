"""`python -m tests.chaos.injection.process SERVICE...`: `deploy.run` with a fault that the environment names.

CRASH_AT names the point where it ends, CRASH_LOG the file that tells it did; WITHOUT the protection that it lacks;
CLOCK_AHEAD by how many seconds its clock is wrong.
"""

import deploy.image.greenthreads  # noqa: F401, I001 - before anything else

import os
import sys
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from deploy import run
from tests.chaos.injection import mutants, crash_points
from services.chassis.clock import SystemClock


def prepare(environment: Mapping[str, str]) -> None:
    """Build in what these variables say; KeyError where they name what there is not."""
    if point := environment.get("CRASH_AT"):
        crash_points.arm(point, partial(crash_points.crash_here, point, environment.get("CRASH_LOG")))
    if protection := environment.get("WITHOUT"):
        mutants.remove(protection)
    if ahead := environment.get("CLOCK_AHEAD"):
        crash_points.wrap((SystemClock, "now"), partial(_wrong, timedelta(seconds=float(ahead))))


def _wrong(ahead: timedelta, now: Callable[..., datetime], *given: Any) -> datetime:
    return now(*given) + ahead


if __name__ == "__main__":
    prepare(os.environ)
    code = run.main(sys.argv[1:])
    sys.stdout.flush()
    sys.exit(code)
