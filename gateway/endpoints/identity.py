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
    """Who may call, and who did what."""

    accounts: Accounts
    trail: AuditTrail

    @endpoint("POST", "/api/v1/login", public=True, takes=sessions.LogIn, answers={200: sessions.ME})
    def login(self, request: Request) -> Reply:
        """Begin a session: a cookie, and a token for what you write. 登录。"""
        return self.accounts.login(request)

    @endpoint("POST", "/api/v1/logout", **EVERYBODY, answers={200: sessions.LOGGED_OUT})
    def logout(self, request: Request) -> Reply:
        """End the session. 退出登录。"""
        return self.accounts.logout(request)

    @endpoint("GET", "/api/v1/me", **EVERYBODY, answers={200: sessions.ME})
    def me(self, request: Request) -> Reply:
        """Who you are here. 当前用户。"""
        return self.accounts.me(request)

    @endpoint("GET", "/api/v1/users", **OPERATOR, asks=users.ASKS, answers={200: users.USERS})
    def list_users(self, request: Request) -> Any:
        """Everybody who can log in. 用户列表。"""
        return self.accounts.users(request)

    @endpoint("POST", "/api/v1/users", **OPERATOR, takes=users.NewUser, answers={201: users.USER})
    def add_user(self, request: Request) -> Reply:
        """Let somebody log in. 新增用户。"""
        return self.accounts.add_user(request)

    @endpoint("POST", "/api/v1/users/<id_>/disable", **OPERATOR, answers={200: users.USER})
    def disable_user(self, request: Request, id_: str) -> Any:
        """Let somebody log in no more; sessions end at once. 停用用户。"""
        return self.accounts.disable_user(id_, request)

    @endpoint("POST", "/api/v1/users/<id_>/enable", **OPERATOR, answers={200: users.USER})
    def enable_user(self, request: Request, id_: str) -> Any:
        """Let somebody log in again. 启用用户。"""
        return self.accounts.enable_user(id_, request)

    @endpoint("POST", "/api/v1/users/<id_>/roles", **OPERATOR, takes=users.Place, answers={200: users.USER})
    def place_user(self, request: Request, id_: str) -> Any:
        """Say what somebody may, and where. 调整角色与辖区。"""
        return self.accounts.place_user(id_, request)

    @endpoint("POST", "/api/v1/users/<id_>/password", **EVERYBODY, takes=users.NewPassword, answers={200: users.USER})
    def change_password(self, request: Request, id_: str) -> Any:
        """A new password; all sessions end. 修改密码。"""
        return self.accounts.change_password(id_, request)

    @endpoint("GET", "/api/v1/tokens", **OPERATOR, asks=api_tokens.ASKS, answers={200: api_tokens.TOKENS})
    def list_tokens(self, request: Request) -> Any:
        """Tokens of systems. 系统令牌列表。"""
        return self.accounts.tokens(request)

    @endpoint("POST", "/api/v1/tokens", **OPERATOR, takes=api_tokens.Issue, answers={201: api_tokens.ISSUED})
    def issue_token(self, request: Request) -> Reply:
        """A token for a system; it is shown this once. 签发令牌，仅显示一次。"""
        return self.accounts.issue_token(request)

    @endpoint(
        "POST", "/api/v1/tokens/<id_>/revoke", **OPERATOR, takes=api_tokens.Revoke, answers={200: api_tokens.TOKEN}
    )
    def revoke_token(self, request: Request, id_: str) -> Any:
        """Let a token open nothing any more, at any service. 吊销令牌。"""
        return self.accounts.revoke_token(id_, request)

    @endpoint("GET", "/api/v1/audit", **OPERATOR, asks=audit_trail.ASKS, answers={200: audit_trail.ENTRIES})
    def audit_trail(self, request: Request) -> Any:
        """Who asked for what was changed. 操作审计。"""
        return self.trail.page(request.params)
