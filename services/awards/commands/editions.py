"""Commands about an edition, from its plan to the end of its submissions."""

# ruff: noqa: ARG002 - every command is told by whom, and not every rule asks

from __future__ import annotations

from functools import partial
from typing import Any

from services import contract
from services.awards.domain import edition, notice, rules
from services.awards.schemas import editions as schemas
from services.awards.store import Editions, Entries, GrantedAwards, Notices, Rounds
from services.chassis.clock import SystemClock
from services.chassis.entrypoints import command


class EditionCommands:
    """Commands about editions."""

    editions: Editions
    entries: Entries
    rounds: Rounds
    notices: Notices
    awards: GrantedAwards
    clock: SystemClock

    @command(contract.awards.Edition, schemas.CreateEdition, roles=("recorder", "chair"), states=())
    def create_edition(
        self,
        edition_id: str | None,
        *,
        programme_kind: Any,
        level: Any,
        edition_no: int,
        year: int,
        host_org_id: str,
        by: str,
        **stated: Any,
    ) -> Any:
        """Plan an edition of a programme: windows, categories with their rubrics, quotas, ties, publicity."""
        created = edition.create(
            programme_kind=programme_kind,
            level=level,
            edition_no=edition_no,
            year=year,
            host_org_id=host_org_id,
            rules=rules.state(programme_kind, **stated),
        )
        return self.editions.add(created, edition_id)

    @command(
        contract.awards.Edition,
        schemas.ReviseEdition,
        roles=("chair",),
        states=("planned", "announced", "collecting", "eligibility"),
    )
    def revise_edition(self, edition_id: str, *, reason: str, by: str, **stated: Any) -> Any:
        """Replace the rules of an edition as a whole; from the first score on they are fixed."""
        revised = rules.state(self.editions.get(edition_id).programme_kind, **stated)
        used = frozenset(entry.category_code for _, entry in self.entries.find(edition_id=edition_id))
        revise = partial(
            edition.revise,
            rules=revised,
            used_categories=used,
            reason=reason,
            is_judged=self.rounds.exists(edition_id=edition_id),
        )
        return self.editions.change(edition_id, revise)

    @command(contract.awards.Edition, schemas.AnnounceEdition, roles=("chair",), states=("planned",))
    def announce_edition(self, edition_id: str, *, by: str) -> Any:
        """Publish the call of an edition."""
        return self.editions.change(edition_id, edition.announce)

    @command(contract.awards.Edition, schemas.OpenEdition, roles=("recorder", "chair", "system"), states=("announced",))
    def open_edition(self, edition_id: str, *, by: str) -> Any:
        """Accept entries, from the first day of the window on."""
        return self.editions.change(edition_id, partial(edition.open, at=self.clock.now()))

    @command(contract.awards.Edition, schemas.CloseEdition, roles=("chair", "system"), states=("collecting",))
    def close_edition(self, edition_id: str, *, reason: str | None, by: str) -> Any:
        """Accept no more entries, after the last day of the window or, for a stated reason, before."""
        return self.editions.change(edition_id, partial(edition.close, reason=reason, at=self.clock.now()))

    @command(contract.awards.Edition, schemas.ArchiveEdition, roles=("recorder", "chair"), states=("granted",))
    def archive_edition(self, edition_id: str, *, by: str) -> Any:
        """Archive a granted edition, once every award has its certificate."""
        listed = self.notices.find(edition_id=edition_id, state=notice.STANDING)
        lines = sum(len(record.lines_left) for _, record in listed)
        settled = sum(record.is_settled for _, record in self.awards.find(edition_id=edition_id))
        return self.editions.change(edition_id, partial(edition.archive, uncertified=lines - settled))

    @command(
        contract.awards.Edition,
        schemas.CancelEdition,
        roles=("chair",),
        states=("planned", "announced", "collecting", "eligibility", "judging", "deliberation", "publicity"),
    )
    def cancel_edition(self, edition_id: str, *, reason: str, by: str) -> Any:
        """Cancel an edition that will not take place."""
        is_granted = self.notices.exists(edition_id=edition_id, state="granted")
        return self.editions.change(edition_id, partial(edition.cancel, reason=reason, is_granted=is_granted))
