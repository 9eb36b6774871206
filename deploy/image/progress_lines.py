"""Progress and failures of a process in a container, as JSON lines for the command that started it."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from pymongo.errors import PyMongoError

from deploy.errors import CommandFailed

EVERY = 0.2  # seconds between two lines


class Progress:
    """A count of documents; this one is shown to nobody."""

    def __init__(self) -> None:
        self.done = self.total = 0

    def more(self, at: str, documents: int) -> None:
        """Count documents of a collection."""
        self.done += documents
        self._show(at)

    def _show(self, at: str) -> None:
        """Show nothing."""


class ProgressLines(Progress):
    """Progress in lines of JSON on standard error, at most five a second."""

    _last = 0.0

    def _show(self, at: str) -> None:
        if (now := time.monotonic()) - self._last > EVERY or self.done == self.total:
            self._last = now
            write_line(at=at, done=self.done, total=self.total)


@contextmanager
def reporting() -> Iterator[Progress]:
    """Report progress in lines; report a failure in one line, and end the process with 1."""
    try:
        yield ProgressLines()
    except CommandFailed as failure:
        write_line(trouble=failure.message)
    except (PyMongoError, OSError) as error:
        write_line(trouble=f"{type(error).__name__}: {error}")
    else:
        return
    sys.exit(1)


def write_line(**values: Any) -> None:
    """Write a JSON object on standard error; a reader that is gone is ignored."""
    with suppress(BrokenPipeError):
        sys.stderr.write(f"{json.dumps(values)}\n")
        sys.stderr.flush()
