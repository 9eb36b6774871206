"""Commands that nominate winners for the contest above, up to its result there (A-08)."""

# ruff: noqa: ARG002 - every command is told by whom, and not every rule asks

from __future__ import annotations

from functools import partial
from typing import Any

from services import contract
from services.awards.domain import nomination, nomination_call
from services.awards.schemas import nominations as schemas
from services.awards.store import Editions, Entries, ExternalResults, NominationCalls, Nominations
from services.chassis.clock import SystemClock
from services.chassis.entrypoints import command
from services.chassis.listener import listens
from services.contract.event import Event


class NominationCommands:
    """Commands and listeners about nominations."""

    editions: Editions
    entries: Entries
    external_results: ExternalResults
    nomination_calls: NominationCalls
    nominations: Nominations
    clock: SystemClock

    @command(contract.awards.NominationCall, schemas.OpenNominationCall, roles=("chair",), states=())
    def open_nomination_call(self, call_id: str | None, *, from_edition_id: str, by: str, **called: Any) -> Any:
        """Record how many entries of an edition may go on to the contest above, and by which document."""
        opened = nomination_call.open(self.editions.get(from_edition_id), from_edition_id=from_edition_id, **called)
        return self.nomination_calls.add(opened, call_id)

    @command(contract.awards.NominationCall, schemas.CloseNominationCall, roles=("chair",), states=("open",))
    def close_nomination_call(self, call_id: str, *, reason: str, by: str) -> Any:
        """Nominate no more by a call; existing nominations go on."""
        return self.nomination_calls.change(call_id, partial(nomination_call.close, reason=reason))

    @command(contract.awards.Nomination, schemas.NominateEntry, roles=("recorder",), adds=True)
    def nominate_entry(self, nomination_id: str | None, *, entry_id: str, call_id: str, **slot: Any) -> Any:
        """Nominate a winner in a slot of the quota."""
        won = [prize for _, prize in self.external_results.find(entry_id=entry_id)]
        drafted = nomination.nominate(
            self.entries.get(entry_id),
            self.nomination_calls.get(call_id),
            entry_id=entry_id,
            call_id=call_id,
            won=won,
            **slot,
        )
        return self.nominations.add(drafted, nomination_id)

    @command(
        contract.awards.Nomination,
        schemas.WithdrawNomination,
        roles=("recorder", "chair"),
        states=("drafted", "sealed", "returned_above"),
    )
    def withdraw_nomination(self, nomination_id: str, *, reason: str, by: str) -> Any:
        """Leave a slot to another entry: one that is not sealed, or whose entry is no longer a winner."""
        withdraw = partial(nomination.withdraw, entry=self._nominated(nomination_id), reason=reason)
        return self.nominations.change(nomination_id, withdraw)

    @command(contract.awards.Nomination, schemas.SealNomination, roles=("chair",), states=("drafted",))
    def seal_nomination(self, nomination_id: str, *, by: str) -> Any:
        """Seal a nomination: slot and entry stay as they are."""
        seal = partial(nomination.seal, entry=self._nominated(nomination_id), at=self.clock.now(), by=by)
        return self.nominations.change(nomination_id, seal)

    @command(
        contract.awards.Nomination, schemas.SendNomination, roles=("recorder",), states=("sealed", "returned_above")
    )
    def send_nomination(self, nomination_id: str, *, by: str) -> Any:
        """Hand a sealed nomination in above, or a returned one again."""
        send = partial(nomination.send_up, entry=self._nominated(nomination_id), today=self.clock.today())
        return self.nominations.change(nomination_id, send)

    @command(contract.awards.Nomination, schemas.AcceptNomination, roles=("recorder",), states=("sent_up",))
    def accept_nomination(self, nomination_id: str, *, by: str) -> Any:
        """Note that the contest above accepted a nomination."""
        return self.nominations.change(nomination_id, nomination.accept_above)

    @command(contract.awards.Nomination, schemas.ReturnNomination, roles=("recorder",), states=("sent_up",))
    def return_nomination(self, nomination_id: str, *, reason: str, by: str) -> Any:
        """Note that the contest above returned a nomination, and why."""
        return self.nominations.change(nomination_id, partial(nomination.return_above, reason=reason))

    @command(contract.awards.Nomination, schemas.ConcludeNomination, roles=("verifier",), states=("accepted_above",))
    def conclude_nomination(self, nomination_id: str, *, by: str) -> Any:
        """Note that a nomination won nothing; a prize is reported and verified instead."""
        return self.nominations.change(nomination_id, nomination.conclude)

    @listens(contract.awards.ExternalResult, "verified")
    def heed_result(self, event: Event) -> None:
        """Make a verified prize the result of the nomination that won it."""
        if event.data["entry_id"] is not None:
            for nomination_id, _ in self.nominations.find(entry_id=event.data["entry_id"], state="accepted_above"):
                self._heed_results(nomination_id)

    @listens(contract.awards.Nomination, "accepted_above")
    def heed_earlier_result(self, event: Event) -> None:
        """Find a prize that was verified before the acceptance above was noted."""
        self._heed_results(event.record)

    def _heed_results(self, nomination_id: str) -> None:
        results = self.external_results.find(entry_id=self.nominations.get(nomination_id).entry_id)
        self.nominations.change(nomination_id, partial(nomination.heed, results=results))

    def _nominated(self, nomination_id: str) -> Any:
        return self.entries.get(self.nominations.get(nomination_id).entry_id)
