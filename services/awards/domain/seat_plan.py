"""Seat plans (分配方案): a round's proposal, kept until the chair confirms it and the judges are told.

Proposing again replaces the plan, also after it was confirmed: sheets follow the confirmed plan, and a sheet that a
judge has begun goes on filling its seat.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from services.awards.domain import edition as editions
from services.awards.domain import entry as entries_of
from services.awards.domain import judge as judges_of
from services.awards.domain import score_sheet
from services.awards.domain.assignment import Pair, Proposal
from services.awards.domain.conflict import ConflictStands
from services.awards.domain.edition import Edition
from services.awards.domain.entry import Entry
from services.awards.domain.judge import Judge
from services.awards.domain.score_sheet import ScoreSheet
from services.contract.awards import Load, Uncovered
from services.kernel import Change, Lifecycle, Refusal

LIFECYCLE = Lifecycle(proposed=("proposed", "confirmed"), confirmed=("proposed",))
SHOWN = 100  # uncovered entries that are named
TAKEN_UP = {True: ("eligible", "in_review"), False: ("shortlisted", "in_review")}
"""The states of entries that are scored, in the first round and in a later one."""


class SeatsShort(Refusal, rule="A-17", zh="有申报项目的评委人数少于该类别最少评分数"):
    """Every entry is given to as many judges as its category needs scores."""


@dataclass(frozen=True, kw_only=True)
class Seats:
    """The entries of one judge."""

    judge_id: str
    entry_ids: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Assignment:
    """The judges of a round's entries."""

    edition_id: str
    round_no: int
    per_entry: int
    seed: int
    due_on: date | None
    entry_count: int
    seats: tuple[Seats, ...]
    held_count: int
    struck_count: int
    off_discipline_count: int
    uncovered_count: int
    uncovered: tuple[Uncovered, ...]
    loads: tuple[Load, ...]
    state: str = "proposed"

    @property
    def pairs(self) -> frozenset[Pair]:
        """(judge, entry) of every seat."""
        return frozenset(Pair(seats.judge_id, entry_id) for seats in self.seats for entry_id in seats.entry_ids)

    @property
    def seat_count(self) -> int:
        """The number of filled seats."""
        return sum(len(seats.entry_ids) for seats in self.seats)


def assignment_id(*, edition_id: str, round_no: int) -> str:
    """The id of the one plan for each round."""
    return f"{edition_id}.{round_no}"


def states_taken_up(round_no: int) -> tuple[str, ...]:
    """The states in which entries are scored in this round."""
    return TAKEN_UP[round_no == 1]


def disciplines(entries: Iterable[tuple[str, Entry]], judges: Iterable[Judge]) -> dict[str, str | None]:
    """The discipline that each entry asks of its judges: its category, where a judge knows it; else any will do."""
    known = {discipline for judge in judges for discipline in judge.discipline_codes}
    return {entry_id: entry.category_code if entry.category_code in known else None for entry_id, entry in entries}


def draw_up(
    former: Assignment | None,
    *,
    edition: Edition,
    edition_id: str,
    round_no: int,
    per_entry: int,
    seed: int,
    due_on: date | None,
    entry_count: int,
    proposal: Proposal,
) -> Change[Assignment]:
    """Keep a proposal in the place of an earlier one."""
    editions.LIFECYCLE.require(edition.state, "eligibility", "judging")
    state = LIFECYCLE.move(former.state, "proposed") if former else "proposed"

    plan = Assignment(
        edition_id=edition_id,
        round_no=round_no,
        per_entry=per_entry,
        seed=seed,
        due_on=due_on,
        entry_count=entry_count,
        seats=_by_judge(proposal.pairs),
        held_count=len(proposal.pairs) - len(proposal.added),
        struck_count=len(proposal.struck),
        off_discipline_count=len(proposal.off_discipline),
        uncovered_count=len(proposal.uncovered),
        uncovered=proposal.uncovered[:SHOWN],
        loads=tuple(Load(judge_id=judge_id, entries=load) for judge_id, load in proposal.loads.items()),
        state=state,
    )
    return Change(plan, "proposed")


def confirm(
    plan: Assignment, *, edition: Edition, entries: Mapping[str, Entry], conflicts: Collection[tuple[str, str]]
) -> Change[Assignment]:
    """Confirm a plan, by the present knowledge of the entries to be scored and of their judges."""
    state = LIFECYCLE.move(plan.state, "confirmed")
    editions.LIFECYCLE.require(edition.state, "eligibility", "judging")
    if against := sorted(pair for pair in plan.pairs if pair in conflicts):
        raise ConflictStands(judge_id=against[0].judge_id, entry_id=against[0].entry_id, seats=len(against))
    covered = Counter(pair.entry_id for pair in plan.pairs)
    needs = {category.category_code: category.min_scores for category in edition.categories}
    if short := sorted(id_ for id_, entry in entries.items() if covered[id_] < needs[entry.category_code]):
        raise SeatsShort(entry_id=short[0], entries=len(short))

    return Change(replace(plan, state=state), "confirmed")


def seat_by_chair(sheet: ScoreSheet | None, *, entry: Entry, judge: Judge, **how: Any) -> Change[ScoreSheet]:
    """Give an entry that is scored to a judge who can be asked, whatever was planned."""
    entries_of.LIFECYCLE.require(entry.state, *states_taken_up(how["round_no"]))
    judges_of.LIFECYCLE.require(judge.state, "active")

    return score_sheet.seat(sheet, by_chair=True, **how)


def _by_judge(pairs: Iterable[Pair]) -> tuple[Seats, ...]:
    entries: dict[str, list[str]] = {}
    for judge_id, entry_id in sorted(pairs):
        entries.setdefault(judge_id, []).append(entry_id)
    return tuple(Seats(judge_id=judge_id, entry_ids=tuple(entry_ids)) for judge_id, entry_ids in entries.items())
