"""Tokens for a call: what a system sent goes no further; a service gets one that is good for minutes."""

from __future__ import annotations

import time
from datetime import timedelta

from services.chassis.tokens import Verified, issue

LIFETIME = 300.0  # seconds
KEPT = 1_000  # tokens


class Signer:
    """Signs a caller's token anew, with the same subject, roles and district, and never for longer than that.

    It keeps the id, too: a token that was revoked is refused by the services, whoever signed it again.
    """

    def __init__(self, private_key: str) -> None:
        self._private_key = private_key
        self._signed: dict[tuple[str, str], tuple[float, str]] = {}  # until when each may be used again

    def token_for(self, service: str, caller: Verified) -> str:
        """Return a token for this service; it ends no later than the caller's own."""
        until, token = self._signed.get((caller.id, service), (0.0, ""))
        if time.time() < until:
            return token

        if len(self._signed) >= KEPT:
            self._signed.clear()
        seconds = min(LIFETIME, caller.expires - time.time())
        token = self._issue(service, caller, timedelta(seconds=seconds))
        self._signed[caller.id, service] = (time.time() + seconds / 2, token)
        return token

    def _issue(self, service: str, caller: Verified, lifetime: timedelta) -> str:
        actor = caller.actor
        return issue(
            self._private_key,
            subject=actor.id,
            roles=actor.roles,
            district=actor.district,
            lifetime=lifetime,
            id=caller.id,
            audience=service,
        )
