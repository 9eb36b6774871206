"""What an operator does after a broker lost messages: the records are published again, over the gateway's own doors."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from deploy.errors import Trouble
from deploy.secrets.keys import Keys
from services.contract.topology import HEARS

PATH = "/api/v1/operations/rearm"
WHY = "The broker lost messages."
WITHIN = 300.0  # seconds for one job


class NotRepaired(Trouble):
    """The job failed, or did not end."""


def rearm(urls: Sequence[str], keys: Keys, losers: Iterable[str]) -> None:
    """Publish again what the gateway lacks, and all that was heard by the listeners among `losers`; NotRepaired.

    Any of the gateways at these URLs may run the job; the keys make the operator's token.
    """
    for listener in sorted(set(losers) & set(HEARS)):
        _run(urls, keys, {"heard_by": listener})
    _run(urls, keys, {})


def _run(urls: Sequence[str], keys: Keys, what: Mapping[str, str]) -> None:
    deadline = time.monotonic() + WITHIN
    asked = {"why": WHY, **what}
    while not (started := _ask(urls, keys, asked)):
        _pause(deadline, asked)
    while (job := _ask(urls, keys)) is None or job["state"] == "running":
        _pause(deadline, asked)
    if job["state"] != "done":
        raise NotRepaired(f"rearm ended as {job['state']}: {job['error']}; began as {started}")


def _pause(deadline: float, asked: Any) -> None:
    if time.monotonic() > deadline:
        raise NotRepaired(f"rearm {asked} did not end within {WITHIN:g} s")
    time.sleep(0.5)


def _ask(urls: Sequence[str], keys: Keys, body: Mapping[str, str] | None = None) -> Any:
    """The job as one of the gateways tells it; None where none takes the question now, or another job runs."""
    token = keys.token(subject="operator", roles=("operator",), lifetime=timedelta(hours=1))
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    content = None if body is None else json.dumps(body).encode()
    for url in urls:
        request = urllib.request.Request(url + PATH, data=content, headers=headers)  # noqa: S310 - our own gateway
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
                return json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                if error.code not in (409, 503):
                    raise NotRepaired(f"rearm {body}: {error.code} {error.read(500)!r}") from error
        except OSError:
            continue
    return None
