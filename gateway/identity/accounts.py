"""Accounts: people log in and out, operators manage users, and systems are issued tokens that can be revoked."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from functools import partial
from typing import Any

from gateway.http.messages import JSON, NOT_STORED, Reply, Request
from gateway.http.session import Session, cookie
from gateway.identity import api_tokens
from gateway.identity.api_tokens import IssuedTokens
from gateway.identity.authentication import Authentication
from gateway.identity.known_devices import KnownDevices
from gateway.identity.login_throttle import LoginThrottle
from gateway.identity.users import User, show_user
from services.chassis import lists
from services.chassis.command_ids import Act, CommandIds, digest
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
from services.chassis.records import Bound
from services.chassis.settings import Settings
from services.chassis.tokens import Actor, issue
from services.kernel.calendar import day_of, end_of
from services.kernel.lifecycle import ForbiddenMove

USER_DISABLED, USER_PLACED = "user disabled", "user has other roles or another district"

Document = dict[str, Any]


class WrongLogin(NotAuthenticated):
    """A failed login; the same words whether login, password or state of the user was the cause."""

    code = "wrong_login"
    title_en, title_zh = "Login or password is wrong.", "登录名或密码有误。"


class Accounts:
    """Answers requests about sessions, users and tokens."""

    def __init__(
        self,
        settings: Settings,
        authentication: Authentication,
        throttle: LoginThrottle,
        tokens: IssuedTokens,
        command_ids: CommandIds,
    ) -> None:
        self._settings, self._authentication, self._command_ids = settings, authentication, command_ids
        self._throttle, self._tokens = throttle, tokens
        self._users, self._sessions = authentication.users, authentication.sessions
        self._devices = KnownDevices(settings.token_private_key, authentication.now, is_secure=settings.http_behind_tls)

    # --- people ------------------------------------------------------------------------------------------------------

    def login(self, request: Request) -> Reply:
        """Begin a session; every failure is a `WrongLogin` that takes the same time."""
        _check_is_json(request)
        user = self._authenticate(request.body["login"].lower(), request.body["password"], request)
        if user is None:
            raise WrongLogin()

        session = self._sessions.begin(user.id)
        if self._users.is_changed(user):  # and its sessions were ended before this one began
            self._sessions.end(session)
            raise WrongLogin()
        request.actor = user.actor
        return self._reply(_me(request.actor, login=user.login, session=session), session, self._devices.cookie(user))

    def logout(self, request: Request) -> Reply:
        """End the session; a caller with a token has none to end."""
        if request.session:
            self._sessions.end(request.session)
        return self._reply({"ended": request.session is not None}, None, None)

    def me(self, request: Request) -> Reply:
        """Show the caller, with the token against forged requests where there is a session."""
        login = self._users.get(request.session.user_id).login if request.session else None
        return Reply(_me(request.actor, login=login, session=request.session), headers=NOT_STORED)

    def change_password(self, id_: str, request: Request) -> Any:
        """Change one's own password, giving the old one, or anybody's as an operator; its other sessions end."""
        is_own = id_ == request.actor.id
        if not is_own:
            _check_manages(request.actor)
        user = self._users.get(id_)
        if is_own:
            self._check_old_password(user, request)

        changed = self._users.set_password(user, request.body["password"], by=request.actor.id)
        self._sessions.end_all(id_, but=request.session if is_own else None)
        return show_user(changed)

    def _check_old_password(self, user: User, request: Request) -> None:
        old = request.body["old_password"]
        if old is None:
            raise InvalidInput(FieldError("old_password", "Your current password is required.", "须提供原密码。"))
        if self._authenticate(user.login, old, request) is None:
            raise InvalidInput(FieldError("old_password", "Not your current password.", "原密码有误。"))

    def _authenticate(self, login: str, password: str, request: Request) -> User | None:
        """The user with this password; raises `TooManyAttempts` after too many failures."""
        user = self._users.find_by_login(login)
        attempt = self._throttle.begin(**self._counted_names(login, user, request))
        request.identified_by = request.identified_by or "login"
        try:
            user = self._users.authenticate(user, password)
        except Overloaded:
            self._throttle.forgive(attempt)
            raise
        if user is not None:
            self._throttle.forgive(attempt)
        return user

    def _counted_names(self, login: str, user: User | None, request: Request) -> dict[str, str]:
        """The names under which an attempt counts."""
        device = self._devices.recognise(request.cookies.get(self._devices.cookie_name), user)
        if device is not None:
            return {"device": device}
        return {"pair": f"{login} {request.network}", "address": request.network, "login": login}

    def _reply(self, body: Document, session: Session | None, device: str | None) -> Reply:
        cookies = [cookie(session, is_secure=self._settings.http_behind_tls), *([device] if device else [])]
        return Reply(body, headers={"Set-Cookie": cookies, **NOT_STORED})

    # --- users -------------------------------------------------------------------------------------------------------

    def users(self, request: Request) -> Any:
        """List all users."""
        return self._users.page(request.params)

    def add_user(self, request: Request) -> Reply:
        """Add a user, who may log in at once."""
        return Reply(show_user(self._users.add(request.body, by=request.actor.id)), 201)

    def place_user(self, id_: str, request: Request) -> Any:
        """Change a user's roles and district; tokens that allow more, or allow it elsewhere, are revoked."""
        tokens = self._bound(request, "place_user", id=id_, **request.body)
        user = self._users.place(id_, request.body, by=request.actor.id)
        self._revoke_all(tokens, id_, reason=USER_PLACED, but=user.covers)
        return show_user(user)

    def enable_user(self, id_: str, request: Request) -> Any:
        """Let a user log in again; sessions and tokens that ended do not come back."""
        return show_user(self._users.enable(id_, by=request.actor.id))

    def disable_user(self, id_: str, request: Request) -> Any:
        """Disable a user: sessions end at once, and tokens are revoked."""
        tokens = self._bound(request, "disable_user", id=id_)
        user = self._users.disable(id_, by=request.actor.id)
        self._sessions.end_all(id_)
        self._revoke_all(tokens, id_, reason=USER_DISABLED)
        return show_user(user)

    def _revoke_all(
        self,
        tokens: Bound[api_tokens.Token],
        id_: str,
        *,
        reason: str,
        but: Callable[[api_tokens.Token], bool] = lambda _: False,
    ) -> None:
        active = tokens.find(subject_id=id_, state="active")
        for token_id in [token_id for token_id, token in active if not but(token)]:
            with suppress(ForbiddenMove):  # somebody else has just revoked it
                self._revoke(tokens, token_id, reason=reason)

    # --- tokens ------------------------------------------------------------------------------------------------------

    def tokens(self, request: Request) -> Any:
        """List issued tokens; unless another order is asked for, the last to expire come first."""
        params = dict(request.params)
        conditions = {"subject_id": params.pop("subject", None), "state": params.pop("state", None)}
        params["filter"] = {name: value for name, value in conditions.items() if value is not None}
        reader = self._tokens.classes.reader(request.actor)
        return lists.page(self._tokens.collection, reader, {"order": "-expires_on", **params})

    def issue_token(self, request: Request) -> Reply:
        """Issue a token, which this answer alone shows: the same command again answers without it (X-01)."""
        tokens, params = self._bound(request, "issue_token", **request.body), request.body
        if record := tokens.outcome([]):
            return Reply({**record, "token": None}, 201, NOT_STORED)
        self._check_is_not_disabled(params["subject"])
        key = self._settings.token_private_key
        if key is None:
            raise Unavailable("The gateway has no key to sign with.", "网关没有可用于签发的密钥。")

        now = self._authentication.now()
        last_day = day_of(now) + timedelta(days=params["days"] or api_tokens.USUAL_DAYS)
        rights = {"roles": params["roles"], "district": params["district"]}
        record = tokens.add(api_tokens.issue(subject_id=params["subject"], expires_on=last_day, **rights))
        lifetime = end_of(last_day) - now
        token = issue(key, subject=params["subject"], **rights, lifetime=lifetime, id=record["id"])
        return Reply({**record, "token": token}, 201, NOT_STORED)

    def _check_is_not_disabled(self, subject: str) -> None:
        user = self._users.find(subject)
        if user is not None and not user.is_active:
            raise InvalidInput(FieldError("subject", "This user is disabled.", "该用户已停用。"))

    def revoke_token(self, id_: str, request: Request) -> Any:
        """Revoke a token; every service refuses it within about a second."""
        tokens = self._bound(request, "revoke_token", id=id_, **request.body)
        return self._revoke(tokens, id_, reason=request.body["reason"])

    def _revoke(self, tokens: Bound[api_tokens.Token], id_: str, *, reason: str) -> Document:
        """Refuse the token here first, then announce it: a command that breaks off in between is sent again.

        A token that was signed with our key elsewhere, or whose record was lost, is revoked by its id alone.
        """
        revocations = self._authentication.revocations
        try:
            last_day = tokens.get(id_).expires_on
        except NotFound:
            if not api_tokens.is_id(id_):
                raise
            last_day = day_of(self._authentication.now()) + timedelta(days=api_tokens.MOST_DAYS)
            revocations.note(id_, last_day=last_day.isoformat())
            return tokens.add(api_tokens.revoke_unseen(expires_on=last_day, reason=reason), id_)
        revocations.note(id_, last_day=last_day.isoformat())
        return tokens.change(id_, partial(api_tokens.revoke, reason=reason))

    def _bound(self, request: Request, method: str, **content: Any) -> Bound[api_tokens.Token]:
        """The tokens' records, as this command changes them; `CommandIdReused` where its id speaks for another one."""
        given, now = command_id(request.headers.get("Idempotency-Key")), self._authentication.now()
        request.command_id = given or str(uuid.uuid4())
        if given:
            caller = request.actor.id
            self._command_ids.bind(Act(caller=caller, id=given, method=method, digest=digest(content), at=now))
        return Bound(self._tokens, Cause(because=request.command_id, actor=request.actor, at=now))


