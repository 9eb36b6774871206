"""Delegated calls: the gateway calls services for somebody who is gone meanwhile, for as long as a job takes."""

from __future__ import annotations

from collections.abc import Iterable
from time import monotonic
from typing import Any

import eventlet

from services.chassis.client import TIMEOUT, Caller
from services.chassis.problem import NotFound, Unavailable
from services.chassis.tokens import Actor, DelegatedTokens

PATIENCE = 10.0  # seconds until a service that does not answer counts as unavailable
RETRY_AFTER = 0.5  # seconds


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
        self._caller, self._tokens = caller, DelegatedTokens(private_key)
        self._actor = Actor(by, frozenset(roles), district)
        self._tokens.require_key()

    def __call__(self, service: str, method: str, *, timeout: float | None = None, **arguments: Any) -> Any:
        """Call a method; `Unavailable` also, and at once, where the service does not have it yet."""
        give_up_at, timeout = monotonic() + PATIENCE, timeout or TIMEOUT
        while True:
            try:
                token = self._tokens.token_for(self._actor, service)
                return self._caller.call(service, method, arguments, token=token, timeout=timeout)
            except NotFound:
                raise Unavailable(f"{service} cannot do that yet.", f"{service} 尚不支持此操作。") from None
            except Unavailable:
                if monotonic() > give_up_at:
                    raise
            eventlet.sleep(RETRY_AFTER)
