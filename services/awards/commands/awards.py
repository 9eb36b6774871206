"""Commands about an award once it is granted, and the questions about its certificate."""

# ruff: noqa: ARG002 - every command is told by whom, and not every rule asks

from __future__ import annotations

import secrets
from collections.abc import Mapping
from functools import partial
from typing import Any, cast

from services import contract
from services.awards.domain import award, entry
from services.awards.schemas import awards as schemas
from services.awards.store import Editions, Entries, GrantedAwards
from services.chassis.clock import SystemClock
from services.chassis.entrypoints import command, query, question
from services.chassis.fields import load
from services.chassis.listener import listens
from services.chassis.problem import NotFound
from services.chassis.tokens import STAFF
from services.contract.event import Event
from services.kernel.number import comparable

SHOWN = (
    "certificate_no", "programme_kind", "level", "edition_no", "year", "award_kind", "grade", "document_no",
    "granted_on", "issued_on", "revoked_on", "state",
)  # fmt: skip
"""The fields that anybody with the certificate in hand may see; names are on the paper."""


class AwardCommands:
    """Commands, queries and listeners about granted awards."""

    editions: Editions
    entries: Entries
    awards: GrantedAwards
    clock: SystemClock

    @listens(contract.awards.Notice, "granted")
    def make_awards(self, event: Event) -> None:
        """Make an award of each granted line of a list; an existing one stays as it is."""
        listed = cast(contract.awards.Notice, event.view)
        edition = self.editions.get(listed.edition_id)
        for line in listed.lines:
            grant = partial(
                award.grant,
                line=line,
                edition=edition,
                edition_id=listed.edition_id,
                entry=self.entries.get(line.entry_id) if line.entry_id else None,
                check_code=a_check_code(),
            )
            self.awards.follow(award.award_id(event.record, line.line_no), event, grant)

    @command(contract.awards.Award, schemas.IssueCertificate, roles=("recorder",), states=("granted",))
    def issue_certificate(self, award_id: str, *, by: str, **printed: Any) -> Any:
        """Print the certificate of an award with these names; again for a stated reason only (A-25)."""
        issue = partial(award.issue, new_code=a_check_code(), today=self.clock.today(), **printed)
        return self.awards.change(award_id, issue)

    @command(contract.awards.Award, schemas.WithdrawExhibitionConsent, roles=("recorder",), states=("granted",))
    def withdraw_exhibition_consent(self, award_id: str, *, by: str) -> Any:
        """Note that the makers no longer want their work shown (F2)."""
        return self.awards.change(award_id, partial(award.withdraw_consent, today=self.clock.today()))

    @command(contract.awards.Award, schemas.RevokeAward, roles=("chair",), states=("granted",))
    def revoke_award(self, award_id: str, *, by: str, **revocation: Any) -> Any:
        """Revoke a prize by a document (A-24); its listeners follow (F5)."""
        return self.awards.change(award_id, partial(award.revoke, today=self.clock.today(), **revocation))

    @listens(contract.awards.Award, "revoked")
    def recover_prize(self, event: Event) -> None:
        """Recover prize and rank of a revoked award's entry (A-24)."""
        if event.data["entry_id"] is not None:
            self._recover(event.data["entry_id"])

    @listens(contract.awards.Entry, "awarded")
    def recover_late(self, event: Event) -> None:
        """Recover the prize of an entry whose award was revoked before the entry was in step with it."""
        self._recover(event.record)

    def _recover(self, entry_id: str) -> None:
        """Revoke an entry once every prize that it had is revoked."""
        states = {award_.state for _, award_ in self.awards.find(subject_type="entry", entry_id=entry_id)}
        if states == {"revoked"}:
            self.entries.change(entry_id, partial(entry.follow, to="revoked"))

    @question(schemas.CertificateOf, roles=STAFF, about=contract.awards.Award)
    def certificate_of(self, award_id: str, *, by: str) -> Any:
        """Show the text of an award's certificate, its names included."""
        granted = self.awards.get(award_id)
        award.LIFECYCLE.require(granted.state, "granted")
        if granted.issued_on is None:
            raise NotFound("Its certificate is not issued yet.", "证书尚未制发。", kind="award", id=award_id)
        title = self.entries.get(granted.entry_id).material.title if granted.entry_id else None
        return {**_shown(granted), "names": list(granted.names), "title": title, "check_code": granted.check_code}

    @query(public=True)
    def check_certificate(self, params: Mapping[str, Any]) -> Any:
        """Check whether a certificate with this number and code was issued, and whether its award still stands."""
        given = load(schemas.CheckCertificate(), params)
        awards = self.awards.find(certificate_no=comparable(given["certificate_no"]).upper())
        codes = [award_.is_checked_by(given["code"]) for _, award_ in awards]
        if not any(codes) or awards[0][1].issued_on is None:
            raise NotFound("There is no certificate with this number and code.", "没有此编号和校验码的证书。")
        return _shown(awards[0][1])


def a_check_code() -> str:
    """Make a check code by chance."""
    return award.check_code(secrets.token_bytes(award.CODE_LENGTH))


def _shown(granted: award.Award) -> dict[str, Any]:
    view = contract.awards.Award.kind.write(granted)
    return {name: view[name] for name in SHOWN}
