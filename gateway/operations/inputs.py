"""Inputs and parameters of requests about parked messages (dead letters)."""

from __future__ import annotations

from gateway.http.pagination import LIMIT, THEIR_CURSOR
from gateway.http.parameters import Parameter, one_of
from services.chassis import fields
from services.contract.topology import SERVICES


class Settle(fields.Schema):
    """The reason why a parked message is replayed or discarded."""

    why = fields.Text(max=500)


SERVICE = Parameter(
    one_of((*SERVICES, "gateway")), "Only messages of this service.", "仅限该服务。", {"enum": [*SERVICES, "gateway"]}
)

PARKED_STATE = Parameter(
    one_of(("waiting", "settled")), "Only messages in this state.", "仅限该状态。", {"enum": ["waiting", "settled"]}
)

PARKED = {"service": SERVICE, "state": PARKED_STATE, "cursor": THEIR_CURSOR, "limit": LIMIT}
