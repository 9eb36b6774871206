"""External results: prizes won at contests above the city; one person reports, another verifies (K1).

A prize is the same prize however its title and its winner are written: both are compared by their normalised form.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

from services.contract.awards import AwardKind, Category, Grade, Level, Series
from services.kernel import Change, Lifecycle, Refusal
from services.kernel.day import past
from services.kernel.name import normalised
from services.kernel.quantity import whole

LIFECYCLE = Lifecycle(reported=("verified", "rejected"), verified=("revoked",))


class VerifiedByReporter(Refusal, rule="A-26", zh="获奖结果不得由上报人本人核实"):
    """Whoever reported an external result may not verify it."""


class ReportedTwice(Refusal, rule="A-26", zh="同一奖项不得重复上报"):
    """The same prize is reported once: contest, category, kind, grade, title and first entrant are the same."""


class GradeMissing(Refusal, rule="A-26", zh="等级奖必须写明等级"):
    """A graded prize names its grade, else it could be reported once with and once without."""


class DocumentMissing(Refusal, rule="A-24", zh="撤销奖项须有文号"):
    """A prize is revoked by a numbered document only."""


@dataclass(frozen=True, kw_only=True)
class SourceDocument:
    """The notice or certificate that proves the report."""

    sha256: str
    url: str | None = None


@dataclass(frozen=True, kw_only=True)
class ExternalResult:
    """A prize as it was reported; title, entrant and document stay with the owner (X-08)."""

    series: Series
    level: Level
    edition_no: int
    category: Category
    award_kind: AwardKind
    grade: Grade
    title: str
    title_norm: str
    first_entrant: str
    first_entrant_norm: str
    awarded_on: date
    source_document: SourceDocument
    reported_by: str
    district: str | None = None
    entry_id: str | None = None
    verified_by: str | None = None
    revocation_document_no: str | None = None
    state: str = "reported"


def report(
    *,
    series: Series,
    level: Level,
    edition_no: int,
    category: Category,
    award_kind: AwardKind,
    grade: Grade,
    title: str,
    first_entrant: str,
    awarded_on: date,
    document_sha256: str,
    document_url: str | None = None,
    district: str | None = None,
    entry_id: str | None = None,
    today: date,
    by: str,
) -> Change[ExternalResult]:
    """Enter a prize; it does not count before another person verified it."""
    whole(edition_no=edition_no)
    past(today=today, awarded_on=awarded_on)
    if award_kind == "graded" and grade == "none":
        raise GradeMissing(award_kind=award_kind, grade=grade)

    result = ExternalResult(
        series=series,
        level=level,
        edition_no=edition_no,
        category=category,
        award_kind=award_kind,
        grade=grade,
        title=title,
        title_norm=normalised(title),
        first_entrant=first_entrant,
        first_entrant_norm=normalised(first_entrant),
        awarded_on=awarded_on,
        source_document=SourceDocument(sha256=document_sha256, url=document_url),
        reported_by=by,
        district=district,
        entry_id=entry_id,
    )
    return Change(result, "reported")


def verify(result: ExternalResult, *, by: str) -> Change[ExternalResult]:
    """Verify a prize, after a look at its document: from now on it counts (K1)."""
    state = LIFECYCLE.move(result.state, "verified")
    if by == result.reported_by:
        raise VerifiedByReporter(reported_by=result.reported_by)

    return Change(replace(result, state=state, verified_by=by), "verified")


def reject(result: ExternalResult, *, reason: str) -> Change[ExternalResult]:
    """Reject a reported prize; the same prize may be reported again."""
    return Change(replace(result, state=LIFECYCLE.move(result.state, "rejected")), "rejected", reason)


def revoke(result: ExternalResult, *, document_no: str | None, reason: str) -> Change[ExternalResult]:
    """Note that the contest revoked it: it stops counting and can never be reported again."""
    state = LIFECYCLE.move(result.state, "revoked")
    if not document_no:
        raise DocumentMissing(document_no=document_no)

    return Change(replace(result, state=state, revocation_document_no=document_no), "revoked", reason)