class AccountsProvider(Provider[Accounts]):
    """Provides the gateway's `Accounts`; the gateway also declares the `IssuedTokens` that they change."""

    authentication = Authentication()

    def setup(self) -> None:
        stored = database(self.container.config["SETTINGS"], self.container.service_name)
        self._command_ids = CommandIds(stored["command_ids"])
        self._throttle = LoginThrottle(stored["attempts"], self.authentication.now)
        patiently(self._throttle.prepare)

    def start(self) -> None:
        tokens = next(records for records in self.container.dependencies if isinstance(records, IssuedTokens))
        settings = self.container.config["SETTINGS"]
        self._accounts = Accounts(settings, self.authentication, self._throttle, tokens, self._command_ids)

    def provide(self) -> Accounts:
        return self._accounts


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
    """Allow operators, but none who is bound to a district: they could give out more rights than they have."""
    if "operator" not in actor.roles:
        raise NotAllowed(needs="operator", yours="/".join(sorted(actor.roles)))
    if actor.district is not None:
        raise NotAllowed(yours=actor.district)


def _check_is_json(request: Request) -> None:
    """Refuse every other media type: a form of another site could send it in a person's name."""
    if request.mimetype != JSON:
        raise InvalidInput(FieldError("Content-Type", f"Must be {JSON}.", f"须为 {JSON}。"))
