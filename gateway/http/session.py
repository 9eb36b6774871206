"""The session of a person, and the cookie that carries it."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta

from werkzeug.http import dump_cookie

LASTS = timedelta(hours=8)

COOKIE = "kexie_session"

HOST_ONLY = "__Host-"
"""Before the name of a cookie: a browser takes it over TLS only, from this host only, and sends it to no other."""

CSRF_HEADER = "X-CSRF-Token"


@dataclass(frozen=True)
class Session:
    """A session that has not ended, identified by the secret in the request's cookie."""

    secret: str
    user_id: str
    ends_at: datetime

    @property
    def csrf_token(self) -> str:
        """The token that a page has to send with a write; foreign pages cannot read it."""
        return hmac.digest(self.secret.encode(), b"csrf", "sha256").hex()

    def is_csrf_token(self, csrf_token: str) -> bool:
        """Compare in constant time; true where the request comes from a page that may read our answers."""
        return hmac.compare_digest(csrf_token.encode(), self.csrf_token.encode())


def cookie_name(*, is_secure: bool) -> str:
    """The name of the session's cookie, which is bound to the host where there is TLS."""
    return f"{HOST_ONLY}{COOKIE}" if is_secure else COOKIE


def cookie(session: Session | None, *, is_secure: bool) -> str:
    """Write the `Set-Cookie` header that begins a session in a browser, or ends it where `session` is None."""
    return dump_cookie(
        cookie_name(is_secure=is_secure),
        session.secret if session else "",
        max_age=LASTS if session else 0,
        path="/",
        secure=is_secure,
        httponly=True,
        samesite="Lax",
    )
