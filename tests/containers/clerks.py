"""Clerks who report prizes through the gateway, each under its key until it is accepted, and count the answers.

They are threads: a trial runs no greenthreads.
"""

from __future__ import annotations

import ssl
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar

from deploy.errors import CommandFailed
from deploy.secrets.keys import Keys
from tests.http_client import NO_HEADERS, NoResponse, Response, request_json
from tests.waiting import wait_until

CLERKS = 4
BETWEEN = 4.0  # seconds of work between two disturbances
WITHIN = 180.0  # seconds for everything that a trial waits for
LOOK = 0.3  # seconds between two looks, and before a command is sent again
TIMEOUT = 20.0  # seconds for one answer

ACCEPTED = (200, 202)

PRIZE = {
    "series": "youth_contest", "level": "province", "edition_no": 26, "category": "science_idea",
    "award_kind": "graded", "grade": "second", "awarded_on": "2011-04-10", "document_sha256": "b" * 64,
}  # fmt: skip

Answer = TypeVar("Answer")


class NotAllCounted(CommandFailed):
    """The gateway counts more or fewer prizes than it accepted."""


@dataclass
class Clerks:
    """Clerks at one gateway, and the moments at which it accepted their commands."""

    url: str
    keys: Keys
    authority: Path  # of the gateway's certificate
    accepted_at: list[float] = field(default_factory=list)
    is_closing: bool = False  # no command is begun; those that were begun are sent until they are accepted
    gives_up: bool = False  # not even those

    def __post_init__(self) -> None:
        self._trust = ssl.create_default_context(cafile=self.authority)

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Let the clerks work for the time of the block; at its end every command that they began is accepted."""
        self.is_closing = False
        threads = [threading.Thread(target=self._work) for _ in range(CLERKS)]
        for thread in threads:
            thread.start()
        try:
            yield
        except BaseException:
            self.gives_up = True
            raise
        finally:
            self.is_closing = True
            for thread in threads:
                thread.join()

    def longest_pause(self, since: float) -> float:
        """Return the longest time in seconds, from this moment until now, in which nothing was accepted."""
        moments = [since, *(moment for moment in self.accepted_at if moment > since), time.monotonic()]
        return max(later - earlier for earlier, later in pairwise(moments))

    def check_counts(self) -> None:
        """Wait until the gateway misses nothing and counts every accepted command; raise NotAllCounted for more."""
        accepted = len(self.accepted_at)
        counted = wait_for(lambda: self._counted(at_least=accepted), f"{accepted} accepted commands to be counted")
        say(f"{accepted} commands accepted, {counted} counted")
        if counted != accepted:
            raise NotAllCounted(f"{accepted} commands were accepted and {counted} are counted.")

    def is_gateway_ready(self) -> bool:
        """Whether the gateway answers that it is ready."""
        response = self.ask("/ready")
        return response is not None and response.status == 200

    def ask(self, path: str, body: Any = None, key: str | None = None) -> Response | None:
        """Send the body under its key, or read where there is none; None where nobody answers in JSON."""
        token = self.keys.token(subject="u-try", roles=("recorder", "viewer"), lifetime=timedelta(hours=1))
        headers = {"Idempotency-Key": key} if key else NO_HEADERS
        try:
            return request_json(
                self.url + path, token=token, body=body, headers=headers, timeout=TIMEOUT, trust=self._trust
            )
        except NoResponse:
            return None

    def _work(self) -> None:
        while not self.is_closing:
            name = uuid.uuid4().hex
            prize = {**PRIZE, "result_id": name, "title": name, "first_entrant": name}
            self._report(prize, key=name)

    def _report(self, prize: dict[str, Any], *, key: str) -> None:
        """Send the prize until it is accepted, and note the moment."""
        while not self._is_accepted(prize, key):
            if self.gives_up:
                return
            time.sleep(LOOK)
        self.accepted_at.append(time.monotonic())

    def _is_accepted(self, prize: dict[str, Any], key: str) -> bool:
        response = self.ask("/api/v1/awards/report_external_result", prize, key)
        return response is not None and response.status in ACCEPTED

    def _counted(self, *, at_least: int) -> int:
        """How many prizes the gateway counts; 0 while they are fewer, or the gateway says that it may miss some."""
        response = self.ask("/api/v1/kpis/K1")
        if response is None or response.status != 200 or not response.body["complete"]:
            return 0
        counted = int(response.body["reported"]["value"] or 0)
        return counted if counted >= at_least else 0


def wait_for(condition: Callable[[], Answer], what: str) -> Answer:
    """Return the first true answer; raise NotInTime after three minutes."""
    return wait_until(condition, what, within=WITHIN, every=LOOK)


def say(line: str) -> None:
    """Write a line at once, for whoever watches the trial."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
