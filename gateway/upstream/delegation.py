"""Asking: the gateway asks the services on behalf of somebody who is gone meanwhile, for as long as a job takes."""

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

PATIENCE = 10.0  # seconds that a service may be away before it counts as that
AGAIN = 0.5  # seconds until it is asked again
TOKEN_HOLDS = timedelta(minutes=5)


class DelegatedCaller:
    """`ask(service, method, **arguments)`: what the service answers; `Unavailable` where it does not."""

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
            issue, private_key, subject=by, roles=tuple(roles), district=district, lifetime=TOKEN_HOLDS
        )
        self._token, self._renew_at = "", 0.0

    def __call__(self, service: str, method: str, *, timeout: float | None = None, **arguments: Any) -> Any:
        give_up, timeout = monotonic() + PATIENCE, timeout or TIMEOUT
        while True:
            try:
                return self._caller.call(service, method, arguments, token=self._valid_token(), timeout=timeout)
            except NotFound:
                raise Unavailable(f"{service} cannot do that yet.", f"{service} 尚不支持此操作。") from None
            except Unavailable:
                if monotonic() > give_up:
                    raise
                eventlet.sleep(AGAIN)

    def _valid_token(self) -> str:
        if monotonic() > self._renew_at:
            self._token = self._issue()
            self._renew_at = monotonic() + TOKEN_HOLDS.total_seconds() / 2
        return self._token
