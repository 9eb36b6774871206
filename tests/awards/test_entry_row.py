"""Rows of a sheet, each an entry."""

from datetime import date

import pytest

from services.awards.domain import entry_row
from services.awards.domain.benefit import BenefitClaim
from services.awards.domain.entry_row import EntrantUnclear
from services.awards.domain.material import Attachment, Entrant, Material
from services.awards.schemas.entries import ImportEntry
from services.chassis import fields


def a_row(**cells):
    """What `entry_row.material` is given for a row with these cells."""
    usual = {"edition_id": "e-1", "category_code": "team", "title": "茶叶采摘器", "nominating_unit_id": "o-1"}
    row = fields.load(ImportEntry(), {**usual, **cells})
    return {name: row[name] for name in row if name not in ("entry_id", "edition_id", "nominating_unit_id")}


def test_a_row_says_what_an_entry_says():
    row = a_row(
        district="511102",
        first_person_ref="p-1",
        first_unit_id="s-1",
        first_minor=True,
        first_consent_ref="c-1",
        third_person_ref="p-3",
        third_minor=False,
        stage="primary",
        tutor_refs=["p-tutor"],
        form_sha256="f" * 64,
        work_sha256="e" * 64,
        originality_signed_on="2011-03-10",
        work_on="2011-02-01",
        benefit_fen=500,
        verified_by_id="o-tea",
        proof_sha256="d" * 64,
    )

    of_all = {"district": "511102", "stage": "primary"}
    assert entry_row.material(**row) == Material(
        category_code="team",
        title="茶叶采摘器",
        entrants=(
            Entrant(person_ref="p-1", unit_id="s-1", minor=True, consent_ref="c-1", **of_all),
            Entrant(person_ref="p-3", **of_all),
        ),
        tutor_refs=("p-tutor",),
        attachments=(
            Attachment(sha256="f" * 64, attachment_kind="signed_form"),
            Attachment(sha256="e" * 64, attachment_kind="work"),
        ),
        originality_signed_on=date(2011, 3, 10),
        work_on=date(2011, 2, 1),
        benefit_claim=BenefitClaim(benefit_fen=500, verified_by_id="o-tea", proof_sha256="d" * 64),
    )


def test_an_organisation_is_alone_in_its_row():
    assert entry_row.material(**a_row(organisation_id="o-1")) == Material(
        category_code="team", title="茶叶采摘器", organisation_id="o-1"
    )


@pytest.mark.rule("A-03")
@pytest.mark.parametrize("cells", [{"second_unit_id": "s-1", "second_minor": False}, {"second_person_ref": "p-2"}])
def test_what_is_said_of_an_entrant_comes_with_the_id_and_whether_it_is_a_minor(cells):
    with pytest.raises(EntrantUnclear, match="entrant=second"):
        entry_row.material(**a_row(first_person_ref="p-1", first_minor=False, **cells))


@pytest.mark.rule("A-28")
def test_a_claim_of_benefit_without_its_figure_stays_one_that_is_not_verified():
    claim = entry_row.material(**a_row(verified_by_id="o-tea")).benefit_claim

    assert claim == BenefitClaim(verified_by_id="o-tea")
