"""What a process in a container tells whoever started it, in lines of JSON: how far it is, and what fails."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from pymongo.errors import PyMongoError

from deploy.errors import Trouble

EVERY = 0.2  # seconds


class Progress:
    """How many documents are done; shown to nobody."""

    def __init__(self) -> None:
        self.done = self.total = 0

    def more(self, at: str, documents: int) -> None:
        self.done += documents
        self._show(at)

    def _show(self, at: str) -> None:
        """Nobody looks."""


class Told(Progress):
    _last = 0.0

    def _show(self, at: str) -> None:
        if (now := time.monotonic()) - self._last > EVERY or self.done == self.total:
            self._last = now
            say(at=at, done=self.done, total=self.total)


@contextmanager
def telling() -> Iterator[Progress]:
    """What fails is told in one line, and ends the process with 1."""
    try:
        yield Told()
    except Trouble as trouble:
        say(trouble=trouble.message)
    except (PyMongoError, OSError) as error:
        say(trouble=f"{type(error).__name__}: {error}")
    else:
        return
    sys.exit(1)


def say(**said: Any) -> None:
    with suppress(BrokenPipeError):
        sys.stderr.write(f"{json.dumps(said)}\n")
        sys.stderr.flush()
