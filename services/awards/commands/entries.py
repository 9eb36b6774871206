"""Commands about an entry, from its submission to the decision whether it is judged."""

# ruff: noqa: ARG002 - every command is told by whom, and not every rule asks

from __future__ import annotations

import secrets
from contextlib import suppress
from functools import partial
from typing import Any

from services import contract
from services.awards.domain import edition, eligibility, entry, entry_row
from services.awards.domain.material import Material
from services.awards.schemas import entries as schemas
from services.awards.store import Editions, Entries, Rounds
from services.chassis.clock import SystemClock
from services.chassis.entrypoints import command


class EntryCommands:
    """Commands about entries."""

    editions: Editions
    entries: Entries
    rounds: Rounds
    clock: SystemClock

    @command(contract.awards.Entry, schemas.SubmitEntry, roles=("recorder",), states=())
    def submit_entry(
        self,
        entry_id: str | None,
        *,
        edition_id: str,
        nominating_unit_id: str,
        district: str | None,
        by: str,
        **handed_in: Any,
    ) -> Any:
        """Enter a work, a person or an organisation in an edition, through the unit that nominates it."""
        return self._submit(
            entry_id, edition_id, nominating_unit_id, district=district, material=Material(**handed_in), by=by
        )

    @command(contract.awards.Entry, schemas.ImportEntry, roles=("recorder",), adds=True)
    def import_entry(
        self,
        entry_id: str | None,
        *,
        edition_id: str,
        nominating_unit_id: str,
        district: str | None,
        by: str,
        **row: Any,
    ) -> Any:
        """Enter one row of a sheet, with up to three entrants of one place and stage."""
        material = entry_row.material(district=district, **row)
        return self._submit(entry_id, edition_id, nominating_unit_id, district=district, material=material, by=by)

    @command(contract.awards.Entry, schemas.ReturnEntry, roles=("verifier",), states=("submitted",))
    def return_entry(self, entry_id: str, *, by: str, **returned: Any) -> Any:
        """Return an entry for its shortcomings, to be corrected by the end of a day."""
        send_back = partial(
            eligibility.send_back, edition=self._edition_of(entry_id), today=self.clock.today(), **returned
        )
        return self.entries.change(entry_id, send_back)

    @command(contract.awards.Entry, schemas.ResubmitEntry, roles=("recorder",), states=("returned",))
    def resubmit_entry(self, entry_id: str, *, by: str, **handed_in: Any) -> Any:
        """Hand in a returned entry again, corrected, with the same entrants or fewer."""
        resubmit = partial(
            entry.resubmit,
            edition=self._edition_of(entry_id),
            material=Material(**handed_in),
            at=self.clock.now(),
            by=by,
        )
        return self.entries.change(entry_id, resubmit)

    @command(contract.awards.Entry, schemas.CheckEligibility, roles=("verifier",), states=("submitted",))
    def check_eligibility(self, entry_id: str, **decided: Any) -> Any:
        """Find an entry eligible or not, with reasons; it is compared with the other entries of its programme."""
        checked = self.entries.get(entry_id)
        others = [other for other in self.entries.find(programme_kind=checked.programme_kind) if other[0] != entry_id]
        decide = partial(
            eligibility.decide,
            edition=self.editions.get(checked.edition_id),
            others=others,
            **decided,
        )
        return self.entries.change(entry_id, decide)

    @command(
        contract.awards.Entry, schemas.WithdrawEntry, roles=("recorder",), states=("submitted", "returned", "eligible")
    )
    def withdraw_entry(self, entry_id: str, *, reason: str, by: str) -> Any:
        """Withdraw an entry before judging starts."""
        edition_id = self.entries.get(entry_id).edition_id
        withdraw = partial(
            entry.withdraw,
            edition=self.editions.get(edition_id),
            reason=reason,
            is_judged=self.rounds.exists(edition_id=edition_id),
        )
        return self.entries.change(entry_id, withdraw)

    @command(
        contract.awards.Entry,
        schemas.DisqualifyEntry,
        roles=("chair",),
        states=(
            "submitted",
            "returned",
            "eligible",
            "in_review",
            "shortlisted",
            "eliminated",
            "proposed",
            "on_publicity",
            "on_hold",
        ),
    )
    def disqualify_entry(self, entry_id: str, *, reason: str, by: str) -> Any:
        """Exclude an entry for the conduct of its entrants."""
        return self.entries.change(entry_id, partial(entry.disqualify, reason=reason))

    def _submit(
        self, entry_id: str | None, edition_id: str, nominating_unit_id: str, *, material: Material, **how: Any
    ) -> Any:
        """Submit it in a free place of its unit's quota."""
        edition = self.editions.get(edition_id)
        submitted = entry.submit(
            edition,
            edition_id=edition_id,
            material=material,
            nominating_unit_id=nominating_unit_id,
            blind_code=entry.blind_code(secrets.token_bytes(entry.CODE_LENGTH)),
            at=self.clock.now(),
            **how,
        )
        nominated = self.entries.find(edition_id=edition_id, nominating_unit_id=nominating_unit_id, state=entry.HOLDING)
        for placed in entry.placed(submitted, edition, nominated=[nominee for _, nominee in nominated]):
            with suppress(entry.PlaceTaken):  # somebody else took it at this very moment: try the next one
                return self.entries.add(placed, entry_id)
        raise entry.UnitQuotaFull(nominating_unit_id=nominating_unit_id)

    def _edition_of(self, entry_id: str) -> edition.Edition:
        return self.editions.get(self.entries.get(entry_id).edition_id)
