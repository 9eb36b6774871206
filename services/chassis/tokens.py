"""Tokens: the caller, its roles and its district; signed, and verified without asking anybody.

Signed with Ed25519: services hold the public key only, so a service that is broken into cannot make tokens.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Container, Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import NamedTuple, get_args

import jwt

from services.chassis.problem import NotAuthenticated
from services.contract.district import DISTRICTS
from services.contract.gateway import Role

ROLES: tuple[str, ...] = get_args(Role)
READERS = tuple(role for role in ROLES if role != "judge")
"""Roles that may read records: a judge sees what the rules of judging allow, and nothing else (A-12, A-13)."""
STAFF = ("recorder", "verifier", "chair", "finance", "operator")
"""Roles that may read why something was done: a history holds reasons, and people write names into those (X-08)."""
BRIEF = ("id", "version", "state")
"""The fields of a changed record that its caller gets without being allowed to read records."""
CACHED = 2_000  # verified tokens that a process remembers
LONGEST = 4_000  # characters of a token
HEADER = "nameko.token"  # of a request over RPC


@dataclass(frozen=True)
class Actor:
    """The person or program that acts: an opaque id (never a name), roles, and the district it is bound to, if any."""

    id: str
    roles: frozenset[str] = frozenset()
    district: str | None = None


class Verified(NamedTuple):
    """The content of a valid token: when it expires, its id, and its actor."""

    expires: float
    id: str
    actor: Actor


def issue(
    private_key: str,
    *,
    subject: str,
    roles: Iterable[str],
    district: str | None = None,
    lifetime: timedelta,
    id: str | None = None,  # noqa: A002 - the word of the contract
) -> str:
    """Make a token for this subject; raises ValueError for a role or district that does not exist."""
    if unknown := sorted(set(roles) - set(ROLES)):
        raise ValueError(f"unknown role {', '.join(unknown)}; known: {', '.join(ROLES)}")
    if district not in (None, *DISTRICTS):
        raise ValueError(f"unknown district {district}; known: {', '.join(DISTRICTS)}")
    claims = {
        "sub": subject,
        "roles": sorted(roles),
        "district": district,
        "exp": int(time.time() + lifetime.total_seconds()),
        "jti": id or uuid.uuid4().hex,
    }
    return jwt.encode(claims, private_key, algorithm="EdDSA")


@dataclass
class Tokens:
    """Verifies tokens; the ones seen before are remembered until they expire, and refused once they are revoked."""

    public_key: str
    revoked: Container[str] = frozenset()  # ids
    _known: dict[str, Verified] = field(default_factory=dict, repr=False)

    def verify(self, token: object) -> Actor:
        """Return the token's actor; raises `NotAuthenticated`."""
        return self.read(token).actor

    def read(self, token: object) -> Verified:
        """Return the token's whole content; raises `NotAuthenticated`."""
        if not isinstance(token, str) or not token or len(token) > LONGEST:
            raise NotAuthenticated()
        known = self._known.get(token)
        if known is None:
            known = self._decode(token)
            if len(self._known) >= CACHED:
                self._known.clear()
            self._known[token] = known
        if time.time() >= known.expires:
            del self._known[token]
            raise NotAuthenticated("The token has expired.", "令牌已过期。")
        if known.id in self.revoked:
            raise NotAuthenticated("The token was revoked.", "令牌已被吊销。")
        return known

    def _decode(self, token: str) -> Verified:
        try:
            claims = jwt.decode(
                token, self.public_key, algorithms=["EdDSA"], options={"require": ["exp", "sub", "jti"]}
            )
            roles = frozenset(claims["roles"])
        except jwt.ExpiredSignatureError:
            raise NotAuthenticated("The token has expired.", "令牌已过期。") from None
        except (jwt.InvalidTokenError, KeyError, TypeError):
            raise NotAuthenticated() from None
        if unknown := sorted(roles - set(ROLES)):
            raise NotAuthenticated(f"The token has an unknown role {unknown[0]}.", f"令牌含有未知角色 {unknown[0]}。")
        district = claims.get("district")
        if district not in (None, *DISTRICTS):
            raise NotAuthenticated(f"The token has an unknown district {district}.", f"令牌含有未知辖区 {district}。")
        return Verified(claims["exp"], claims["jti"], Actor(claims["sub"], roles, district))
