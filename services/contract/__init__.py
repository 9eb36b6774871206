"""WHAT IS SAID: the public view of each kind of record and what can happen to it; pure."""

from services.contract import awards, members, outreach, rural
from services.contract.view import KINDS

__all__ = ["KINDS", "awards", "members", "outreach", "rural"]
