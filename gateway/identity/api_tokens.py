"""API tokens: each issued token has a record, so that every service hears of its end; no token itself is stored."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import date

from gateway.http import parameters
from gateway.http.json_schema import DAY, TEXT, WHOLE, Shape, each, many, maybe, one_of, page
from gateway.http.pagination import LIMIT, THEIR_CURSOR
from gateway.http.parameters import Parameter
from services import contract
from services.chassis import fields
from services.chassis.records import Records
from services.chassis.tokens import ROLES
from services.contract.district import DISTRICTS
from services.kernel import Change, Lifecycle

LIFECYCLE = Lifecycle(active=("revoked",))
USUAL_DAYS, MOST_DAYS = 30, 366


class Issue(fields.Schema):
    """The subject of a token, its rights and its days."""

    subject = fields.Id()
    roles = fields.Many(fields.OneOf(*ROLES), min=1)
    district = fields.District(required=False)
    days = fields.Whole(min=1, max=MOST_DAYS, rule=None, required=False)


class Revoke(fields.Schema):
    """The reason why a token is revoked."""

    reason = fields.Text(max=500)


ROLE: Shape = one_of(*ROLES)
DISTRICT: Shape = maybe(one_of(*DISTRICTS))
TOKEN: Shape = each(
    id=TEXT, version=WHOLE, subject_id=TEXT, roles=many(ROLE), district=DISTRICT, expires_on=DAY,
    state=one_of(*LIFECYCLE.states),
)  # fmt: skip
TOKENS: Shape = page(TOKEN, total=WHOLE)
ISSUED: Shape = each(**TOKEN["properties"], token=maybe(TEXT))
"""A record with the token itself, which is null where the same command had issued it before."""


ASKS = {
    "subject": Parameter(str, "Only tokens issued to this subject.", "仅限该主体（编号）。"),
    "state": Parameter(
        parameters.one_of(LIFECYCLE.states),
        "Only tokens in this state.",
        "仅限该状态。",
        {"enum": list(LIFECYCLE.states)},
    ),
    "cursor": THEIR_CURSOR,
    "limit": LIMIT,
}


@dataclass(frozen=True, kw_only=True)
class Token:
    """An issued token: its subject, its rights, and its last day."""

    subject_id: str
    roles: tuple[str, ...]
    district: str | None
    expires_on: date
    state: str = "active"


def issue(*, subject_id: str, roles: tuple[str, ...], district: str | None, expires_on: date) -> Change[Token]:
    """Issue a token, valid to the end of its last day."""
    in_order = tuple(role for role in ROLES if role in roles)
    return Change(Token(subject_id=subject_id, roles=in_order, district=district, expires_on=expires_on), "issued")


def revoke(token: Token, *, reason: str) -> Change[Token]:
    """Revoke a token for good: who needs one again is issued another."""
    return Change(replace(token, state=LIFECYCLE.move(token.state, "revoked")), "revoked", reason)


def revoke_unseen(*, expires_on: date, reason: str) -> Change[Token]:
    """Record the revocation of a token that this gateway never issued."""
    token = Token(subject_id="unknown", roles=(), district=None, expires_on=expires_on, state="revoked")
    return Change(token, "revoked", reason)


def is_id(text: str) -> bool:
    """Could a token have this id?"""
    return bool(re.fullmatch("[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", text))


class IssuedTokens(Records[Token]):
    """The records of issued tokens, which the relay announces to the services."""

    kind = contract.gateway.Token.kind
    record = Token
    indexes = (("subject_id",), ("expires_on",))
