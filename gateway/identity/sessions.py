"""Sessions of people: a random secret in a cookie, of which only the hash is kept here.

The token against forged requests (CSRF) follows from the secret, so that a copy of the database tells neither.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from datetime import datetime
from typing import Any

from pymongo.collection import Collection

from gateway.http.json_schema import INSTANT, TEXT, TRUTH, Shape, each, many, maybe
from gateway.http.session import LASTS, Session
from gateway.identity.api_tokens import DISTRICT, ROLE
from gateway.identity.passwords import LONGEST
from services.chassis import fields

Document = dict[str, Any]


class LogIn(fields.Schema):
    login = fields.Text()
    password = fields.Text(max=LONGEST)


ME: Shape = each(
    id=TEXT, login=maybe(TEXT), roles=many(ROLE), district=DISTRICT, csrf_token=maybe(TEXT), ends_at=maybe(INSTANT)
)
LOGGED_OUT: Shape = each(ended=TRUTH)


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


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
