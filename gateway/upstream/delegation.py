"""Delegated calls: the gateway calls services for somebody who is gone meanwhile, for as long as a job takes."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from functools import partial
from time import monotonic
from typing import Any

import eventlet

from services.chassis.client import TIMEOUT, Caller
from services.chassis.problem import NotFound, Unavailable
from services.chassis.tokens import issue

PATIENCE = 10.0  # seconds until a service that does not answer counts as unavailable
RETRY_AFTER = 0.5  # seconds
TOKEN_LIFETIME = timedelta(minutes=5)


class DelegatedCaller:
    """Calls services with tokens of its own for the sender of a job: `ask(service, method, **arguments)`.

    A call that is not answered is repeated for `PATIENCE` seconds, then it raises `Unavailable`.
    """

    def __init__(
        self,
        caller: Caller,
        private_key: str | None,
        *,
        by: str,
        roles: Iterable[str] = ("operator",),
        district: str | None = None,
    ) -> None:
        if private_key is None:
            raise Unavailable("The gateway has no key to act for you.", "网关没有可代您操作的密钥。")
        self._caller = caller
        self._issue = partial(
            issue, private_key, subject=by, roles=tuple(roles), district=district, lifetime=TOKEN_LIFETIME
        )
        self._token, self._renew_at = "", 0.0

    def __call__(self, service: str, method: str, *, timeout: float | None = None, **arguments: Any) -> Any:
        """Call a method; `Unavailable` also, and at once, where the service does not have it yet."""
        give_up_at, timeout = monotonic() + PATIENCE, timeout or TIMEOUT
        while True:
            try:
                return self._caller.call(service, method, arguments, token=self._valid_token(), timeout=timeout)
            except NotFound:
                raise Unavailable(f"{service} cannot do that yet.", f"{service} 尚不支持此操作。") from None
            except Unavailable:
                if monotonic() > give_up_at:
                    raise
            eventlet.sleep(RETRY_AFTER)

    def _valid_token(self) -> str:
        if monotonic() > self._renew_at:
            self._token = self._issue()
            self._renew_at = monotonic() + TOKEN_LIFETIME.total_seconds() / 2
        return self._token
