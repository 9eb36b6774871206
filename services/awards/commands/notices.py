"""What is done with an award list, from its publication to the grant, and what edition and entries make of it."""

# ruff: noqa: ARG002 - every command is told by whom, and not every rule asks

from __future__ import annotations

from functools import partial
from typing import Any

from services import contract
from services.awards.domain import edition, entry, notice, objection
from services.awards.domain.list_line import Results
from services.awards.schemas import notices as schemas
from services.awards.store import Editions, Entries, Notices, Objections
from services.chassis.clock import Clock
from services.chassis.service import command, listens
from services.contract.event import Event
from services.kernel import Change


class NoticeCommands:
    editions: Editions
    entries: Entries
    notices: Notices
    objections: Objections
    clock: Clock

    @command(contract.awards.Notice, schemas.PublishList, roles=("chair",))
    def publish_list(self, notice_id: str | None, *, edition_id: str, **stated: Any) -> Any:
        """Put the award list of an edition on public display, as it follows from results and the committee's minute."""
        entry_states = {entry_id: one.state for entry_id, one in self.entries.find(edition_id=edition_id)}
        published = notice.publish(
            self.editions.get(edition_id),
            self._results(edition_id),
            edition_id=edition_id,
            entry_states=entry_states,
            today=self.clock.today(),
            **stated,
        )
        return self.notices.add(published, notice_id)

    @command(contract.awards.Notice, schemas.WithdrawNotice, roles=("chair",))
    def withdraw_notice(self, notice_id: str, *, reason: str, by: str) -> Any:
        """Take a list back before a prize is granted; the committee deliberates again."""
        return self.notices.change(notice_id, partial(notice.withdraw, reason=reason))

    @command(contract.awards.Notice, schemas.Grant, roles=("chair",))
    def grant(self, notice_id: str, *, by: str, **granted: Any) -> Any:
        """Grant the prizes of a list after its publicity period; those objected to are held, and granted later."""

        def decide(held: notice.Notice) -> Change[notice.Notice]:
            contested = self._lines_objected_to(notice_id, state=objection.OPEN)
            return notice.grant(held, contested=contested, at=self.clock.now(), **granted)

        return self.notices.change(notice_id, decide)

    @listens(contract.awards.Objection, "filed", "rejected_formal", "upheld", "dismissed")
    def heed_objections(self, event: Event) -> None:
        """Hold what is objected to; release it, or strike it, once that is decided."""
        notice_id = event.data["notice_id"]

        def decide(held: notice.Notice) -> Change[notice.Notice] | None:
            contested = self._lines_objected_to(notice_id, state=objection.OPEN)
            return notice.heed(held, contested=contested, refuted=self._lines_objected_to(notice_id, decision="upheld"))

        self.notices.change(notice_id, decide)

    @listens(contract.awards.Notice, "published", "granted", "withdrawn")
    def follow_list_with_edition(self, event: Event) -> None:
        """An edition is on publicity, granted, or deliberated again, by the list that stands now."""
        edition_id = event.data["edition_id"]
        self.editions.change(
            edition_id, lambda one: edition.follow_list(one, to=notice.edition_state(self._standing(edition_id)))
        )

    @listens(contract.awards.Notice, *contract.awards.Notice.kind.happenings)
    def follow_list_with_entries(self, event: Event) -> None:
        """Every entry that the list may be about is as the list that stands now says."""
        edition_id = event.data["edition_id"]
        for entry_id, _ in self.entries.find(edition_id=edition_id, state=entry.AWAITING_LIST):
            self.entries.change(entry_id, partial(self._follow_list, entry_id=entry_id))

    def _follow_list(self, one: entry.Entry, *, entry_id: str) -> Change[entry.Entry] | None:
        return entry.follow_list(one, to=notice.entry_state(self._standing(one.edition_id), entry_id))

    def _standing(self, edition_id: str) -> notice.Notice | None:
        found = self.notices.find(edition_id=edition_id, state=notice.STANDING)
        return found[0][1] if found else None

    def _lines_objected_to(self, notice_id: str, **wanted: Any) -> frozenset[int]:
        found = self.objections.find(notice_id=notice_id, **wanted)
        return frozenset(one.line_no for _, one in found)

    def _results(self, edition_id: str) -> Results:
        raise NotImplementedError
