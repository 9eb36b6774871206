"""The words of rules: everything a domain module is written in; pure."""

from services.kernel.change import Change
from services.kernel.lifecycle import ForbiddenMove, Lifecycle
from services.kernel.refusal import REFUSALS, Refusal

__all__ = ["REFUSALS", "Change", "ForbiddenMove", "Lifecycle", "Refusal"]
