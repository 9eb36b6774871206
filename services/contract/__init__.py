"""The contract: the public view of each kind of record and what can happen to it; pure."""

from services.contract import awards, gateway, members, outreach, rural
from services.contract.view import EVERY_KIND, KINDS

__all__ = ["EVERY_KIND", "KINDS", "awards", "gateway", "members", "outreach", "rural"]
