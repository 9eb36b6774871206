"""Awards (奖项): the prizes that an edition's list grants once its publicity is over, and their certificates.

An award is never edited (A-25): it can only be revoked, by a document, and then prize and rank are recovered (A-24).
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass, replace
from datetime import date, timedelta

from services.awards.domain.edition import Edition
from services.awards.domain.entry import LETTERS, Entry
from services.awards.domain.external_result import DocumentMissing
from services.contract.awards import (
    EditionLevel,
    Grade,
    NoticeLine,
    PrizeKind,
    ProgrammeKind,
    RevocationReason,
    SubjectType,
)
from services.kernel import Change, Lifecycle, Refusal
from services.kernel.number import comparable

LIFECYCLE = Lifecycle(granted=("revoked",))
REVOCABLE_FOR_EVER = ("fraud", "plagiarism")
CODE_LENGTH = 12
LEVELS = {"city": (), "province": ("P",), "national": ("N",)}


class RevokedLate(Refusal, rule="A-24", zh="撤销期限届满后只能因弄虚作假或抄袭撤销奖项"):
    """After the revocation period an award is revoked for fraud or plagiarism only."""


class IssuedAlready(Refusal, rule="A-25", zh="证书已制发；重新制发须说明理由"):
    """An issued certificate is not edited: it is issued anew for a stated reason, and the former one is void."""


@dataclass(frozen=True, kw_only=True)
class Award:
    """An award with the fields that only its own service knows: the names as they are printed, and the check code."""

    edition_id: str
    programme_kind: ProgrammeKind
    level: EditionLevel
    edition_no: int
    year: int
    entry_id: str | None
    subject_type: SubjectType
    subject_id: str
    person_ids: tuple[str, ...]
    org_ids: tuple[str, ...]
    award_kind: PrizeKind
    grade: Grade
    benefit_fen: int | None
    document_no: str
    granted_on: date
    revocation_days: int
    certificate_no: str
    check_code: str
    exhibition_consent: bool
    consent_withdrawn_on: date | None = None
    district: str | None
    names: tuple[str, ...] = ()
    issued_on: date | None = None
    reason_code: RevocationReason | None = None
    revoked_on: date | None = None
    revocation_document_no: str | None = None
    state: str = "granted"

    @property
    def person_count(self) -> int:
        """The number of people who have the prize."""
        return len(self.person_ids)

    @property
    def youth(self) -> bool:
        """True for a prize of a youth programme."""
        return self.programme_kind == "youth"

    @property
    def is_settled(self) -> bool:
        """True once its certificate is out, or where there will be none."""
        return self.issued_on is not None or self.state == "revoked"

    @property
    def last_day_to_revoke(self) -> date:
        """The last day on which it can be revoked for any reason; that day is still in time."""
        return self.granted_on + timedelta(days=self.revocation_days)

    def is_checked_by(self, code: str) -> bool:
        """True for the code on its certificate; takes the same time however much of it is right."""
        typed = "".join(letter for letter in comparable(code).upper() if letter in LETTERS)
        return hmac.compare_digest(typed, self.check_code.replace("-", ""))


def grant(
    award: Award | None,
    line: NoticeLine,
    *,
    edition: Edition,
    edition_id: str,
    entry: Entry | None,
    check_code: str,
) -> Change[Award] | None:
    """Make the award of a line; None where it exists already, or where the line was not granted."""
    if award is not None or line.document_no is None or line.granted_on is None:
        return None

    granted = Award(
        edition_id=edition_id,
        programme_kind=edition.programme_kind,
        level=edition.level,
        edition_no=edition.edition_no,
        year=edition.year,
        entry_id=line.entry_id,
        subject_type=line.subject_type,
        subject_id=line.subject_id,
        person_ids=_persons(line, entry),
        org_ids=_organisations(line, entry),
        award_kind=line.award_kind,
        grade=line.grade,
        benefit_fen=entry.benefit_fen if entry else None,
        document_no=line.document_no,
        granted_on=line.granted_on,
        revocation_days=edition.revocation_days,
        certificate_no=certificate_no(edition, line_no=line.line_no),
        check_code=check_code,
        exhibition_consent=bool(entry and entry.material.exhibition_consent),
        district=entry.district if entry else None,
    )
    return Change(granted, "granted")


def award_id(notice_id: str, line_no: int) -> str:
    """The id of the one award of a line."""
    return f"{notice_id}.{line_no}"


def certificate_no(edition: Edition, *, line_no: int) -> str:
    """`YOUTH-2011-10-0007`: programme, level above the city, year, edition, and line of its one list."""
    programme = edition.programme_kind.replace("_", "").upper()
    return "-".join((programme, *LEVELS[edition.level], f"{edition.year}", f"{edition.edition_no}", f"{line_no:04}"))


def check_code(chance: bytes) -> str:
    """Make a code of twelve letters in fours from `chance`, at least twelve random bytes."""
    letters = "".join(LETTERS[byte % len(LETTERS)] for byte in chance[:CODE_LENGTH])
    return "-".join(letters[start : start + 4] for start in range(0, CODE_LENGTH, 4))


def issue(award: Award, *, names: tuple[str, ...], reason: str | None, new_code: str, today: date) -> Change[Award]:
    """Print the certificate with these names; a new issue has a new code, so that the former one is void."""
    LIFECYCLE.require(award.state, "granted")
    if award.issued_on is not None and not reason:
        raise IssuedAlready(certificate_no=award.certificate_no, issued_on=award.issued_on)

    code = award.check_code if award.issued_on is None else new_code
    return Change(replace(award, names=names, issued_on=today, check_code=code), "issued", reason)


def withdraw_consent(award: Award, *, today: date) -> Change[Award] | None:
    """Stop showing its work (F2); None where nobody may show it anyway."""
    LIFECYCLE.require(award.state, "granted")
    if not award.exhibition_consent:
        return None

    return Change(replace(award, exhibition_consent=False, consent_withdrawn_on=today), "consent_withdrawn")


def revoke(
    award: Award, *, document_no: str | None, reason_code: RevocationReason, reason: str, today: date
) -> Change[Award]:
    """Revoke the prize (A-24); listeners of the award follow (F5)."""
    state = LIFECYCLE.move(award.state, "revoked")
    if not document_no:
        raise DocumentMissing(document_no=document_no)
    if today > award.last_day_to_revoke and reason_code not in REVOCABLE_FOR_EVER:
        raise RevokedLate(last_day=award.last_day_to_revoke, reason_code=reason_code)

    revoked = replace(award, state=state, reason_code=reason_code, revoked_on=today, revocation_document_no=document_no)
    return Change(revoked, "revoked", reason)


def _persons(line: NoticeLine, entry: Entry | None) -> tuple[str, ...]:
    if line.subject_type == "person":
        return (line.subject_id,)
    return entry.material.person_refs if entry else ()


def _organisations(line: NoticeLine, entry: Entry | None) -> tuple[str, ...]:
    """The organisation that has the prize; the employers and schools of people are not published."""
    if line.subject_type == "organisation":
        return (line.subject_id,)
    return (entry.material.organisation_id,) if entry and entry.material.organisation_id else ()
