"""Authentication: who sends a request, by the token in its header or by the session in its cookie."""

from __future__ import annotations

from datetime import datetime

from nameko.extensions import SharedExtension

from gateway.http.messages import Request
from gateway.http.session import COOKIE, CSRF_HEADER
from gateway.identity.passwords import Passwords
from gateway.identity.sessions import Sessions
from gateway.identity.users import Users
from services.chassis.mongo import database, patiently
from services.chassis.problem import NotAllowed, NotAuthenticated
from services.chassis.revocations import Revocations
from services.chassis.tokens import Actor, Tokens


class CsrfTokenMissing(NotAllowed):
    """A write by a session without the token that only our own pages can read."""

    code = "csrf_token_missing"
    title_en = f"A write with a session needs its token in the header {CSRF_HEADER}; GET /api/v1/me returns it."
    title_zh = f"以会话提交写操作时，须在标头 {CSRF_HEADER} 中附上令牌（见 GET /api/v1/me）。"


class Authentication(SharedExtension):
    """Identifies the callers of one gateway; the users and their sessions are those of all gateways."""

    revocations = Revocations()

    def setup(self) -> None:
        settings = self.container.config["SETTINGS"]
        collections = database(settings, self.container.service_name)
        self._tokens = Tokens(settings.token_public_key, self.revocations, audience=self.container.service_name)
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
        """Note in the request who sends it; raises `NotAuthenticated`, and `CsrfTokenMissing` where it `writes`."""
        authorization, secret = request.headers.get("Authorization"), request.cookies.get(COOKIE)
        if authorization is None and secret:
            self._by_session(request, secret, writes=writes)
        else:
            self._by_token(request, authorization or "")

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
            raise NotAuthenticated("Send a token: Authorization: Bearer ...", "请提供令牌：Authorization: Bearer ...")
        verified = self._tokens.read(token.strip())
        request.actor, request.identified_by, request.token_id = verified.actor, "token", verified.id

    def _by_session(self, request: Request, secret: str, *, writes: bool) -> None:
        session = self.sessions.find(secret)
        user = self.users.find(session.user_id) if session else None
        if session is None or user is None or not user.is_active:
            raise NotAuthenticated("The session has ended; log in again.", "会话已结束，请重新登录。")
        request.session, request.actor, request.identified_by = session, user.actor, "session"
        if writes and not session.is_csrf_token(request.headers.get(CSRF_HEADER, "")):
            raise CsrfTokenMissing()
