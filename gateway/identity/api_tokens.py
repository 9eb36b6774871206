"""Issued tokens: each is a record of the gateway, so that its end is told to every service; none is kept itself."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import date

from gateway.http.json_schema import DAY, TEXT, WHOLE, Shape, each, many, maybe, one_of, page
from gateway.http.pagination import LIMIT, THEIR_CURSOR
from gateway.http.parameters import Parameter
from gateway.http.parameters import one_of as any_of
from services import contract
from services.chassis import fields
from services.chassis.records import Records
from services.chassis.tokens import ROLES
from services.contract.district import DISTRICTS
from services.kernel import Change, Lifecycle

LIFECYCLE = Lifecycle(active=("revoked",))
USUAL_DAYS, MOST_DAYS = 30, 366


class Issue(fields.Schema):
    subject = fields.Id()
    roles = fields.Many(fields.OneOf(*ROLES), min=1)
    district = fields.District(required=False)
    days = fields.Whole(min=1, max=MOST_DAYS, rule=None, required=False)


class Revoke(fields.Schema):
    reason = fields.Text(max=500)


ROLE: Shape = one_of(*ROLES)
DISTRICT: Shape = maybe(one_of(*DISTRICTS))
TOKEN: Shape = each(
    id=TEXT, version=WHOLE, subject_id=TEXT, roles=many(ROLE), district=DISTRICT, expires_on=DAY,
    state=one_of(*LIFECYCLE.states),
)  # fmt: skip
TOKENS: Shape = page(TOKEN, total=WHOLE)
ISSUED: Shape = each(**TOKEN["properties"], token=maybe(TEXT))
"""With the token itself, this once; null where the same command had issued it before."""


ASKS = {
    "subject": Parameter(str, "Only those of this one, by its id.", "仅限该主体（编号）。"),
    "state": Parameter(any_of(LIFECYCLE.states), "Only those.", "仅限该状态。", {"enum": list(LIFECYCLE.states)}),
    "cursor": THEIR_CURSOR,
    "limit": LIMIT,
}


@dataclass(frozen=True, kw_only=True)
class Token:
    subject_id: str
    roles: tuple[str, ...]
    district: str | None
    expires_on: date
    state: str = "active"


def issue(*, subject_id: str, roles: tuple[str, ...], district: str | None, expires_on: date) -> Change[Token]:
    every = tuple(role for role in ROLES if role in roles)
    return Change(Token(subject_id=subject_id, roles=every, district=district, expires_on=expires_on), "issued")


def revoke(token: Token, *, reason: str) -> Change[Token]:
    """For good: whoever needs one again gets another."""
    return Change(replace(token, state=LIFECYCLE.move(token.state, "revoked")), "revoked", reason)


def revoke_unseen(*, expires_on: date, reason: str) -> Change[Token]:
    """One that nobody here knows whose it is."""
    token = Token(subject_id="unknown", roles=(), district=None, expires_on=expires_on, state="revoked")
    return Change(token, "revoked", reason)


def is_id(text: str) -> bool:
    """Could a token have this id?"""
    return bool(re.fullmatch("[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", text))


class IssuedTokens(Records[Token]):
    kind = contract.gateway.Token.kind
    record = Token
    indexes = (("subject_id",), ("expires_on",))
