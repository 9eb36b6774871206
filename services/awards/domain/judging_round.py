"""Rounds (评审轮次): from the first score to the list of entries that go on.

A round is closed in two steps. First it takes no more scores; then, when its sheets are locked, it is computed, so that
no score can slip in between the count and the result.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from services.awards.domain import edition as editions
from services.awards.domain import standing
from services.awards.domain.conflict import Conflicts
from services.awards.domain.edition import Edition
from services.awards.domain.entry import Entry
from services.awards.domain.judged import Judged, judged
from services.awards.domain.ranking import Vote
from services.awards.domain.round_result import RoundResult, RoundResults
from services.awards.domain.score_sheet import ScoreSheet
from services.awards.domain.standing import Results, Standings
from services.contract.awards import ProgrammeKind
from services.kernel import Change, Lifecycle, Refusal

LIFECYCLE = Lifecycle(open=("closing",), closing=("closed", "open"), closed=("open",))


class RoundStarted(Refusal, rule="A-33", zh="该轮评审已开始"):
    """An edition has each of its rounds once."""


class NoSuchRound(Refusal, rule="A-33", zh="该届没有这一轮，或上一轮尚未结束"):
    """Rounds are held in their order, as many as the edition has."""


class StartedEarly(Refusal, rule="X-07", zh="未到该轮评审开始日期"):
    """A round starts on the first day of its window at the earliest."""


class Undecided(Refusal, rule="A-33", zh="仍有申报未完成资格审查"):
    """A round is held once every entry of its edition was found eligible or not."""


class NobodyToJudge(Refusal, rule="A-33", zh="没有可评审的申报"):
    """A round has entries."""


class SeatsEmpty(Refusal, rule="A-17", zh="有项目的评委人数不足，不能开始评审"):
    """A round starts once every entry has as many judges as its category asks for scores."""


class LaterRound(Refusal, rule="X-04", zh="下一轮已开始或名单已公示，不得重开本轮或裁定并列"):
    """A round is reopened or voted on as long as no later one has started and no list rests on it."""


@dataclass(frozen=True, kw_only=True)
class Round:
    """A round of an edition; its result can be computed again from its locked sheets.

    The figures it was closed with are kept for the rounds after it, which use them whatever becomes of its sheets then.
    """

    edition_id: str
    programme_kind: ProgrammeKind
    round_no: int
    is_last: bool
    entry_ids: tuple[str, ...]
    started_on: date
    votes: tuple[Vote, ...] = ()
    method: str | None = None
    inputs_hash: str | None = None
    reached: tuple[RoundResult, ...] = ()  # in this round alone
    advanced_ids: tuple[str, ...] = ()
    closed_on: date | None = None
    state: str = "open"

    @property
    def entry_count(self) -> int:
        """The number of its entries."""
        return len(self.entry_ids)

    @property
    def eliminated_count(self) -> int | None:
        """The number of its entries that do not go on; None before it is closed."""
        return len(self.entry_ids) - len(self.advanced_ids) if self.state == "closed" else None

    @property
    def results(self) -> Results:
        """The figures that it was closed with."""
        return {result.entry_id: result for result in self.reached}

    @property
    def takes_scores(self) -> bool:
        """True while it is open for scores."""
        return self.state == "open"

    def entries_of(self, entries: Mapping[str, Entry]) -> Collection[str]:
        """Its entries: fixed once it takes no more scores, until then without those that were excluded."""
        if not self.takes_scores:
            return self.entry_ids
        late = _eligible(entries) if self.round_no == 1 else ()
        return tuple(id_ for id_ in sorted({*self.entry_ids, *late}) if not entries[id_].is_out)

    def leads_to(self, entry_id: str) -> str:
        """The state of an entry of this round."""
        if self.state != "closed":
            return "in_review"
        if entry_id not in self.advanced_ids:
            return "eliminated"
        return "proposed" if self.is_last else "shortlisted"

    @property
    def leads_edition_to(self) -> str:
        """The state of the edition by this round."""
        return "deliberation" if self.state == "closed" and self.is_last else "judging"


def in_order(rounds: Iterable[Round]) -> list[Round]:
    """Sort the rounds of an edition, the first one first."""
    return sorted(rounds, key=lambda round_: round_.round_no)


def candidates(rounds: Sequence[Round], entries: Mapping[str, Entry], *, round_no: int) -> dict[str, Entry]:
    """List a round's entries: in the first round all eligible ones, then those that went on from the one before."""
    before = next((round_ for round_ in rounds if round_.round_no == round_no - 1), None)
    went_on = before.advanced_ids if before else ()
    ids = _eligible(entries) if round_no == 1 else went_on
    return {id_: entries[id_] for id_ in ids if not entries[id_].is_out}


def seats(sheets: Iterable[ScoreSheet], conflicts: Iterable[Conflicts]) -> Counter[str]:
    """Count the judges of each entry; one with a conflict fills no seat, even before it is heard of (A-09)."""
    against = {pair for barred in conflicts for pair in barred.pairs}
    return Counter(
        sheet.entry_id for sheet in sheets if sheet.flagged is None and (sheet.judge_id, sheet.entry_id) not in against
    )


