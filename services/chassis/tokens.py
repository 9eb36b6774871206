"""Tokens: the caller, its roles and its district; signed, and verified without asking anybody.

Signed with Ed25519: services hold the public key only, so a service that is broken into cannot make tokens. Somebody's
own token stays at the gateway, which signs another for each service that it calls in their name: what one service
overhears is good for no other. A token that names no service is good for all of them, as operators' tools use it.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Container, Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from time import monotonic
from typing import NamedTuple, get_args

import jwt

from services.chassis.problem import NotAuthenticated, Unavailable
from services.contract.district import DISTRICTS
from services.contract.gateway import Role

ROLES: tuple[str, ...] = get_args(Role)
READERS = tuple(role for role in ROLES if role != "judge")
"""Roles that may read records: a judge sees what the rules of judging allow, and nothing else (A-12, A-13)."""
STAFF = ("recorder", "verifier", "chair", "finance", "operator")
"""Roles that may read why something was done: a history holds reasons, and people write names into those (X-08)."""
BRIEF = ("id", "version", "state")
"""The fields of a changed record that its caller gets without being allowed to read records."""
CACHED = 2_000  # verified tokens that a process remembers, and signed ones
DELEGATED = timedelta(minutes=5)  # for which a token holds by which the gateway acts for somebody
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
    audience: str | None = None,
) -> str:
    """Make a token for this subject, to be accepted by one service (`audience`) or by all.

    Raises ValueError for a role or district that does not exist.
    """
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
        **({"aud": audience} if audience else {}),
    }
    return jwt.encode(claims, private_key, algorithm="EdDSA")


@dataclass
class DelegatedTokens:
    """Tokens of minutes, each for one service, by which the gateway acts for somebody; used for half of their life."""

    private_key: str | None
    _signed: dict[tuple[Actor, str, str | None], tuple[float, str]] = field(default_factory=dict, repr=False)

    def token_for(self, actor: Actor, service: str, *, own: Verified | None = None) -> str:
        """Return a token that holds for half of its life at least; raises `Unavailable` without a key to sign with.

        Made from somebody's own token it has that one's id, so services refuse it once that was revoked, and ends no
        later.
        """
        until, token = self._signed.get((actor, service, own and own.id), (0.0, ""))
        return token if monotonic() <= until else self._sign(actor, service, own)

    def require_key(self) -> str:
        """Return the key to sign with; raises `Unavailable`."""
        if self.private_key is None:
            raise Unavailable("The gateway has no key to act for you.", "网关没有可代您操作的密钥。")
        return self.private_key

    def _sign(self, actor: Actor, service: str, own: Verified | None) -> str:
        lifetime = min(DELEGATED, timedelta(seconds=own.expires - time.time())) if own else DELEGATED
        token = issue(
            self.require_key(),
            subject=actor.id,
            roles=actor.roles,
            district=actor.district,
            lifetime=lifetime,
            id=own and own.id,
            audience=service,
        )
        if len(self._signed) >= CACHED:
            self._signed.clear()
        self._signed[actor, service, own and own.id] = monotonic() + lifetime.total_seconds() / 2, token
        return token


@dataclass
class Tokens:
    """Verifies tokens; the ones seen before are remembered until they expire, and refused once they are revoked."""

    public_key: str
    revoked: Container[str] = frozenset()  # ids
    audience: str | None = None  # the service that reads them
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
                token,
                self.public_key,
                algorithms=["EdDSA"],
                options={"require": ["exp", "sub", "jti"], "verify_aud": False},
            )
            roles = frozenset(claims["roles"])
        except jwt.ExpiredSignatureError:
            raise NotAuthenticated("The token has expired.", "令牌已过期。") from None
        except (jwt.InvalidTokenError, KeyError, TypeError):
            raise NotAuthenticated() from None
        if claims.get("aud", self.audience) != self.audience:
            raise NotAuthenticated("The token is for another service.", "令牌用于其他服务。")
        if unknown := sorted(roles - set(ROLES)):
            raise NotAuthenticated(f"The token has an unknown role {unknown[0]}.", f"令牌含有未知角色 {unknown[0]}。")
        district = claims.get("district")
        if district not in (None, *DISTRICTS):
            raise NotAuthenticated(f"The token has an unknown district {district}.", f"令牌含有未知辖区 {district}。")
        return Verified(claims["exp"], claims["jti"], Actor(claims["sub"], roles, district))
