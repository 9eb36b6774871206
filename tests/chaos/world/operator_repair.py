"""What an operator does after a broker lost messages: the records are published again, over the gateway's own doors."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from deploy.errors import CommandFailed
from services.contract.topology import HEARS

if TYPE_CHECKING:
    from tests.chaos.world.world import World

PATH = "/api/v1/operations/rearm"
WHY = "The broker lost messages."
WITHIN = 300.0  # seconds for one job


class NotRepaired(CommandFailed):
    """The job failed, or did not end."""


def rearm(world: World, losers: Iterable[str]) -> None:
    """Publish again what the gateway lacks, and all that was heard by the listeners among these; NotRepaired."""
    for listener in sorted(set(losers) & set(HEARS)):
        _run(world, {"heard_by": listener})
    _run(world, {})


def _run(world: World, what: Mapping[str, str]) -> None:
    deadline = time.monotonic() + WITHIN
    asked = {"why": WHY, **what}
    while not (started := _ask(world, asked)):
        _pause(deadline, asked)
    while (job := _ask(world)) is None or job["state"] == "running":
        _pause(deadline, asked)
    if job["state"] != "done":
        raise NotRepaired(f"rearm ended as {job['state']}: {job['error']}; began as {started}")


def _pause(deadline: float, asked: Any) -> None:
    if time.monotonic() > deadline:
        raise NotRepaired(f"rearm {asked} did not end within {WITHIN:g} s")
    time.sleep(0.5)


def _ask(world: World, body: Mapping[str, str] | None = None) -> Any:
    """The job as one of the gateways tells it; None where none takes the question now, or another job runs."""
    token = world.keys.token(subject="operator", roles=("operator",), lifetime=timedelta(hours=1))
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    content = None if body is None else json.dumps(body).encode()
    for url in world.gateway_urls:
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
