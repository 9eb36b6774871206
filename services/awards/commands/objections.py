"""What is done with an objection to an award list, from its filing to the answer."""

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
from services.chassis.sealing import Seal

log = get_logger()


class ObjectionCommands:
    entries: Entries
    notices: Notices
    objections: Objections
    sheets: ScoreSheets
    sealing: Seal
    clock: SystemClock

    @command(
        contract.awards.Objection, schemas.FileObjection, roles=("recorder", "verifier", "chair"), confidential=True
    )
    def file_objection(
        self,
        objection_id: str | None,
        *,
        notice_id: str,
        line_no: int,
        evidence_ids: tuple[str, ...],
        by: str,
        **told: Any,
    ) -> Any:
        """Take an objection down; who objects, and why, is kept sealed."""
        objection_id, objector = self.objections.id_of(objection_id), Objector(**told)
        filed = objection.file(
            self.notices.get(notice_id),
            notice_id=notice_id,
            line_no=line_no,
            objector=objector,
            evidence_ids=evidence_ids,
            sealed=self.sealing.seal(objector, record=objection_id),
            at=self.clock.now(),
            by=by,
        )
        return self.objections.add(filed, objection_id)

    @command(contract.awards.Objection, schemas.AcceptObjection, roles=("verifier", "chair"))
    def accept_objection(self, objection_id: str, *, by: str) -> Any:
        """Find the form of an objection in order."""
        return self.objections.change(objection_id, objection.accept)

    @command(contract.awards.Objection, schemas.RejectObjection, roles=("verifier", "chair"))
    def reject_objection(self, objection_id: str, *, reason: str, by: str) -> Any:
        """Find that name, contact or evidence of an objection are none, so that it is not processed."""
        reject = partial(objection.reject, reason=reason, involved=self._involved(objection_id), by=by)
        return self.objections.change(objection_id, reject)

    @command(contract.awards.Objection, schemas.InvestigateObjection, roles=("chair",))
    def investigate_objection(self, objection_id: str, *, handler_id: str, by: str) -> Any:
        """Name who looks into an objection, who has no part in the entry."""
        investigate = partial(objection.investigate, handler_id=handler_id, involved=self._involved(objection_id))
        return self.objections.change(objection_id, investigate)

    @command(contract.awards.Objection, schemas.DecideObjection, roles=("verifier", "chair"))
    def decide_objection(self, objection_id: str, **decided: Any) -> Any:
        """Uphold an objection, which strikes the line, or dismiss it; its handler does."""
        decide = partial(objection.decide, involved=self._involved(objection_id), today=self.clock.today(), **decided)
        return self.objections.change(objection_id, decide)

    @command(contract.awards.Objection, schemas.NotifyObjection, roles=("verifier", "chair"))
    def notify_objection(self, objection_id: str, *, by: str, **notified: Any) -> Any:
        """Note that whoever objected was told the decision."""
        notify = partial(objection.notify, today=self.clock.today(), **notified)
        return self.objections.change(objection_id, notify)

    @command(contract.awards.Objection, schemas.CloseObjection, roles=("verifier", "chair"))
    def close_objection(self, objection_id: str, *, by: str) -> Any:
        """Put an objection to the files."""
        return self.objections.change(objection_id, objection.close)

    @question(schemas.ReadObjector, roles=("verifier", "chair"))
    def read_objector(self, objection_id: str, *, by: str) -> Any:
        """Who objects, and on what grounds; for those without a part in the entry, and it is noted who asked."""
        held = self.objections.get(objection_id)
        objection.require_uninvolved(by, involved=self._involved(objection_id))
        log.info("objector read", objection_id=objection_id, by=by)
        return msgspec.to_builtins(self.sealing.open(held.sealed, Objector, record=objection_id))

    def _involved(self, objection_id: str) -> frozenset[str]:
        """Who has a part in the entry that an objection is about; in a prize of another kind nobody has."""
        about = self.objections.get(objection_id)
        if about.entry_id is None:
            return frozenset()
        sheets = self.sheets.find(edition_id=about.edition_id, entry_id=about.entry_id)
        judges = {one.judge_id for _, one in sheets}
        return objection.involved_in(self.entries.get(about.entry_id), judges=judges)
