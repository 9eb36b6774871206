"""Sessions, users, tokens of systems, and the audit trail."""

from __future__ import annotations

from typing import Any

from gateway.api.endpoint import endpoint
from gateway.endpoints.callers import EVERYBODY, OPERATOR
from gateway.http.messages import Reply, Request
from gateway.identity import api_tokens, audit_trail, sessions, users
from gateway.identity.accounts import Accounts
from gateway.identity.audit_trail import AuditTrail


class IdentityEndpoints:
    """Users, sessions and tokens, and the trail of their changes."""

    accounts: Accounts
    trail: AuditTrail

    @endpoint(
        "POST",
        "/api/v1/login",
        en="Log in: begin a session with a cookie, and get a token for writes.",
        zh="登录。",
        public=True,
        takes=sessions.LogIn,
        answers={200: sessions.ME},
    )
    def login(self, request: Request) -> Reply:
        return self.accounts.login(request)

    @endpoint(
        "POST",
        "/api/v1/logout",
        en="Log out: end the session.",
        zh="退出登录。",
        **EVERYBODY,
        answers={200: sessions.LOGGED_OUT},
    )
    def logout(self, request: Request) -> Reply:
        return self.accounts.logout(request)

    @endpoint(
        "GET",
        "/api/v1/me",
        en="Show who you are to the gateway.",
        zh="当前用户。",
        **EVERYBODY,
        answers={200: sessions.ME},
    )
    def me(self, request: Request) -> Reply:
        return self.accounts.me(request)

    @endpoint(
        "GET",
        "/api/v1/users",
        en="List all users.",
        zh="用户列表。",
        noted=True,
        **OPERATOR,
        asks=users.ASKS,
        answers={200: users.USERS},
    )
    def list_users(self, request: Request) -> Any:
        return self.accounts.users(request)

    @endpoint(
        "POST",
        "/api/v1/users",
        en="Add a user.",
        zh="新增用户。",
        **OPERATOR,
        takes=users.NewUser,
        answers={201: users.USER},
    )
    def add_user(self, request: Request) -> Reply:
        return self.accounts.add_user(request)

    @endpoint(
        "POST",
        "/api/v1/users/<id_>/disable",
        en="Disable a user; their sessions end at once.",
        zh="停用用户。",
        **OPERATOR,
        answers={200: users.USER},
    )
    def disable_user(self, request: Request, id_: str) -> Any:
        return self.accounts.disable_user(id_, request)

    @endpoint(
        "POST",
        "/api/v1/users/<id_>/enable",
        en="Enable a disabled user.",
        zh="启用用户。",
        **OPERATOR,
        answers={200: users.USER},
    )
    def enable_user(self, request: Request, id_: str) -> Any:
        return self.accounts.enable_user(id_, request)

    @endpoint(
        "POST",
        "/api/v1/users/<id_>/roles",
        en="Set the roles and the district of a user.",
        zh="调整角色与辖区。",
        **OPERATOR,
        takes=users.Place,
        answers={200: users.USER},
    )
    def place_user(self, request: Request, id_: str) -> Any:
        return self.accounts.place_user(id_, request)

    @endpoint(
        "POST",
        "/api/v1/users/<id_>/password",
        en="Change a password; all sessions of the user end.",
        zh="修改密码。",
        **EVERYBODY,
        takes=users.NewPassword,
        answers={200: users.USER},
    )
    def change_password(self, request: Request, id_: str) -> Any:
        return self.accounts.change_password(id_, request)

    @endpoint(
        "GET",
        "/api/v1/tokens",
        en="List the tokens of other systems.",
        zh="系统令牌列表。",
        **OPERATOR,
        asks=api_tokens.ASKS,
        answers={200: api_tokens.TOKENS},
    )
    def list_tokens(self, request: Request) -> Any:
        return self.accounts.tokens(request)

    @endpoint(
        "POST",
        "/api/v1/tokens",
        en="Issue a token to another system; it is shown only once.",
        zh="签发令牌，仅显示一次。",
        **OPERATOR,
        takes=api_tokens.Issue,
        answers={201: api_tokens.ISSUED},
    )
    def issue_token(self, request: Request) -> Reply:
        return self.accounts.issue_token(request)

    @endpoint(
        "POST",
        "/api/v1/tokens/<id_>/revoke",
        en="Revoke a token at every service.",
        zh="吊销令牌。",
        **OPERATOR,
        takes=api_tokens.Revoke,
        answers={200: api_tokens.TOKEN},
    )
    def revoke_token(self, request: Request, id_: str) -> Any:
        return self.accounts.revoke_token(id_, request)

    @endpoint(
        "GET",
        "/api/v1/audit",
        en="List who requested which change, and who read what is confidential.",
        zh="操作审计（含敏感信息的查阅）。",
        **OPERATOR,
        asks=audit_trail.ASKS,
        answers={200: audit_trail.ENTRIES},
    )
    def audit_trail(self, request: Request) -> Any:
        return self.trail.page(request.params)
