"""Callers: who sends a request, by the token in its header, or by the session in its cookie."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from time import monotonic
from typing import Any

from nameko.extensions import SharedExtension

from gateway.http.messages import Request
from gateway.http.session import COOKIE, CSRF_HEADER
from gateway.identity.passwords import Passwords
from gateway.identity.sessions import Sessions
from gateway.identity.users import Users, actor_of, is_active
from services.chassis.mongo import database, patiently
from services.chassis.problem import NotAllowed, NotAuthenticated, Unavailable
from services.chassis.revocations import Revocations
from services.chassis.tokens import Actor, Tokens, issue

TOKEN_HOLDS = timedelta(minutes=5)
SIGNED = 2_000  # tokens that are kept at hand


class CsrfTokenMissing(NotAllowed):
    code = "csrf_token_missing"
    title_en = f"A write with a session needs its token in the header {CSRF_HEADER}; GET /api/v1/me tells it."
    title_zh = f"以会话提交写操作时，须在标头 {CSRF_HEADER} 中附上令牌（见 GET /api/v1/me）。"


@dataclass
class SessionTokenIssuer:
    """Signs short-lived tokens for people with a session, under which the services hear them."""

    private_key: str | None
    _signed: dict[Actor, tuple[float, str]] = field(default_factory=dict, repr=False)

    def token_for(self, actor: Actor) -> str:
        """One that holds for half of its time at least."""
        if self.private_key is None:
            raise Unavailable("The gateway has no key to act for you.", "网关没有可代您操作的密钥。")
        until, token = self._signed.get(actor, (0.0, ""))
        if monotonic() > until:
            token = issue(
                self.private_key, subject=actor.id, roles=actor.roles, district=actor.district, lifetime=TOKEN_HOLDS
            )
            if len(self._signed) >= SIGNED:
                self._signed.clear()
            self._signed[actor] = monotonic() + TOKEN_HOLDS.total_seconds() / 2, token
        return token


class Authentication(SharedExtension):
    """One for each gateway; the users and their sessions are those of all gateways."""

    revocations = Revocations()

    def setup(self) -> None:
        settings = self.container.config["SETTINGS"]
        held = database(settings, self.container.service_name)
        self._tokens = Tokens(settings.token_public_key, self.revocations)
        self._signer = SessionTokenIssuer(settings.token_private_key)
        self.passwords = Passwords()
        self.users = Users(held["users"], self.passwords, self.now)
        self.sessions = Sessions(held["sessions"], self.now)
        for one in (self.passwords, self.users, self.sessions):
            patiently(one.prepare)

    def now(self) -> datetime:
        instant: datetime = self.container.config["CLOCK"].now()
        return instant

    def identify(self, request: Request, *, writes: bool) -> None:
        """Say in the request who sends it; raises `NotAuthenticated`, and `CsrfTokenMissing` where it `writes`."""
        said, secret = request.headers.get("Authorization"), request.cookies.get(COOKIE)
        if said is None and secret:
            self._by_session(request, secret, writes=writes)
        else:
            self._by_token(request, said or "")

    def as_now(self, actor: Mapping[str, Any], token_id: str | None) -> Actor:
        """Who asked for something that is done only now, as what they may do today; raises `NotAuthenticated`."""
        if token_id is not None and token_id in self.revocations:
            raise NotAuthenticated("The token was revoked.", "令牌已被吊销。")
        user = self.users.find(actor["id"])
        if user is not None and not is_active(user):
            raise NotAuthenticated("The user was disabled.", "该用户已停用。")
        if user is not None and token_id is None:
            return actor_of(user)
        return Actor(actor["id"], frozenset(actor["roles"]), actor["district"])

    def _by_token(self, request: Request, said: str) -> None:
        scheme, _, token = said.partition(" ")
        if scheme.lower() != "bearer":
            raise NotAuthenticated("Send a token: Authorization: Bearer ...", "请提供令牌：Authorization: Bearer ...")
        verified = self._tokens.read(token.strip())
        request.token, request.actor = token.strip(), verified.actor
        request.identified_by, request.token_id = "token", verified.id

    def _by_session(self, request: Request, secret: str, *, writes: bool) -> None:
        session = self.sessions.find(secret)
        user = self.users.find(session.user_id) if session else None
        if session is None or user is None or not is_active(user):
            raise NotAuthenticated("The session has ended; log in again.", "会话已结束，请重新登录。")
        request.session, request.actor, request.identified_by = session, actor_of(user), "session"
        if writes and not session.is_meant(request.headers.get(CSRF_HEADER, "")):
            raise CsrfTokenMissing()
        request.token = self._signer.token_for(request.actor)
