"""Authentication: who sends a request, by the token in its header or by the session in its cookie."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime

from nameko.extensions import SharedExtension

from gateway.http.messages import Request
from gateway.http.session import CSRF_HEADER, cookie_name
from gateway.identity.passwords import Passwords
from gateway.identity.sessions import Sessions
from gateway.identity.users import Users
from services.chassis.mongo import database, patiently
from services.chassis.problem import NotAllowed, NotAuthenticated, TooManyRequests
from services.chassis.rate_limiter import RateLimiter
from services.chassis.revocations import Revocations
from services.chassis.tokens import Actor, Tokens

CACHED = 2_000  # credentials that were right
CREDENTIALS = 100.0  # new ones a second that one address may show, in the long run: an office comes back at once


class CsrfTokenMissing(NotAllowed):
    """A write by a session without the token that only our own pages can read."""

    code = "csrf_token_missing"
    title_en = f"A write with a session needs its token in the header {CSRF_HEADER}; GET /api/v1/me returns it."
    title_zh = f"以会话提交写操作时，须在标头 {CSRF_HEADER} 中附上令牌（见 GET /api/v1/me）。"


class NewCredentials:
    """Counts credentials for their address, unless they were right before: a wrong one costs as little as its refusal.

    Only digests are kept, and each of them is looked up again all the same.
    """

    def __init__(self) -> None:
        self._limiter = RateLimiter(CREDENTIALS)
        self._right: set[bytes] = set()

    @contextmanager
    def counted(self, secret: str, request: Request) -> Iterator[None]:
        """Count them before the block looks them up; raises `TooManyRequests` for too many of one address."""
        digest = hashlib.sha256(secret.encode()).digest()
        if digest in self._right:
            yield
            return

        self._limiter.take_token(request.network)
        yield
        if len(self._right) >= CACHED:
            self._right.clear()
        self._right.add(digest)


class Authentication(SharedExtension):
    """Identifies the callers of one gateway; the users and their sessions are those of all gateways."""

    revocations = Revocations()

    def setup(self) -> None:
        settings = self.container.config["SETTINGS"]
        collections = database(settings, self.container.service_name)
        self._tokens = Tokens(settings.token_public_key, self.revocations, audience=self.container.service_name)
        self._cookie = cookie_name(is_secure=settings.http_behind_tls)
        self._new_credentials = NewCredentials()
        self.passwords = Passwords()
        self.users = Users(collections["users"], self.passwords, self.now)
        self.sessions = Sessions(collections["sessions"], self.now)
        for part in (self.passwords, self.users, self.sessions):
            patiently(part.prepare)

    def now(self) -> datetime:
        """The instant by the process's clock."""
        instant: datetime = self.container.config["CLOCK"].now()
        return instant

    def identify(self, request: Request, *, writes: bool) -> None:
        """Note in the request who sends it; raises `NotAuthenticated`, and `CsrfTokenMissing` where it `writes`.

        Credentials that were not right lately count for their address before they are looked up: `TooManyRequests`.
        """
        authorization, secret = request.headers.get("Authorization"), request.cookies.get(self._cookie)
        if authorization is None and secret:
            with self._new_credentials.counted(secret, request):
                self._by_session(request, secret)
            self._check_csrf_token(request, writes=writes)
        elif authorization:
            with self._new_credentials.counted(authorization, request):
                self._by_token(request, authorization)
        else:
            raise _no_token()

    def recognise(self, request: Request) -> None:
        """Note who sends a request to a public address; credentials that are missing or wrong make it a stranger's."""
        if request.headers.get("Authorization") or request.cookies.get(self._cookie):
            with suppress(NotAuthenticated, TooManyRequests):
                self.identify(request, writes=False)

    def current_rights(self, actor: Actor, token_id: str | None) -> Actor:
        """The sender of something that is done only now, with today's rights; raises `NotAuthenticated`.

        A person who sent it in a session has the roles and the district of today; a token keeps what it was issued for.
        """
        if token_id is not None and token_id in self.revocations:
            raise NotAuthenticated("The token was revoked.", "令牌已被吊销。")
        user = self.users.find(actor.id)
        if user is not None and not user.is_active:
            raise NotAuthenticated("The user was disabled.", "该用户已停用。")

        return user.actor if user is not None and token_id is None else actor

    def _by_token(self, request: Request, authorization: str) -> None:
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer":
            raise _no_token()
        verified = self._tokens.read(token.strip())
        request.actor, request.identified_by, request.token_id = verified.actor, "token", verified.id

    def _by_session(self, request: Request, secret: str) -> None:
        session = self.sessions.find(secret)
        user = self.users.find(session.user_id) if session else None
        if session is None or user is None or not user.is_active:
            raise NotAuthenticated("The session has ended; log in again.", "会话已结束，请重新登录。")
        request.session, request.actor, request.identified_by = session, user.actor, "session"

    def _check_csrf_token(self, request: Request, *, writes: bool) -> None:
        csrf_token = request.headers.get(CSRF_HEADER, "")
        if writes and request.session is not None and not request.session.is_csrf_token(csrf_token):
            raise CsrfTokenMissing()


def _no_token() -> NotAuthenticated:
    return NotAuthenticated("Send a token: Authorization: Bearer ...", "请提供令牌：Authorization: Bearer ...")
