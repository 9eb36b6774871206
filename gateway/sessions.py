"""Sessions of people: a random secret in a cookie, of which only the hash is kept here.

The token against forged requests (CSRF) follows from the secret, so that a copy of the database tells neither.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pymongo.collection import Collection
from werkzeug.http import dump_cookie

from gateway.issued import DISTRICT, ROLE
from gateway.passwords import LONGEST
from gateway.shapes import INSTANT, TEXT, TRUTH, Shape, each, many, maybe
from services.chassis import fields

LASTS = timedelta(hours=8)
COOKIE = "kexie_session"
CSRF_HEADER = "X-CSRF-Token"

Document = dict[str, Any]


class LogIn(fields.Schema):
    login = fields.Text()
    password = fields.Text(max=LONGEST)


ME: Shape = each(
    id=TEXT, login=maybe(TEXT), roles=many(ROLE), district=DISTRICT, csrf_token=maybe(TEXT), ends_at=maybe(INSTANT)
)
LOGGED_OUT: Shape = each(ended=TRUTH)


@dataclass(frozen=True)
class Session:
    """One that has not ended, known by the secret that came with the request."""

    secret: str
    user_id: str
    ends_at: datetime

    @property
    def csrf_token(self) -> str:
        return hmac.digest(self.secret.encode(), b"csrf", "sha256").hex()

    def is_meant(self, csrf_token: str) -> bool:
        """Does the request come from a page that may read our answers?"""
        return hmac.compare_digest(csrf_token.encode(), self.csrf_token.encode())


class Sessions:
    def __init__(self, sessions: Collection[Document], now: Callable[[], datetime]) -> None:
        self._sessions, self._now = sessions, now

    def prepare(self) -> None:
        self._sessions.create_index("ends_at", expireAfterSeconds=0)
        self._sessions.create_index("user_id")

    def begin(self, user_id: str) -> Session:
        session = Session(secrets.token_urlsafe(32), user_id, self._now() + LASTS)
        self._sessions.insert_one({"_id": _hash(session.secret), "user_id": user_id, "ends_at": session.ends_at})
        return session

    def find(self, secret: str) -> Session | None:
        held = self._sessions.find_one({"_id": _hash(secret), "ends_at": {"$gt": self._now()}})
        if held is None:
            return None
        return Session(secret, held["user_id"], held["ends_at"])

    def end(self, session: Session) -> None:
        self._sessions.delete_one({"_id": _hash(session.secret)})

    def end_all(self, user_id: str, *, but: Session | None = None) -> None:
        """Those of a user, wherever they were begun."""
        kept = _hash(but.secret) if but else None
        self._sessions.delete_many({"user_id": user_id, "_id": {"$ne": kept}})


def cookie(session: Session | None, *, is_secure: bool) -> str:
    """The header that begins a session in a browser, or ends it."""
    return dump_cookie(
        COOKIE,
        session.secret if session else "",
        max_age=LASTS if session else 0,
        path="/",
        secure=is_secure,
        httponly=True,
        samesite="Lax",
    )


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
