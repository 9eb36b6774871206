"""What is done with a round of judging, and what follows from it for its edition, its entries and its sheets."""

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
from services.awards.store import Conflicts, Editions, Entries, EntryResults, Notices, Rounds, ScoreSheets
from services.chassis.clock import SystemClock
from services.chassis.entrypoints import command, question
from services.chassis.listener import listens
from services.chassis.tokens import STAFF
from services.contract.event import Event


class RoundCommands:
    editions: Editions
    conflicts: Conflicts
    entries: Entries
    rounds: Rounds
    entry_results: EntryResults
    notices: Notices
    sheets: ScoreSheets
    clock: SystemClock

    @command(contract.awards.Round, schemas.StartRound, roles=("chair",))
    def start_round(self, round_id: str | None, *, edition_id: str, round_no: int, by: str) -> Any:
        """Let judges score, once every entry was decided about and has its judges."""
        entries = dict(self.entries.find(edition_id=edition_id))
        earlier = known.rounds_of(self, edition_id)
        told = self.sheets.find(edition_id=edition_id, round_no=round_no, state=score_sheet.OPEN)
        conflicts = self.conflicts.find(edition_id=edition_id)
        started = judging_round.start(
            self.editions.get(edition_id),
            edition_id=edition_id,
            round_no=round_no,
            earlier=earlier,
            entries=judging_round.candidates(earlier, entries, round_no=round_no),
            undecided=undecided(entries),
            seats=judging_round.seats((one for _, one in told), (one for _, one in conflicts)),
            today=self.clock.today(),
        )
        return self.rounds.add(started, round_id)

    @command(contract.awards.Round, schemas.ResolveTie, roles=("chair",))
    def resolve_tie(self, round_id: str, *, category_code: str, order: tuple[str, ...], minute_no: str, by: str) -> Any:
        """Put entries that are tied in the order that the committee voted for, by its minute."""
        resolve = partial(
            judging_round.resolve_tie,
            of=self._judged(round_id),
            category_code=category_code,
            vote=Vote(order=order, minute=minute_no),
            rested_on=self._is_rested_on(self.rounds.get(round_id)),
        )
        return self.rounds.change(round_id, resolve)

    @command(contract.awards.Round, schemas.CloseRound, roles=("chair",))
    def close_round(self, round_id: str, *, by: str) -> Any:
        """Take no more scores: the sheets are locked, the results computed, and it is fixed who goes on."""
        return self.rounds.change(round_id, partial(judging_round.close, of=self._judged(round_id)))

    @command(contract.awards.Round, schemas.ReopenRound, roles=("chair",))
    def reopen_round(self, round_id: str, *, reason: str, by: str) -> Any:
        """Let judges score again in a closed round, before a list rests on it."""
        held = self.rounds.get(round_id)
        reopen = partial(
            judging_round.reopen,
            edition=self.editions.get(held.edition_id),
            rested_on=self._is_rested_on(held),
            reason=reason,
        )
        return self.rounds.change(round_id, reopen)

    @question(schemas.ComputeResults, roles=STAFF)
    def compute_results(self, round_id: str, *, by: str) -> Any:
        """A round computed anew from its sheets, and whether that is what stands; nothing is written."""
        held, judged = self.rounds.get(round_id), self._judged(round_id)
        if held.takes_scores:
            own = self.sheets.find(judge_id=by, edition_id=held.edition_id, round_no=held.round_no)
            disclosure.require_finished((one for _, one in own), judge_id=by)
        standings = judged.standings(held.votes)
        return {
            "method": standings.method,
            "inputs_hash": standings.inputs_hash,
            "stands": standings.inputs_hash == held.inputs_hash,
            "results": [msgspec.to_builtins(one) for one in self._results(held, standings).values()],
        }

    @listens(contract.awards.Round, "closing")
    def settle_round(self, event: Event) -> None:
        """Lock the sheets of a round that takes no more scores, and compute it."""
        held = self.rounds.get(event.record)
        if held.state == "closing":
            scored = self.sheets.find(edition_id=held.edition_id, round_no=held.round_no, state="scored")
            for sheet_id, _ in scored:
                self.sheets.change(sheet_id, partial(score_sheet.lock, now=self.clock.now()))
        settle = partial(judging_round.settle, of=self._judged(event.record), today=self.clock.today())
        self.rounds.change(event.record, settle)

    @listens(contract.awards.Round, "started", "closed", "reopened")
    def follow_rounds(self, event: Event) -> None:
        """Bring the edition and its entries to where its newest round has come."""
        newest = known.rounds_of(self, event.data["edition_id"])[-1]
        self.editions.change(newest.edition_id, partial(edition.follow_rounds, to=newest.leads_edition_to))
        for entry_id in newest.entry_ids:
            self.entries.change(entry_id, partial(entry.follow_rounds, to=newest.leads_to(entry_id)))

    @listens(contract.awards.Entry, "decided")
    def take_up_late_entry(self, event: Event) -> None:
        """An entry that was found eligible while the first round goes on is judged in it."""
        held = known.rounds_of(self, event.data["edition_id"])
        if event.data["state"] == "eligible" and [one.state for one in held] == ["open"]:
            self.entries.change(event.record, partial(entry.follow_rounds, to="in_review"))

    @listens(contract.awards.Round, "closed", "tie_resolved", "reopened")
    def keep_results(self, event: Event) -> None:
        """Write down what each entry reached, as long as its round is closed."""
        held = self.rounds.get(event.record)
        computed = self._results(held, self._closed_with(held)) if held.state == "closed" else {}
        for entry_id in held.entry_ids:
            self.entry_results.follow(
                f"{event.record}.{entry_id}", event, partial(entry_result.follow, computed=computed.get(entry_id))
            )

    def _results(self, held: Round, standings: Standings) -> dict[str, entry_result.EntryResult]:
        return entry_result.of_standings(
            standings,
            edition_id=held.edition_id,
            round_no=held.round_no,
            advanced=frozenset(held.advanced_ids),
            disagreement=self.editions.get(held.edition_id).disagreement,
        )

    def _closed_with(self, held: Round) -> Standings:
        return judging_round.closed_with(
            known.rounds_of(self, held.edition_id)[: held.round_no],
            edition=self.editions.get(held.edition_id),
            entries=dict(self.entries.find(edition_id=held.edition_id)),
        )

    def _is_rested_on(self, held: Round) -> bool:
        """By a later round, or by a list."""
        is_listed = self.notices.exists(edition_id=held.edition_id, state=notice.STANDING)
        return is_listed or any(one.round_no > held.round_no for one in known.rounds_of(self, held.edition_id))

    def _judged(self, round_id: str) -> Judged:
        held = self.rounds.get(round_id)
        return judging_round.gather(
            known.rounds_of(self, held.edition_id)[: held.round_no],
            edition=self.editions.get(held.edition_id),
            entries=dict(self.entries.find(edition_id=held.edition_id)),
            sheets=[one for _, one in self.sheets.find(edition_id=held.edition_id)],
        )
