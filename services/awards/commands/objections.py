"""Commands about an objection to an award list, from its filing to the answer."""

# ruff: noqa: ARG002 - every command is told by whom, and not every rule asks

from __future__ import annotations

from functools import partial
from typing import Any

import msgspec
from structlog import get_logger

from services import contract
from services.awards.domain import objection
from services.awards.domain.objection import Objector
from services.awards.schemas import objections as schemas
from services.awards.store import Entries, Notices, Objections, ScoreSheets
from services.chassis.clock import SystemClock
from services.chassis.entrypoints import command, question
from services.chassis.sealing import CheckedSeal
from services.kernel import Change

log = get_logger()


class ObjectionCommands:
    """Commands and a query about objections."""

    entries: Entries
    notices: Notices
    objections: Objections
    sheets: ScoreSheets
    sealing: CheckedSeal
    clock: SystemClock

    @command(
        contract.awards.Objection,
        schemas.FileObjection,
        roles=("recorder", "verifier", "chair"),
        confidential=True,
        states=(),
    )
    def file_objection(
        self,
        objection_id: str | None,
        *,
        notice_id: str,
        line_no: int,
        evidence_ids: tuple[str, ...],
        by: str,
        **statement: Any,
    ) -> Any:
        """Record an objection; objector and grounds are stored sealed."""
        objector, about = Objector(**statement), self.notices.get(notice_id)

        def file(id_: str) -> Change[objection.Objection]:
            return objection.file(
                about,
                notice_id=notice_id,
                line_no=line_no,
                objector=objector,
                evidence_ids=evidence_ids,
                sealed=self.sealing.seal(objector, record=id_),
                at=self.clock.now(),
                by=by,
            )

        return self.objections.add_as(objection_id, file)

    @command(contract.awards.Objection, schemas.AcceptObjection, roles=("verifier", "chair"), states=("filed",))
    def accept_objection(self, objection_id: str, *, by: str) -> Any:
        """Accept the form of an objection."""
        return self.objections.change(objection_id, objection.accept)

    @command(contract.awards.Objection, schemas.RejectObjection, roles=("verifier", "chair"), states=("filed",))
    def reject_objection(self, objection_id: str, *, reason: str, by: str) -> Any:
        """Reject an objection whose name, contact or evidence is void; it is not processed."""
        reject = partial(objection.reject, reason=reason, involved=self._involved(objection_id), by=by)
        return self.objections.change(objection_id, reject)

    @command(contract.awards.Objection, schemas.InvestigateObjection, roles=("chair",), states=("accepted",))
    def investigate_objection(self, objection_id: str, *, handler_id: str, by: str) -> Any:
        """Name the investigator of an objection, who has no part in the entry."""
        investigate = partial(objection.investigate, handler_id=handler_id, involved=self._involved(objection_id))
        return self.objections.change(objection_id, investigate)

    @command(contract.awards.Objection, schemas.DecideObjection, roles=("verifier", "chair"), states=("investigating",))
    def decide_objection(self, objection_id: str, **decided: Any) -> Any:
        """Decide an objection as its handler: uphold it, which strikes the line, or dismiss it."""
        decide = partial(objection.decide, involved=self._involved(objection_id), today=self.clock.today(), **decided)
        return self.objections.change(objection_id, decide)

    @command(
        contract.awards.Objection, schemas.NotifyObjection, roles=("verifier", "chair"), states=("upheld", "dismissed")
    )
    def notify_objection(self, objection_id: str, *, by: str, **notified: Any) -> Any:
        """Note that the objector was told the decision."""
        notify = partial(objection.notify, today=self.clock.today(), **notified)
        return self.objections.change(objection_id, notify)

    @command(contract.awards.Objection, schemas.CloseObjection, roles=("verifier", "chair"), states=("notified",))
    def close_objection(self, objection_id: str, *, by: str) -> Any:
        """Close the file of an objection."""
        return self.objections.change(objection_id, objection.close)

    @question(schemas.ReadObjector, roles=("verifier", "chair"), everywhere=True)
    def read_objector(self, objection_id: str, *, by: str) -> Any:
        """Show objector and grounds, to staff without a part in the entry; each reading is noted."""
        stored = self.objections.get(objection_id)
        objection.require_uninvolved(by, involved=self._involved(objection_id))
        log.info("objector read", objection_id=objection_id, by=by)
        return msgspec.to_builtins(self.sealing.open(stored.sealed, Objector, record=objection_id))

    def _involved(self, objection_id: str) -> frozenset[str]:
        """The people with a part in the entry that an objection is about; in a prize of another kind nobody has."""
        about = self.objections.get(objection_id)
        if about.entry_id is None:
            return frozenset()
        sheets = self.sheets.find(edition_id=about.edition_id, entry_id=about.entry_id)
        judges = {sheet.judge_id for _, sheet in sheets}
        return objection.involved_in(self.entries.get(about.entry_id), judges=judges)
