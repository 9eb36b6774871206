"""Identity: people log in and out, operators say who may what, and systems get tokens and lose them again."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from functools import partial
from typing import Any

from gateway.http.messages import JSON, NOT_STORED, Reply, Request
from gateway.http.pagination import PAGE
from gateway.http.session import Session, cookie
from gateway.identity import api_tokens, users
from gateway.identity.api_tokens import IssuedTokens
from gateway.identity.authentication import Authentication
from gateway.identity.login_throttle import LoginThrottle
from services.chassis import lists
from services.chassis.document import Cause
from services.chassis.entrypoints import command_id
from services.chassis.mongo import database, patiently
from services.chassis.problem import (
    FieldError,
    InvalidInput,
    NotAllowed,
    NotAuthenticated,
    NotFound,
    Overloaded,
    Unavailable,
)
from services.chassis.provider import Provider
from services.chassis.records import Bound, derived_id
from services.chassis.settings import Settings
from services.chassis.tokens import Actor, issue
from services.kernel.calendar import day_of, end_of
from services.kernel.lifecycle import ForbiddenMove

USER_DISABLED, USER_PLACED = "user disabled", "user has other roles or another district"

Document = dict[str, Any]


class WrongLogin(NotAuthenticated):
    code = "wrong_login"
    title_en, title_zh = "Login or password is wrong.", "登录名或密码有误。"


class Accounts:
    """Each method answers a request."""

    def __init__(
        self, settings: Settings, callers: Authentication, attempts: LoginThrottle, tokens: IssuedTokens
    ) -> None:
        self._settings, self._callers, self._attempts, self._tokens = settings, callers, attempts, tokens
        self._users, self._sessions = callers.users, callers.sessions

    # --- people ------------------------------------------------------------------------------------------------------

    def login(self, request: Request) -> Reply:
        """Whatever is wrong is said in the same words and takes the same time."""
        _check_is_json(request)
        user = self._with_password(request.body["login"].lower(), request.body["password"], request)
        if user is None:
            raise WrongLogin()
        session = self._sessions.begin(user["_id"])
        if self._users.is_changed(user):  # whoever did that ended the sessions before this one began
            self._sessions.end(session)
            raise WrongLogin()
        request.actor = users.actor_of(user)
        return self._reply(_me(request.actor, login=user["login"], session=session), session)

    def logout(self, request: Request) -> Reply:
        """Whoever comes with a token has no session that could end."""
        if request.session:
            self._sessions.end(request.session)
        return self._reply({"ended": request.session is not None}, None)

    def me(self, request: Request) -> Reply:
        login = self._users.get(request.session.user_id)["login"] if request.session else None
        return Reply(_me(request.actor, login=login, session=request.session), headers=NOT_STORED)

    def change_password(self, id_: str, request: Request) -> Any:
        """One's own with the old one; anybody's as an operator. The sessions that know the old one end."""
        is_own = id_ == request.actor.id
        if not is_own:
            _check_manages(request.actor)
        user = self._users.get(id_)
        if is_own:
            self._check_old_password(user, request)
        changed = self._users.set_password(user, request.body["password"], by=request.actor.id)
        self._sessions.end_all(id_, but=request.session if is_own else None)
        return users.said(changed)

    def _check_old_password(self, user: Document, request: Request) -> None:
        old = request.body["old_password"]
        if old is None:
            raise InvalidInput(FieldError("old_password", "Your password until now is needed.", "须提供原密码。"))
        if self._with_password(user["login"], old, request) is None:
            raise InvalidInput(FieldError("old_password", "Not your password until now.", "原密码有误。"))

    def _with_password(self, login: str, password: str, request: Request) -> Document | None:
        """The user whose they are; raises `TooManyAttempts` where too many were not."""
        address = request.remote_addr or ""
        attempt = self._attempts.begin(pair=f"{login} {address}", address=address, login=login)
        request.identified_by = request.identified_by or "login"
        try:
            user = self._users.with_password(login, password)
        except Overloaded:
            self._attempts.forgive(attempt)
            raise
        if user is not None:
            self._attempts.forgive(attempt)
        return user

    def _reply(self, said: Document, session: Session | None) -> Reply:
        is_secure = self._settings.http_behind_tls
        return Reply(said, headers={"Set-Cookie": cookie(session, is_secure=is_secure), **NOT_STORED})

    # --- users -------------------------------------------------------------------------------------------------------

    def users(self, request: Request) -> Any:
        return self._users.page(**{"limit": PAGE, **request.params})

    def add_user(self, request: Request) -> Reply:
        return Reply(users.said(self._users.add(request.body, by=request.actor.id)), 201)

    def place_user(self, id_: str, request: Request) -> Any:
        """Tokens that could do more, or elsewhere, are revoked."""
        user = self._users.place(id_, request.body, by=request.actor.id)
        self._revoke_all(id_, request, reason=USER_PLACED, but=lambda token: users.covers(user, token))
        return users.said(user)

    def enable_user(self, id_: str, request: Request) -> Any:
        return users.said(self._users.move(id_, "active", by=request.actor.id))

    def disable_user(self, id_: str, request: Request) -> Any:
        """Its sessions end, and its tokens are revoked."""
        user = self._users.move(id_, "disabled", by=request.actor.id)
        self._sessions.end_all(id_)
        self._revoke_all(id_, request, reason=USER_DISABLED)
        return users.said(user)

    def _revoke_all(
        self, id_: str, request: Request, *, reason: str, but: Callable[[api_tokens.Token], bool] = lambda _: False
    ) -> None:
        tokens = self._bound(request)
        for token_id, token in tokens.find(subject_id=id_, state="active"):
            if not but(token):
                with suppress(ForbiddenMove):  # somebody else has just revoked it
                    self._revoke(tokens, token_id, reason=reason)

    # --- tokens ------------------------------------------------------------------------------------------------------

    def tokens(self, request: Request) -> Any:
        """Those that hold longest come first."""
        asked = dict(request.params)
        wanted = {"subject_id": asked.pop("subject", None), "state": asked.pop("state", None)}
        asked["filter"] = {name: value for name, value in wanted.items() if value is not None}
        return lists.page(self._tokens.collection, self._tokens.kind, {"order": "-expires_on", **asked})

    def issue_token(self, request: Request) -> Reply:
        """The token is told once: the same command again answers without it (X-01)."""
        tokens, said, now = self._bound(request), request.body, self._callers.now()
        if done := tokens.outcome([]):
            return Reply({**done, "token": None}, 201, NOT_STORED)
        user = self._users.find(said["subject"])
        if user is not None and not users.is_active(user):
            raise InvalidInput(FieldError("subject", "This user is disabled.", "该用户已停用。"))
        key = self._settings.token_private_key
        if key is None:
            raise Unavailable("The gateway has no key to sign with.", "网关没有可用于签发的密钥。")
        last_day = day_of(now) + timedelta(days=said["days"] or api_tokens.USUAL_DAYS)
        holds = {"roles": said["roles"], "district": said["district"]}
        record = tokens.add(
            api_tokens.issue(subject_id=said["subject"], expires_on=last_day, **holds),
            derived_id(self._tokens.kind, str(request.command_id)),
        )
        token = issue(key, subject=said["subject"], **holds, lifetime=end_of(last_day) - now, id=record["id"])
        return Reply({**record, "token": token}, 201, NOT_STORED)

    def revoke_token(self, id_: str, request: Request) -> Any:
        return self._revoke(self._bound(request), id_, reason=request.body["reason"])

    def _revoke(self, tokens: Bound[api_tokens.Token], id_: str, *, reason: str) -> Document:
        """Refused here before it is told to the services: the command is sent again where it breaks off between.

        One that was signed with our key elsewhere, or whose record was lost, is revoked by its id alone.
        """
        try:
            last_day = tokens.get(id_).expires_on
        except NotFound:
            if not api_tokens.is_id(id_):
                raise
            last_day = day_of(self._callers.now()) + timedelta(days=api_tokens.MOST_DAYS)
            self._callers.revocations.note(id_, last_day=last_day.isoformat())
            return tokens.add(api_tokens.revoke_unseen(expires_on=last_day, reason=reason), id_)
        self._callers.revocations.note(id_, last_day=last_day.isoformat())
        return tokens.change(id_, partial(api_tokens.revoke, reason=reason))

    def _bound(self, request: Request) -> Bound[api_tokens.Token]:
        """The tokens' records, as this command changes them."""
        request.command_id = command_id(request.headers.get("Idempotency-Key")) or str(uuid.uuid4())
        cause = Cause(because=request.command_id, actor=request.actor, at=self._callers.now())
        return Bound(self._tokens, cause)


