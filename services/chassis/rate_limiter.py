"""Rates: how often one caller may send requests to one process."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from math import ceil
from time import monotonic

from services.chassis.problem import TooManyRequests

BURST = 5.0  # seconds' worth of requests that may come at once
EXACT = 1e-6  # seconds: sums of fractions are not
CALLERS = 10_000  # callers whose buckets are remembered


@dataclass
class RateLimiter:
    """A token bucket for each caller: `rate` requests a second, and `BURST` seconds' worth (or one) at once.

    A rate of 0 is no limit.
    """

    rate: float
    clock: Callable[[], float] = monotonic
    _full_at: dict[str, float] = field(default_factory=dict)  # when the bucket of a caller will be full again

    def take_token(self, caller: str) -> None:
        """Count one request of this caller; raises `TooManyRequests` with the seconds to wait."""
        if not self.rate:
            return

        now = self.clock()
        full_at = max(self._full_at.get(caller, now), now)
        per_request = 1 / self.rate
        ahead = full_at + per_request - now - max(BURST, per_request)
        if ahead > EXACT:
            raise TooManyRequests(per_second=f"{self.rate:g}", seconds=max(1, ceil(ahead)))

        if caller not in self._full_at and len(self._full_at) >= CALLERS:
            self._forget_full_buckets(now)
        self._full_at[caller] = full_at + per_request

    def _forget_full_buckets(self, now: float) -> None:
        self._full_at = {caller: full_at for caller, full_at in self._full_at.items() if full_at > now}
