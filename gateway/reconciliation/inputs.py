"""Inputs of jobs and recounts."""

from __future__ import annotations

from gateway.http.pagination import LIMIT, THEIR_CURSOR
from services.chassis import fields
from services.contract import KINDS
from services.contract.topology import HEARS


class Look(fields.Schema):
    """A job that changes nothing."""

    why = fields.Text(max=500, required=False)
    kinds = fields.Many(fields.OneOf(*KINDS), required=False)


class Rearm(Look):
    why = fields.Text(max=500)
    heard_by = fields.OneOf(*HEARS, required=False)


class Rebuild(fields.Schema):
    why = fields.Text(max=500)


class Recount(fields.Schema):
    """The number that its owning service counts again."""

    kpi = fields.Text(max=40)
    period = fields.Text(max=40, required=False)
    district = fields.District(required=False)


JOBS = {"audit": Look(), "rearm": Rearm(), "verify": Look(), "rebuild": Rebuild()}
"""What an operator says with each job."""

RECOUNTS = {"cursor": THEIR_CURSOR, "limit": LIMIT}
