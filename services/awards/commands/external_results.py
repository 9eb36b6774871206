"""Commands about prizes won at contests above the city (K1)."""

# ruff: noqa: ARG002 - every command is told by whom, and not every rule asks

from __future__ import annotations

from functools import partial
from typing import Any

from services import contract
from services.awards.domain import external_result
from services.awards.schemas import external_results as schemas
from services.awards.store import ExternalResults
from services.chassis.clock import SystemClock
from services.chassis.entrypoints import command


class ExternalResultCommands:
    """Commands about external results."""

    external_results: ExternalResults
    clock: SystemClock

    @command(contract.awards.ExternalResult, schemas.ReportExternalResult, roles=("recorder",), adds=True)
    def report_external_result(self, result_id: str | None, **prize: Any) -> Any:
        """Enter a prize won above the city, with the notice or certificate that proves it."""
        reported = external_result.report(today=self.clock.today(), **prize)
        return self.external_results.add(reported, result_id)

    @command(contract.awards.ExternalResult, schemas.VerifyExternalResult, roles=("verifier",), states=("reported",))
    def verify_external_result(self, result_id: str, *, by: str) -> Any:
        """Verify a prize after a look at its document: it counts from now on (K1)."""
        return self.external_results.change(result_id, partial(external_result.verify, by=by))

    @command(contract.awards.ExternalResult, schemas.RejectExternalResult, roles=("verifier",), states=("reported",))
    def reject_external_result(self, result_id: str, *, reason: str, by: str) -> Any:
        """Reject a reported prize; the same prize may be reported again."""
        return self.external_results.change(result_id, partial(external_result.reject, reason=reason))

    @command(
        contract.awards.ExternalResult, schemas.RevokeExternalResult, roles=("verifier", "chair"), states=("verified",)
    )
    def revoke_external_result(self, result_id: str, *, document_no: str | None, reason: str, by: str) -> Any:
        """Note that the contest revoked a prize; it no longer counts."""
        return self.external_results.change(
            result_id, partial(external_result.revoke, document_no=document_no, reason=reason)
        )
