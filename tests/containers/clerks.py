"""Clerks who report prizes through the gateway, and what they were answered."""

from __future__ import annotations

import json
import ssl
import sys
import threading
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import pairwise
from typing import Any

from deploy.secrets.keys import Keys

CLERKS = 4

BETWEEN, WITHIN = 4.0, 180.0  # seconds

ACCEPTED = (200, 202)

PRIZE = {
    "series": "youth_contest", "level": "province", "edition_no": 26, "category": "science_idea",
    "award_kind": "graded", "grade": "second", "awarded_on": "2011-04-10", "document_sha256": "b" * 64,
}  # fmt: skip


@dataclass
class Office:
    """Clerks who report prizes, each again under the same key until it is accepted."""

    url: str
    keys: Keys
    trust: ssl.SSLContext
    accepted_at: list[float] = field(default_factory=list)
    is_closed: bool = False  # what was begun is still sent until it is accepted
    gives_up: bool = False

    @contextmanager
    def at_work(self) -> Iterator[None]:
        self.is_closed = False
        clerks = [threading.Thread(target=self.work) for _ in range(CLERKS)]
        for clerk in clerks:
            clerk.start()
        try:
            yield
        except BaseException:
            self.gives_up = True
            raise
        finally:
            self.is_closed = True
            for clerk in clerks:
                clerk.join()

    def work(self) -> None:
        while not self.is_closed:
            name = uuid.uuid4().hex
            prize = {**PRIZE, "result_id": name, "title": name, "first_entrant": name}
            while self.ask("POST", "/api/v1/awards/report_external_result", prize, key=name)[0] not in ACCEPTED:
                if self.gives_up:
                    return
                time.sleep(0.3)
            self.accepted_at.append(time.monotonic())

    def longest_pause(self, since: float) -> float:
        """Seconds for which nothing was accepted."""
        moments = [since, *(at for at in self.accepted_at if at > since), time.monotonic()]
        return max(later - earlier for earlier, later in pairwise(moments))

    def counts_right(self) -> None:
        """Waits until the gateway says that nothing is missing and counts what was accepted; ends where it does not."""
        wanted = len(self.accepted_at)
        counted = until(lambda: seen if (seen := self.counted()) >= wanted else None)
        say(f"{wanted} commands accepted, {counted} counted")
        if counted != wanted:
            raise SystemExit(1)

    def counted(self) -> int:
        """Prizes that the gateway counts; 0 while it does not say that nothing is missing."""
        status, said = self.ask("GET", "/api/v1/kpis/K1")
        return int(said["reported"]["value"] or 0) if status == 200 and said["complete"] else 0

    def is_open(self) -> bool:
        return self.ask("GET", "/ready")[0] == 200

    def ask(self, method: str, path: str, body: Any = None, key: str | None = None) -> tuple[int, Any]:
        """Status and JSON; 0 where nobody answers."""
        token = self.keys.token(subject="u-try", roles=("recorder", "viewer"), lifetime=timedelta(hours=1))
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json", "Idempotency-Key": key or ""}
        request = urllib.request.Request(  # noqa: S310 - our own address
            self.url + path, data=json.dumps(body).encode() if body else None, method=method,
            headers={name: value for name, value in headers.items() if value},
        )  # fmt: skip
        try:
            with urllib.request.urlopen(request, timeout=20, context=self.trust) as answer:  # noqa: S310 - as above
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, None
        except (OSError, ValueError):
            return 0, None


def until(condition: Callable[[], Any]) -> Any:
    """The first answer that is one."""
    give_up = time.monotonic() + WITHIN
    while not (answer := condition()):
        if time.monotonic() > give_up:
            raise SystemExit(f"not within {WITHIN:.0f} s")
        time.sleep(0.3)
    return answer


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
