"""Known devices: a browser in which somebody has logged in passes the lock that others' guesses put on their login.

It keeps a signed cookie for that user. What is signed includes the hash of the password, so that a new password makes
every device a stranger again. A known device may guess no more often than one address may.
"""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta

from werkzeug.http import dump_cookie

from gateway.http.session import HOST_ONLY
from gateway.identity.users import User

LASTS = timedelta(days=180)
COOKIE = "kexie_device"
WRITTEN = re.compile(r"([0-9a-f]{32})\.([0-9]{10})\.([0-9a-f]{64})")  # of a device, until when, signed


class KnownDevices:
    """Makes and reads the cookies; without a key there are none."""

    def __init__(self, private_key: str | None, now: Callable[[], datetime], *, is_secure: bool) -> None:
        self._key = hmac.digest(private_key.encode(), b"known devices", "sha256") if private_key else None
        self._now, self._is_secure = now, is_secure
        self.cookie_name = f"{HOST_ONLY}{COOKIE}" if is_secure else COOKIE

    def cookie(self, user: User) -> str | None:
        """Write the `Set-Cookie` header that makes a browser a known device of this user."""
        if self._key is None:
            return None
        device, until = secrets.token_hex(16), int((self._now() + LASTS).timestamp())
        return dump_cookie(
            self.cookie_name,
            f"{device}.{until}.{self._signature(self._key, user, device, until)}",
            max_age=LASTS,
            path="/",
            secure=self._is_secure,
            httponly=True,
            samesite="Strict",
        )

    def recognise(self, written: str | None, user: User | None) -> str | None:
        """The id of a device that is known for this user; None for any other."""
        match = WRITTEN.fullmatch(written or "")
        if match is None or user is None or self._key is None:
            return None
        device, until = match[1], int(match[2])
        is_right = hmac.compare_digest(match[3], self._signature(self._key, user, device, until))
        return device if is_right and until > self._now().timestamp() else None

    def _signature(self, key: bytes, user: User, device: str, until: int) -> str:
        return hmac.digest(key, f"{user.id} {user.hash} {device} {until}".encode(), "sha256").hex()
