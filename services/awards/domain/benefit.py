"""Benefits (效益): the money that a project brought in, as its receiver verified by a document (A-28).

A competitor ranked by a figure does not vouch for it.
"""

from __future__ import annotations

from dataclasses import dataclass

from services.kernel import Refusal


class BenefitUnverified(Refusal, rule="A-28", zh="效益数据须由受益企业或基地核实并附证明"):
    """A benefit is verified by the enterprise or base that received it, with a document."""


class BenefitVerifiedByEntrant(Refusal, rule="A-28", zh="效益数据不得由申报方自己的单位核实"):
    """A benefit is verified by another organisation than those that entered."""


@dataclass(frozen=True, kw_only=True)
class BenefitClaim:
    """Money that a project brought in, the receiver that verified it, and the SHA-256 of the document about it."""

    benefit_fen: int | None = None
    verified_by_id: str | None = None
    proof_sha256: str | None = None


def fit_to_count(claim: BenefitClaim | None, *, own_units: frozenset[str] = frozenset()) -> None:
    """Refuse a benefit that nobody but its claimants vouches for; none at all is refused too."""
    claim = claim or BenefitClaim()
    if None in (claim.benefit_fen, claim.verified_by_id, claim.proof_sha256):
        raise BenefitUnverified(**vars(claim))
    if claim.verified_by_id in own_units:
        raise BenefitVerifiedByEntrant(verified_by_id=claim.verified_by_id)
