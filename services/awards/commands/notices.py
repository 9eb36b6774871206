"""Commands about an award list, from its publication to the grant, and their effects on edition and entries."""

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
    """Commands and listeners about award lists."""

    editions: Editions
    entries: Entries
    notices: Notices
    objections: Objections
    rounds: Rounds
    sheets: ScoreSheets
    clock: SystemClock

    @command(contract.awards.Notice, schemas.PublishList, roles=("chair",), states=())
    def publish_list(self, notice_id: str | None, *, edition_id: str, **stated: Any) -> Any:
        """Publish the award list of an edition, as it follows from the results and the committee's minute."""
        rules, entries = self.editions.get(edition_id), dict(self.entries.find(edition_id=edition_id))
        published = notice.publish(
            rules,
            partial(self._results_of_rounds, edition_id, rules, entries),
            edition_id=edition_id,
            entry_states={entry_id: candidate.state for entry_id, candidate in entries.items()},
            refuted=self._objected(edition_id, decision="upheld"),
            today=self.clock.today(),
            **stated,
        )
        return self.notices.add(published, notice_id)

    @command(contract.awards.Notice, schemas.WithdrawNotice, roles=("chair",), states=("published",))
    def withdraw_notice(self, notice_id: str, *, reason: str, by: str) -> Any:
        """Withdraw a list before a prize is granted; the committee deliberates again."""
        return self.notices.change(notice_id, partial(notice.withdraw, reason=reason))

    @command(contract.awards.Notice, schemas.Grant, roles=("chair",), states=("published", "granted"))
    def grant(self, notice_id: str, *, by: str, **granted: Any) -> Any:
        """Grant the prizes of a list after its publicity period; those objected to are held, and granted later."""

        def decide(listed: notice.Notice) -> Change[notice.Notice]:
            return notice.grant(
                listed,
                self.editions.get(listed.edition_id),
                contested=listed.lines_of(self._objected(listed.edition_id, state=objection.OPEN)),
                refuted=self._refuted(listed),
                at=self.clock.now(),
                **granted,
            )

        return self.notices.change(notice_id, decide)

    @listens(contract.awards.Objection, "upheld")
    def strike_refuted(self, event: Event) -> None:
        """Strike the lines whose objection was upheld."""
        self._strike(event.data["edition_id"])

    @listens(contract.awards.Entry, "disqualified")
    def strike_disqualified(self, event: Event) -> None:
        """Strike the lines of entries that were disqualified since."""
        self._strike(event.data["edition_id"])

    @listens(contract.awards.Edition, "cancelled")
    def withdraw_with_edition(self, event: Event) -> None:
        """Withdraw the list of an edition that was cancelled."""
        for notice_id, _ in self.notices.find(edition_id=event.record, state="published"):
            self.notices.change(notice_id, notice.withdraw_with_edition)

    @listens(contract.awards.Notice, "published", "granted", "withdrawn")
    def follow_list_with_edition(self, event: Event) -> None:
        """Keep the edition in step with its standing list: on publicity, granted, or deliberated again."""
        listed = Listed(self, event.data["edition_id"])
        self.editions.change(listed.edition_id, listed.follow_with_edition)

    @listens(contract.awards.Notice, *contract.awards.Notice.kind.happenings)
    def follow_list_with_entries(self, event: Event) -> None:
        """Keep every entry that the list may be about in step with the standing list."""
        listed = Listed(self, event.data["edition_id"])
        for entry_id, _ in self.entries.find(edition_id=listed.edition_id, state=entry.AWAITING_LIST):
            self.entries.change(entry_id, partial(listed.follow_with_entry, entry_id))

    @listens(contract.awards.Objection, "filed", "rejected_formal", "upheld", "dismissed")
    def follow_objection_with_entry(self, event: Event) -> None:
        """Hold an entry for as long as an objection to it is open."""
        listed = Listed(self, event.data["edition_id"])
        if entry_id := event.data["entry_id"]:
            self.entries.change(entry_id, partial(listed.follow_with_entry, entry_id))

    @listens(contract.awards.Entry, "publicised")
    def follow_list_further(self, event: Event) -> None:
        """Take an entry one more step after its list, which objections and grants may need."""
        edition_id = event.data["edition_id"]
        is_objected_to = self.objections.exists(edition_id=edition_id, entry_id=event.record)
        if is_objected_to or self.notices.exists(edition_id=edition_id, state="granted"):
            self.entries.change(event.record, partial(Listed(self, edition_id).follow_with_entry, event.record))

    def _strike(self, edition_id: str) -> None:
        for notice_id, _ in self.notices.find(edition_id=edition_id, state=notice.STANDING):
            self.notices.change(notice_id, lambda listed: notice.strike(listed, refuted=self._refuted(listed)))

    def _objected(self, edition_id: str, **what: Any) -> frozenset[notice.Subject]:
        """The subjects of open objections, to this list of the edition or to a withdrawn one."""
        return frozenset(filed.subject for _, filed in self.objections.find(edition_id=edition_id, **what))

    def _refuted(self, listed: notice.Notice) -> frozenset[int]:
        """The lines whose objection was upheld, or whose entry was disqualified since."""
        out = self.entries.find(edition_id=listed.edition_id, state="disqualified")
        return listed.lines_of(
            {("entry", entry_id) for entry_id, _ in out} | self._objected(listed.edition_id, decision="upheld")
        )

    def _results_of_rounds(
        self, edition_id: str, rules: edition.Edition, entries: Mapping[str, entry.Entry]
    ) -> Results:
        rounds = known.rounds_of(self, edition_id)
        sheets = [sheet for _, sheet in self.sheets.find(edition_id=edition_id)]
        return results_of(rounds, edition=rules, entries=entries, sheets=sheets)


class Listed:
    """The standing list of an edition with its objections, up to date at each use.

    A list of a thousand lines is read anew only when it has changed, not for each of its entries.
    """

    def __init__(self, awards: NoticeCommands, edition_id: str) -> None:
        self.edition_id = edition_id
        self._notices, self._objections = awards.notices, awards.objections
        self._versions: Mapping[str, int] = {}
        self._read: list[tuple[str, notice.Notice]] = []

    def follow_with_edition(self, followed: edition.Edition) -> Change[edition.Edition] | None:
        """Bring an edition one step further by the list."""
        return edition.follow_list(followed, to=notice.edition_state(self._standing()))

    def follow_with_entry(self, entry_id: str, followed: entry.Entry) -> Change[entry.Entry] | None:
        """Bring an entry one step further by the list."""
        standing = self._standing()
        if standing is None:
            return entry.follow_list(followed, to=notice.entry_state(None, entry_id))
        filed = [filed for _, filed in self._objections.find(edition_id=self.edition_id)]
        to = notice.entry_state(
            standing,
            entry_id,
            contested=standing.lines_of({objection.subject for objection in filed if objection.is_open}),
            refuted=standing.lines_of({objection.subject for objection in filed if objection.decision == "upheld"}),
        )
        return entry.follow_list(followed, to=to)

    def _standing(self) -> notice.Notice | None:
        standing = {"edition_id": self.edition_id, "state": notice.STANDING}
        versions = self._notices.versions(**standing)
        if versions != self._versions:
            self._read, self._versions = self._notices.find(**standing), versions
        return self._read[0][1] if self._read else None