def gather(
    rounds: Sequence[Round], *, edition: Edition, entries: Mapping[str, Entry], sheets: Collection[ScoreSheet]
) -> Judged:
    """Assemble the input of the last of these rounds; `entries` and `sheets` are all of the edition."""
    *earlier, last = rounds
    return judged(
        edition,
        round_no=last.round_no,
        ids=last.entries_of(entries),
        entries=entries,
        sheets=sheets,
        earlier=tuple(round_.results for round_ in earlier),
    )


def closed_with(rounds: Sequence[Round], *, edition: Edition, entries: Mapping[str, Entry]) -> Standings:
    """The standings of the last of these rounds, which is closed, whatever became of its sheets since."""
    *earlier, last = rounds
    return standing.of_results(
        edition,
        RoundResults(method=last.method or "", inputs_hash=last.inputs_hash or "", by_entry=last.results),
        round_no=last.round_no,
        entries={id_: entries[id_].category_code for id_ in last.entry_ids},
        earlier=tuple(round_.results for round_ in earlier),
        votes=last.votes,
        out=frozenset(id_ for id_ in last.entry_ids if entries[id_].is_out),
    )


def start(
    edition: Edition,
    *,
    edition_id: str,
    round_no: int,
    earlier: Collection[Round],
    entries: Mapping[str, Entry],
    undecided: Collection[str],
    seats: Mapping[str, int],
    today: date,
) -> Change[Round]:
    """Let judges score; `seats` has for each entry the number of judges who were told."""
    editions.LIFECYCLE.require(edition.state, "eligibility", "judging")
    closed = sum(round_.state == "closed" for round_ in earlier)
    if not round_no == len(earlier) + 1 == closed + 1 <= len(edition.judging):
        raise NoSuchRound(round_no=round_no, rounds=len(edition.judging), closed=closed)
    if today < edition.judging[round_no - 1].judge_from:
        raise StartedEarly(judge_from=edition.judging[round_no - 1].judge_from)
    _require_decided(undecided)
    if not entries:
        raise NobodyToJudge(edition_id=edition_id, round_no=round_no)
    _require_seats(edition, entries, seats)

    started = Round(
        edition_id=edition_id,
        programme_kind=edition.programme_kind,
        round_no=round_no,
        is_last=round_no == len(edition.judging),
        entry_ids=tuple(sorted(entries)),
        started_on=today,
    )
    return Change(started, "started")


def close(round_: Round, *, of: Judged) -> Change[Round]:
    """Take no more scores; the entries that go on are certain by the scores so far (A-17, A-19)."""
    state = LIFECYCLE.move(round_.state, "closing")
    _require_decided(of.undecided)
    of.advanced(round_.votes)

    return Change(replace(round_, entry_ids=tuple(sorted(of.entries)), state=state), "closing")


def settle(round_: Round, *, of: Judged, today: date) -> Change[Round] | None:
    """Compute a round whose sheets are locked; it goes on where the last moment has left too few of them."""
    if round_.state != "closing":
        return None

    try:
        standings, advanced = of.standings(round_.votes), of.advanced(round_.votes)
    except Refusal as refusal:
        return Change(replace(round_, state="open"), "reopened", str(refusal))
    closed = replace(
        round_,
        method=standings.method,
        inputs_hash=standings.inputs_hash,
        reached=tuple(standings.results.values()),
        advanced_ids=advanced,
        closed_on=today,
        state=LIFECYCLE.move(round_.state, "closed"),
    )
    return Change(closed, "closed")


def reopen(round_: Round, *, edition: Edition, rested_on: bool, reason: str) -> Change[Round]:
    """Let judges score again, for instance in place of one with a late conflict; locked sheets stay locked.

    `rested_on` by a later round or a list, whether or not the edition has heard of it.
    """
    state = LIFECYCLE.move(round_.state, "open")
    if rested_on or edition.state not in ("judging", "deliberation"):
        raise LaterRound(round_no=round_.round_no, edition=edition.state)

    anew = replace(
        round_, method=None, inputs_hash=None, reached=(), advanced_ids=(), closed_on=None, votes=(), state=state
    )
    return Change(anew, "reopened", reason)


def resolve_tie(round_: Round, *, of: Judged, category_code: str, vote: Vote, rested_on: bool = False) -> Change[Round]:
    """Order a tie as the committee voted (A-19); the vote holds as long as the tie does."""
    LIFECYCLE.require(round_.state, "open", "closed")
    if rested_on:
        raise LaterRound(round_no=round_.round_no)
    standing.with_vote(of.standings(round_.votes), vote, category_code=category_code)

    return Change(replace(round_, votes=(*round_.votes, vote)), "tie_resolved")


def _eligible(entries: Mapping[str, Entry]) -> tuple[str, ...]:
    """The entries of a first round: all that were found eligible, at whatever moment."""
    return tuple(id_ for id_, entry in entries.items() if entry.state in ("eligible", "in_review"))


def _require_decided(undecided: Collection[str]) -> None:
    if undecided:
        raise Undecided(entries=", ".join(sorted(undecided)))


def _require_seats(edition: Edition, entries: Mapping[str, Entry], seats: Mapping[str, int]) -> None:
    needed = {category.category_code: category.min_scores for category in edition.categories}
    short = sorted(id_ for id_, entry in entries.items() if seats.get(id_, 0) < needed[entry.category_code])
    if short:
        raise SeatsEmpty(entries=", ".join(short))