class AccountsProvider(Provider[Accounts]):
    """Gives the gateway its identity, with the tokens' records that stand beside it."""

    callers = Authentication()

    def setup(self) -> None:
        settings = self.container.config["SETTINGS"]
        attempts = database(settings, self.container.service_name)["attempts"]
        self._attempts = LoginThrottle(attempts, self.callers.now)
        patiently(self._attempts.prepare)

    def start(self) -> None:
        (tokens,) = [one for one in self.container.dependencies if isinstance(one, IssuedTokens)]
        self._identity = Accounts(self.container.config["SETTINGS"], self.callers, self._attempts, tokens)

    def provide(self) -> Accounts:
        return self._identity


def _me(actor: Actor, *, login: str | None, session: Session | None) -> Document:
    return {
        "id": actor.id,
        "login": login,
        "roles": sorted(actor.roles),
        "district": actor.district,
        "csrf_token": session.csrf_token if session else None,
        "ends_at": session.ends_at.isoformat(timespec="seconds") if session else None,
    }


def _check_manages(actor: Actor) -> None:
    """Operators, and none who is bound to a district: else one could give out more than one has."""
    if "operator" not in actor.roles:
        raise NotAllowed(needs="operator", yours="/".join(sorted(actor.roles)))
    if actor.district is not None:
        raise NotAllowed(yours=actor.district)


def _check_is_json(request: Request) -> None:
    """A form of another site could send anything else in a person's name."""
    if request.mimetype != JSON:
        raise InvalidInput(FieldError("Content-Type", f"Must be {JSON}.", f"须为 {JSON}。"))
