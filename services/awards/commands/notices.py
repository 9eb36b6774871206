"""What is done with an award list, from its publication to the grant, and what edition and entries make of it."""

# ruff: noqa: ARG002 - every command is told by whom, and not every rule asks

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from services import contract
from services.awards import known
from services.awards.domain import edition, entry, notice, objection
from services.awards.domain.list_line import Results, results_of
from services.awards.schemas import notices as schemas
from services.awards.store import Editions, Entries, Notices, Objections, Rounds, ScoreSheets
from services.chassis.clock import SystemClock
from services.chassis.entrypoints import command
from services.chassis.listener import listens
from services.contract.event import Event
from services.kernel import Change


class NoticeCommands:
    editions: Editions
    entries: Entries
    notices: Notices
    objections: Objections
    rounds: Rounds
    sheets: ScoreSheets
    clock: SystemClock

    @command(contract.awards.Notice, schemas.PublishList, roles=("chair",))
    def publish_list(self, notice_id: str | None, *, edition_id: str, **stated: Any) -> Any:
        """Put the award list of an edition on public display, as it follows from results and the committee's minute."""
        held, entries = self.editions.get(edition_id), dict(self.entries.find(edition_id=edition_id))
        published = notice.publish(
            held,
            partial(self._results_of_rounds, edition_id, held, entries),
            edition_id=edition_id,
            entry_states={entry_id: one.state for entry_id, one in entries.items()},
            refuted=self._objected(edition_id, decision="upheld"),
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
            return notice.grant(
                held,
                self.editions.get(held.edition_id),
                contested=held.lines_of(self._objected(held.edition_id, state=objection.OPEN)),
                refuted=self._refuted(held),
                at=self.clock.now(),
                **granted,
            )

        return self.notices.change(notice_id, decide)

    @listens(contract.awards.Objection, "upheld")
    def strike_refuted(self, event: Event) -> None:
        """Take off the list what was rightly objected to."""
        self._strike(event.data["edition_id"])

    @listens(contract.awards.Entry, "disqualified")
    def strike_disqualified(self, event: Event) -> None:
        """Take off the list what was excluded since."""
        self._strike(event.data["edition_id"])

    @listens(contract.awards.Edition, "cancelled")
    def withdraw_with_edition(self, event: Event) -> None:
        """Take the list of an edition back that does not take place."""
        for notice_id, _ in self.notices.find(edition_id=event.record, state="published"):
            self.notices.change(notice_id, notice.withdraw_with_edition)

    @listens(contract.awards.Notice, "published", "granted", "withdrawn")
    def follow_list_with_edition(self, event: Event) -> None:
        """An edition is on publicity, granted, or deliberated again, by the list that stands now."""
        listed = Listed(self, event.data["edition_id"])
        self.editions.change(listed.edition_id, listed.follow_with_edition)

    @listens(contract.awards.Notice, *contract.awards.Notice.kind.happenings)
    def follow_list_with_entries(self, event: Event) -> None:
        """Every entry that the list may be about is as the list that stands now says."""
        listed = Listed(self, event.data["edition_id"])
        for entry_id, _ in self.entries.find(edition_id=listed.edition_id, state=entry.AWAITING_LIST):
            self.entries.change(entry_id, partial(listed.follow_with_entry, entry_id))

    @listens(contract.awards.Objection, "filed", "rejected_formal", "upheld", "dismissed")
    def follow_objection_with_entry(self, event: Event) -> None:
        """An entry is on hold as long as somebody objects to it."""
        listed = Listed(self, event.data["edition_id"])
        if entry_id := event.data["entry_id"]:
            self.entries.change(entry_id, partial(listed.follow_with_entry, entry_id))

    @listens(contract.awards.Entry, "publicised")
    def follow_list_further(self, event: Event) -> None:
        """An entry follows its list by one step at a time; where somebody objects, or it is granted, another is due."""
        edition_id = event.data["edition_id"]
        is_objected_to = self.objections.exists(edition_id=edition_id, entry_id=event.record)
        if is_objected_to or self.notices.exists(edition_id=edition_id, state="granted"):
            self.entries.change(event.record, partial(Listed(self, edition_id).follow_with_entry, event.record))

    def _strike(self, edition_id: str) -> None:
        for notice_id, _ in self.notices.find(edition_id=edition_id, state=notice.STANDING):
            self.notices.change(notice_id, lambda held: notice.strike(held, refuted=self._refuted(held)))

    def _objected(self, edition_id: str, **what: Any) -> frozenset[notice.Subject]:
        """Whose prizes such objections are about, to this list of the edition or to one that was withdrawn."""
        return frozenset(one.subject for _, one in self.objections.find(edition_id=edition_id, **what))

    def _refuted(self, held: notice.Notice) -> frozenset[int]:
        """The lines that were rightly objected to, or whose entry was disqualified since."""
        out = self.entries.find(edition_id=held.edition_id, state="disqualified")
        return held.lines_of(
            {("entry", entry_id) for entry_id, _ in out} | self._objected(held.edition_id, decision="upheld")
        )

    def _results_of_rounds(self, edition_id: str, held: edition.Edition, entries: Mapping[str, entry.Entry]) -> Results:
        rounds = known.rounds_of(self, edition_id)
        sheets = [one for _, one in self.sheets.find(edition_id=edition_id)]
        return results_of(rounds, edition=held, entries=entries, sheets=sheets)


class Listed:
    """The list of an edition that stands at each moment it is asked, with its objections.

    A list of a thousand lines is read anew only when it has changed, not for each of its entries.
    """

    def __init__(self, awards: NoticeCommands, edition_id: str) -> None:
        self.edition_id = edition_id
        self._notices, self._objections = awards.notices, awards.objections
        self._versions: Mapping[str, int] = {}
        self._read: list[tuple[str, notice.Notice]] = []

    def follow_with_edition(self, one: edition.Edition) -> Change[edition.Edition] | None:
        return edition.follow_list(one, to=notice.edition_state(self._standing()))

    def follow_with_entry(self, entry_id: str, one: entry.Entry) -> Change[entry.Entry] | None:
        standing = self._standing()
        if standing is None:
            return entry.follow_list(one, to=notice.entry_state(None, entry_id))
        told = [told for _, told in self._objections.find(edition_id=self.edition_id)]
        to = notice.entry_state(
            standing,
            entry_id,
            contested=standing.lines_of({one.subject for one in told if one.is_open}),
            refuted=standing.lines_of({one.subject for one in told if one.decision == "upheld"}),
        )
        return entry.follow_list(one, to=to)

    def _standing(self) -> notice.Notice | None:
        wanted = {"edition_id": self.edition_id, "state": notice.STANDING}
        versions = self._notices.versions(**wanted)
        if versions != self._versions:
            self._read, self._versions = self._notices.find(**wanted), versions
        return self._read[0][1] if self._read else None
