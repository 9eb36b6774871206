"""Inputs of jobs and recounts."""

from __future__ import annotations

from gateway.http.pagination import LIMIT, THEIR_CURSOR
from services.chassis import fields
from services.contract import KINDS
from services.contract.topology import HEARS


class Look(fields.Schema):
    """A job that changes nothing, of all kinds or of some."""

    why = fields.Text(max=500, required=False)
    kinds = fields.Many(fields.OneOf(*KINDS), required=False)


class Rearm(Look):
    """A job that has events published again: those of records that are behind, or all that a listener hears."""

    why = fields.Text(max=500)
    heard_by = fields.OneOf(*HEARS, required=False)


class Rebuild(fields.Schema):
    """A job that makes the ledger anew."""

    why = fields.Text(max=500)


class Recount(fields.Schema):
    """A KPI that its owning service shall count again, in a period and district."""

    kpi = fields.Text(max=40)
    period = fields.Text(max=40, required=False)
    district = fields.District(required=False)


JOBS = {"audit": Look(), "rearm": Rearm(), "verify": Look(), "rebuild": Rebuild()}
"""The body of the request that begins each job."""

RECOUNTS = {"cursor": THEIR_CURSOR, "limit": LIMIT}
