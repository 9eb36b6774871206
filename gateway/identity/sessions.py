"""Sessions of people: a random secret in a cookie, of which only the hash is stored.

The token against forged requests (CSRF) is derived from the secret, so that a copy of the database reveals neither.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from pymongo import IndexModel
from pymongo.collection import Collection

from gateway.http.json_schema import INSTANT, TEXT, TRUTH, Shape, each, many, maybe
from gateway.http.session import LASTS, Session
from gateway.identity.api_tokens import DISTRICT, ROLE
from gateway.identity.passwords import LONGEST
from services.chassis import fields

Document = dict[str, Any]


class LogIn(fields.Schema):
    """A login and its password."""

    login = fields.Text()
    password = fields.Verbatim(max=LONGEST)


ME: Shape = each(
    id=TEXT, login=maybe(TEXT), roles=many(ROLE), district=DISTRICT, csrf_token=maybe(TEXT), ends_at=maybe(INSTANT)
)
LOGGED_OUT: Shape = each(ended=TRUTH)


class Sessions:
    """The sessions of all gateways."""

    def __init__(self, sessions: Collection[Document], now: Callable[[], datetime]) -> None:
        self._sessions, self._now = sessions, now

    def prepare(self) -> None:
        """Create the indexes; MongoDB removes sessions that have ended."""
        self._sessions.create_indexes([IndexModel("ends_at", expireAfterSeconds=0), IndexModel("user_id")])

    def begin(self, user_id: str) -> Session:
        """Begin a session of the user, which ends after `LASTS`."""
        session = Session(secrets.token_urlsafe(32), user_id, self._now() + LASTS)
        self._sessions.insert_one(_write_session(session))
        return session

    def find(self, secret: str) -> Session | None:
        """The session with this secret; None where there is none, or it has ended."""
        document = self._sessions.find_one({"_id": _hash(secret), "ends_at": {"$gt": self._now()}})
        return _read_session(document, secret) if document else None

    def end(self, session: Session) -> None:
        """End a session; one that has ended already is no error."""
        self._sessions.delete_one({"_id": _hash(session.secret)})

    def end_all(self, user_id: str, *, but: Session | None = None) -> None:
        """End every session of the user but the given one, at whichever gateway it began."""
        kept = _hash(but.secret) if but else None
        self._sessions.delete_many({"user_id": user_id, "_id": {"$ne": kept}})


def _write_session(session: Session) -> Document:
    return {"_id": _hash(session.secret), "user_id": session.user_id, "ends_at": session.ends_at}


def _read_session(document: Mapping[str, Any], secret: str) -> Session:
    return Session(secret, document["user_id"], document["ends_at"])


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
