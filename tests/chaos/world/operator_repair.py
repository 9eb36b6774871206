"""The repair by operators after a broker lost messages: the gateway's own command publishes the records again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import Any

from deploy.errors import CommandFailed
from deploy.secrets.keys import Keys
from services.contract.topology import HEARS
from tests.http_client import NoResponse, Response, request_json
from tests.waiting import wait_until

PATH = "/api/v1/operations/rearm"
WHY = "The broker lost messages."
WITHIN = 300.0  # seconds for a job to begin, and as many for it to end
LOOK = 0.5  # seconds between two looks at it
TIMEOUT = 10.0  # seconds for one answer
NOT_NOW = (409, 503)  # another job runs; the gateway cannot answer


class NotRepaired(CommandFailed):
    """The gateway refused the job, or the job failed."""


def rearm(urls: Sequence[str], keys: Keys, losers: Iterable[str]) -> None:
    """Publish again what the gateway lacks, and all that the listeners among `losers` ever heard.

    Any of the gateways at these URLs may run the job; the keys make the operator's token. Raises NotRepaired where a
    job fails, and NotInTime where it does not end.
    """
    for listener in sorted(set(losers) & set(HEARS)):
        _run(urls, keys, {"heard_by": listener})
    _run(urls, keys, {})


def _run(urls: Sequence[str], keys: Keys, selection: Mapping[str, str]) -> None:
    order = {"why": WHY, **selection}
    wait_until(partial(_ask, urls, keys, order), f"rearm {order} to begin", within=WITHIN, every=LOOK)
    job = wait_until(partial(_ended, urls, keys), f"rearm {order} to end", within=WITHIN, every=LOOK)
    if job["state"] != "done":
        raise NotRepaired(f"rearm {order} ended as {job['state']}: {job['error']}")


def _ended(urls: Sequence[str], keys: Keys) -> Any:
    """The job at its end; None before."""
    job = _ask(urls, keys)
    return job if job and job["state"] != "running" else None


def _ask(urls: Sequence[str], keys: Keys, order: Mapping[str, str] | None = None) -> Any:
    """Order the job, or ask for it; return it as the first gateway that answers has it, None where none can now."""
    token = keys.token(subject="operator", roles=("operator",), lifetime=timedelta(hours=1))
    answers = (_answer(url, token, order) for url in urls)
    return next((answer.body for answer in answers if answer), None)


def _answer(url: str, token: str, order: Mapping[str, str] | None) -> Response | None:
    """None where this gateway is away, cannot answer now, or runs another job."""
    try:
        response = request_json(url + PATH, token=token, body=order, timeout=TIMEOUT)
    except NoResponse:
        return None
    if response.status >= 400 and response.status not in NOT_NOW:
        raise NotRepaired(f"rearm {order}: {response.status} {response.body}")
    return None if response.status in NOT_NOW else response
