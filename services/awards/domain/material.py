"""Material (申报材料): the papers and files of an entry, and whether the call of its edition accepts them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

from services.awards.domain.benefit import BenefitClaim
from services.awards.domain.edition import Edition
from services.awards.domain.rules import Rules
from services.contract.awards import EditionCategory, ProgrammeKind
from services.kernel import Refusal
from services.kernel.day import past
from services.kernel.name import normalised

Stage = Literal["primary", "junior", "senior"]
AttachmentKind = Literal["signed_form", "work", "proof"]


class SignatureMissing(Refusal, rule="A-01", zh="须有原创性签字日期和盖章的申报表"):
    """An entry comes with the day of its signature and with the signed and sealed form."""


class EnteredTwice(Refusal, rule="A-02", zh="每人在同一届只能申报一项（含集体项目成员）"):
    """Each student enters an edition once, as a member of a team too."""


class WrongParticipation(Refusal, rule="A-03", zh="申报人与该类别的参赛形式不符"):
    """An individual entry has one entrant, one of a team has several, and one of an organisation names it alone."""


class TeamTooLarge(Refusal, rule="A-03", zh="集体项目人数超过上限"):
    """A team has no more members than its category allows."""


class TeamFromSeveralPlaces(Refusal, rule="A-03", zh="集体项目成员须来自同一县（市、区）"):
    """The members of a team are of one district."""


class TeamOfSeveralStages(Refusal, rule="A-03", zh="集体项目成员须在同一学段"):
    """The members of a team are of one stage of school."""


class WorkOutsideYears(Refusal, rule="A-05", zh="作品完成时间不在规定期限内"):
    """The work was finished within the edition's working period."""


class PublishedOutsideYears(Refusal, rule="A-06", zh="论文发表时间不在评选年度内"):
    """A paper was published within the years that the edition evaluates."""


class TooManyAuthors(Refusal, rule="A-06", zh="论文作者人数超过上限"):
    """A paper has no more authors than its category allows."""


class CategoryUnknown(Refusal, rule="A-31", zh="该届没有这一类别"):
    """An entry is of a category that its edition has."""


@dataclass(frozen=True, kw_only=True)
class Entrant:
    """A person who entered, by id; a minor's guardian consents by a document (A-29)."""

    person_ref: str
    unit_id: str | None = None
    district: str | None = None
    stage: Stage | None = None
    minor: bool = False
    consent_ref: str | None = None


@dataclass(frozen=True, kw_only=True)
class Attachment:
    """A file, by its SHA-256: the signed and sealed form, the work itself, or a proof of it.

    `names_nobody` once the checker of the entry looked, into the file's own metadata too (A-13).
    """

    sha256: str
    attachment_kind: AttachmentKind
    names_nobody: bool = False


@dataclass(frozen=True, kw_only=True)
class Material:
    """The material of an entry, at first and again after a return; the first entrant comes first."""

    category_code: str
    title: str
    entrants: tuple[Entrant, ...] = ()
    organisation_id: str | None = None  # of an entry that is about an organisation
    tutor_refs: tuple[str, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    originality_signed_on: date | None = None
    work_on: date | None = None  # when it was finished, a paper: published
    exhibition_consent: bool | None = None  # whether the work may be shown, should it win (F2); None: nobody was asked
    benefit_claim: BenefitClaim | None = None

    @property
    def person_refs(self) -> tuple[str, ...]:
        """The ids of the entrants."""
        return tuple(entrant.person_ref for entrant in self.entrants)

    @property
    def first(self) -> str | None:
        """The owner: the first entrant, or the organisation."""
        return next(iter(self.person_refs), self.organisation_id)

    @property
    def work_keys(self) -> tuple[str, ...]:
        """The keys by which the same work is recognised (A-07): its title with the first entrant, and its files."""
        files = (file.sha256 for file in self.attachments if file.attachment_kind == "work")
        return tuple(dict.fromkeys((f"{normalised(self.title)}/{self.first}", *files)))


def require_fit(material: Material, edition: Edition, *, today: date) -> None:
    """Refuse material that the call of an edition does not accept (A-01 to A-03, A-05, A-06)."""
    past(today=today, originality_signed_on=material.originality_signed_on, work_on=material.work_on)
    category = edition.category(material.category_code)
    if category is None:
        raise CategoryUnknown(category_code=material.category_code)
    _signed(material)
    _fit_to_category(material, category, edition.programme_kind)
    _of_one_kind(material, edition)
    _done_in_time(material, edition)


def _signed(material: Material) -> None:
    kinds = {file.attachment_kind for file in material.attachments}
    if material.originality_signed_on is None or "signed_form" not in kinds:
        raise SignatureMissing(originality_signed_on=material.originality_signed_on, signed_form="signed_form" in kinds)


def _fit_to_category(material: Material, category: EditionCategory, programme_kind: ProgrammeKind) -> None:
    members = len(material.entrants)
    if len(set(material.person_refs)) < members:
        raise EnteredTwice(entrants=members)
    of_organisation = category.participation == "organisation"
    enough = {"individual": members == 1, "team": members > 1, "organisation": members == 0}
    if not enough[category.participation] or of_organisation != (material.organisation_id is not None):
        raise WrongParticipation(participation=category.participation, entrants=members)
    if members > category.max_team and category.participation == "team":
        raise (TooManyAuthors if programme_kind == "paper" else TeamTooLarge)(
            entrants=members, max_team=category.max_team
        )


def _of_one_kind(material: Material, rules: Rules) -> None:
    """Require a team of one place and one stage of school, where the rules ask for it."""
    districts = {entrant.district for entrant in material.entrants}
    if rules.same_place and len(districts) > 1:
        raise TeamFromSeveralPlaces(districts=len(districts))
    stages = {entrant.stage for entrant in material.entrants}
    if rules.same_stage and len(stages) > 1:
        raise TeamOfSeveralStages(stages=len(stages))


def _done_in_time(material: Material, edition: Edition) -> None:
    years = edition.work
    if years is None or (material.work_on is not None and years.holds(material.work_on)):
        return
    outside = PublishedOutsideYears if edition.programme_kind == "paper" else WorkOutsideYears
    raise outside(work_on=material.work_on, work_from=years.first, work_to=years.last)
