"""Entry results (项目评审结果): the figures of one entry in one closed round, for lookup."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal

from services.awards.domain.ranking import Place
from services.awards.domain.round_result import RoundResult, disagrees
from services.awards.domain.standing import Standings
from services.contract.awards import TieStep
from services.kernel import Change, Lifecycle

LIFECYCLE = Lifecycle(standing=("void",), void=("standing",))


@dataclass(frozen=True, kw_only=True)
class EntryResult:
    """Figures computed from the sheets of `inputs_hash`; void while its round is open again."""

    edition_id: str
    round_no: int
    entry_id: str
    category_code: str
    score_count: int
    raw_mean: Decimal
    adjusted: Decimal
    stdev: Decimal | None
    spread: Decimal | None
    unadjusted_count: int
    disputed: bool
    rank: int
    decided_by: TieStep | None
    advances: bool
    inputs_hash: str
    state: str = "standing"


def of_standings(
    standings: Standings, *, edition_id: str, round_no: int, advanced: frozenset[str], disagreement: int | None
) -> dict[str, EntryResult]:
    """Split the results of a round by entry."""
    places = {place.entry_id: (code, place) for code, listed in standings.places.items() for place in listed}
    limit = None if disagreement is None else Decimal(disagreement)
    return {
        entry_id: _of_place(
            places[entry_id],
            standings.results[entry_id],
            edition_id=edition_id,
            round_no=round_no,
            advances=entry_id in advanced,
            limit=limit,
            inputs_hash=standings.inputs_hash,
        )
        for entry_id in places
    }


def follow(stored: EntryResult | None, *, computed: EntryResult | None) -> Change[EntryResult] | None:
    """Record the computed result, or that none stands any more; None where that is known."""
    if computed is not None:
        return None if stored == computed else Change(computed, "computed")
    if stored is None or stored.state == "void":
        return None
    return Change(replace(stored, state=LIFECYCLE.move(stored.state, "void")), "voided")


def _of_place(
    placed: tuple[str, Place],
    result: RoundResult,
    *,
    edition_id: str,
    round_no: int,
    advances: bool,
    limit: Decimal | None,
    inputs_hash: str,
) -> EntryResult:
    category_code, place = placed
    return EntryResult(
        edition_id=edition_id,
        round_no=round_no,
        entry_id=place.entry_id,
        category_code=category_code,
        score_count=result.n,
        raw_mean=result.raw_mean,
        adjusted=place.adjusted,
        stdev=result.stdev,
        spread=result.spread,
        unadjusted_count=len(result.unadjusted_by),
        disputed=disagrees(result, spread=limit),
        rank=place.rank,
        decided_by=place.decided_by,
        advances=advances,
        inputs_hash=inputs_hash,
    )
