"""Commands about a round of judging, and its effects on edition, entries and sheets."""

# ruff: noqa: ARG002 - every command is told by whom, and not every rule asks

from __future__ import annotations

from functools import partial
from typing import Any

import msgspec

from services import contract
from services.awards import known
from services.awards.domain import disclosure, edition, entry, entry_result, judging_round, notice, score_sheet
from services.awards.domain.judged import Judged, undecided
from services.awards.domain.judging_round import Round
from services.awards.domain.ranking import Vote
from services.awards.domain.standing import Standings
from services.awards.schemas import rounds as schemas
from services.awards.store import ConflictRecords, Editions, Entries, EntryResults, Notices, Rounds, ScoreSheets
from services.chassis.clock import SystemClock
from services.chassis.entrypoints import command, question
from services.chassis.listener import listens
from services.chassis.tokens import STAFF
from services.contract.event import Event


class RoundCommands:
    """Commands, a question and listeners about rounds of judging."""

    editions: Editions
    conflicts: ConflictRecords
    entries: Entries
    rounds: Rounds
    entry_results: EntryResults
    notices: Notices
    sheets: ScoreSheets
    clock: SystemClock

    @command(contract.awards.Round, schemas.StartRound, roles=("chair",), states=())
    def start_round(self, round_id: str | None, *, edition_id: str, round_no: int, by: str) -> Any:
        """Let judges score, once every entry is decided on and has its judges."""
        entries = dict(self.entries.find(edition_id=edition_id))
        earlier = known.rounds_of(self, edition_id)
        sheets = self.sheets.find(edition_id=edition_id, round_no=round_no, state=score_sheet.OPEN)
        conflicts = self.conflicts.find(edition_id=edition_id)
        started = judging_round.start(
            self.editions.get(edition_id),
            edition_id=edition_id,
            round_no=round_no,
            earlier=earlier,
            entries=judging_round.candidates(earlier, entries, round_no=round_no),
            undecided=undecided(entries),
            seats=judging_round.seats((record for _, record in sheets), (record for _, record in conflicts)),
            today=self.clock.today(),
        )
        return self.rounds.add(started, round_id)

    @command(contract.awards.Round, schemas.ResolveTie, roles=("chair",), states=("open", "closed"))
    def resolve_tie(self, round_id: str, *, category_code: str, order: tuple[str, ...], minute_no: str, by: str) -> Any:
        """Order tied entries as the committee voted, by its minute."""
        resolve = partial(
            judging_round.resolve_tie,
            of=self._judged(round_id),
            category_code=category_code,
            vote=Vote(order=order, minute=minute_no),
            rested_on=self._is_rested_on(self.rounds.get(round_id)),
        )
        return self.rounds.change(round_id, resolve)

    @command(contract.awards.Round, schemas.CloseRound, roles=("chair",), states=("open",))
    def close_round(self, round_id: str, *, by: str) -> Any:
        """Close a round: the sheets are locked, the results computed, and the entries that go on are fixed."""
        return self.rounds.change(round_id, partial(judging_round.close, of=self._judged(round_id)))

    @command(contract.awards.Round, schemas.ReopenRound, roles=("chair",), states=("closing", "closed"))
    def reopen_round(self, round_id: str, *, reason: str, by: str) -> Any:
        """Let judges score again in a closed round, before a list rests on it."""
        round_ = self.rounds.get(round_id)
        reopen = partial(
            judging_round.reopen,
            edition=self.editions.get(round_.edition_id),
            rested_on=self._is_rested_on(round_),
            reason=reason,
        )
        return self.rounds.change(round_id, reopen)

    @question(schemas.ComputeResults, roles=STAFF)
    def compute_results(self, round_id: str, *, by: str) -> Any:
        """Compute a round anew from its sheets and compare it with the stored result; nothing is written."""
        round_, judged = self.rounds.get(round_id), self._judged(round_id)
        if round_.takes_scores:
            own = self.sheets.find(judge_id=by, edition_id=round_.edition_id, round_no=round_.round_no)
            disclosure.require_finished((sheet for _, sheet in own), judge_id=by)
        standings = judged.standings(round_.votes)
        return {
            "method": standings.method,
            "inputs_hash": standings.inputs_hash,
            "stands": standings.inputs_hash == round_.inputs_hash,
            "results": [msgspec.to_builtins(result) for result in self._results(round_, standings).values()],
        }

    @listens(contract.awards.Round, "closing")
    def settle_round(self, event: Event) -> None:
        """Lock the sheets of a round that takes no more scores, and compute it."""
        round_ = self.rounds.get(event.record)
        if round_.state == "closing":
            scored = self.sheets.find(edition_id=round_.edition_id, round_no=round_.round_no, state="scored")
            for sheet_id, _ in scored:
                self.sheets.change(sheet_id, partial(score_sheet.lock, now=self.clock.now()))
        settle = partial(judging_round.settle, of=self._judged(event.record), today=self.clock.today())
        self.rounds.change(event.record, settle)

    @listens(contract.awards.Round, "started", "closed", "reopened")
    def follow_rounds(self, event: Event) -> None:
        """Bring the edition and its entries in step with its newest round."""
        newest = known.rounds_of(self, event.data["edition_id"])[-1]
        self.editions.change(newest.edition_id, partial(edition.follow_rounds, to=newest.leads_edition_to))
        for entry_id in newest.entry_ids:
            self.entries.change(entry_id, partial(entry.follow_rounds, to=newest.leads_to(entry_id)))

    @listens(contract.awards.Entry, "decided")
    def take_up_late_entry(self, event: Event) -> None:
        """Judge an entry in the first round that was found eligible while it goes on."""
        rounds = known.rounds_of(self, event.data["edition_id"])
        if event.data["state"] == "eligible" and [round_.state for round_ in rounds] == ["open"]:
            self.entries.change(event.record, partial(entry.follow_rounds, to="in_review"))

    @listens(contract.awards.Round, "closed", "tie_resolved", "reopened")
    def keep_results(self, event: Event) -> None:
        """Record the result of each entry, as long as its round is closed."""
        round_ = self.rounds.get(event.record)
        computed = self._results(round_, self._closed_with(round_)) if round_.state == "closed" else {}
        for entry_id in round_.entry_ids:
            self.entry_results.follow(
                f"{event.record}.{entry_id}", event, partial(entry_result.follow, computed=computed.get(entry_id))
            )

    def _results(self, round_: Round, standings: Standings) -> dict[str, entry_result.EntryResult]:
        return entry_result.of_standings(
            standings,
            edition_id=round_.edition_id,
            round_no=round_.round_no,
            advanced=frozenset(round_.advanced_ids),
            disagreement=self.editions.get(round_.edition_id).disagreement,
        )

    def _closed_with(self, closed: Round) -> Standings:
        return judging_round.closed_with(
            known.rounds_of(self, closed.edition_id)[: closed.round_no],
            edition=self.editions.get(closed.edition_id),
            entries=dict(self.entries.find(edition_id=closed.edition_id)),
        )

    def _is_rested_on(self, judged: Round) -> bool:
        """True where a later round or a list uses its result."""
        is_listed = self.notices.exists(edition_id=judged.edition_id, state=notice.STANDING)
        return is_listed or any(later.round_no > judged.round_no for later in known.rounds_of(self, judged.edition_id))

    def _judged(self, round_id: str) -> Judged:
        round_ = self.rounds.get(round_id)
        return judging_round.gather(
            known.rounds_of(self, round_.edition_id)[: round_.round_no],
            edition=self.editions.get(round_.edition_id),
            entries=dict(self.entries.find(edition_id=round_.edition_id)),
            sheets=[sheet for _, sheet in self.sheets.find(edition_id=round_.edition_id)],
        )
