"""Rows: an entry in one row of a sheet, with up to three entrants of one place and stage and a file of a kind.

A larger entry is entered by itself; the rules are the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from services.awards.domain.benefit import BenefitClaim
from services.awards.domain.material import Attachment, AttachmentKind, Entrant, Material, Stage
from services.kernel import Refusal

ENTRANTS = ("first", "second", "third")


class EntrantUnclear(Refusal, rule="A-03", zh="每名申报人须填写编号并注明是否未成年"):
    """An entrant in a row comes with the person's id and with whether this is a minor."""


def material(
    *,
    category_code: str,
    title: str,
    organisation_id: str | None,
    tutor_refs: tuple[str, ...],
    originality_signed_on: date | None,
    work_on: date | None,
    district: str | None,
    stage: Stage | None,
    form_sha256: str | None,
    work_sha256: str | None,
    benefit_fen: int | None,
    verified_by_id: str | None,
    proof_sha256: str | None,
    **cells: Any,
) -> Material:
    """Make the material; `cells` are those of the entrants, called `first_person_ref` and so on."""
    files: dict[AttachmentKind, str | None] = {"signed_form": form_sha256, "work": work_sha256}
    claim = BenefitClaim(benefit_fen=benefit_fen, verified_by_id=verified_by_id, proof_sha256=proof_sha256)
    return Material(
        category_code=category_code,
        title=title,
        entrants=tuple(_entrants(cells, district=district, stage=stage)),
        organisation_id=organisation_id,
        tutor_refs=tutor_refs,
        attachments=tuple(Attachment(sha256=file, attachment_kind=kind) for kind, file in files.items() if file),
        originality_signed_on=originality_signed_on,
        work_on=work_on,
        benefit_claim=None if claim == BenefitClaim() else claim,
    )


def _entrants(cells: Mapping[str, Any], *, district: str | None, stage: Stage | None) -> Iterator[Entrant]:
    """The entrants in the order of the row, which is that of the team."""
    for place in ENTRANTS:
        fields = {name: cells[f"{place}_{name}"] for name in ("person_ref", "unit_id", "minor", "consent_ref")}
        if all(value is None for value in fields.values()):
            continue
        if fields["person_ref"] is None or fields["minor"] is None:
            raise EntrantUnclear(entrant=place)
        yield Entrant(**fields, district=district, stage=stage)
