"""The input of a round (评审依据): its entries, the sheets that count, and the results of the rounds before it.

Knows records by their content, not their storage: with an edition's records anybody computes its rounds again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from services.awards.domain import standing
from services.awards.domain.edition import Edition
from services.awards.domain.entry import UNDECIDED, Entry
from services.awards.domain.ranking import Vote
from services.awards.domain.score_sheet import ScoreSheet
from services.awards.domain.sheet import Sheet
from services.awards.domain.standing import Results, Standings


@dataclass(frozen=True, kw_only=True)
class Judged:
    """A round as its sheets show it; `out` are entries that were excluded after its entries had been fixed."""

    edition: Edition
    round_no: int
    entries: Mapping[str, str]  # with their categories
    sheets: Collection[Sheet]
    earlier: Sequence[Results] = ()
    out: Collection[str] = ()
    undecided: Collection[str] = ()

    def standings(self, votes: Iterable[Vote] = ()) -> Standings:
        """Compute the standings, with the committee's votes."""
        return standing.of_round(
            self.edition,
            round_no=self.round_no,
            entries=self.entries,
            sheets=self.sheets,
            earlier=self.earlier,
            votes=votes,
            out=self.out,
        )

    def advanced(self, votes: Iterable[Vote] = ()) -> tuple[str, ...]:
        """List the entries that go on; raises `BoundaryTie` where the committee has to vote first (A-19)."""
        return standing.advance(self.standings(votes), self.edition, round_no=self.round_no)


def judged(
    edition: Edition,
    *,
    round_no: int,
    ids: Collection[str],
    entries: Mapping[str, Entry],
    sheets: Iterable[ScoreSheet],
    earlier: Sequence[Results],
) -> Judged:
    """Assemble a round of these `ids`, from all entries and all sheets of its edition."""
    return Judged(
        edition=edition,
        round_no=round_no,
        entries={id_: entries[id_].category_code for id_ in ids},
        sheets=tuple(
            _sheet(sheet) for sheet in sheets if sheet.stands and sheet.round_no == round_no and sheet.entry_id in ids
        ),
        earlier=earlier,
        out=frozenset(id_ for id_ in ids if entries[id_].is_out),
        undecided=undecided(entries),
    )


def undecided(entries: Mapping[str, Entry]) -> frozenset[str]:
    """List the entries whose eligibility is not decided yet."""
    return frozenset(id_ for id_, entry in entries.items() if entry.state in UNDECIDED)


def _sheet(sheet: ScoreSheet) -> Sheet:
    return Sheet(entry_id=sheet.entry_id, judge_id=sheet.judge_id, scores=sheet.scores, version=len(sheet.versions))
