"""The rules of awards: granted once, never edited, revoked by a document; a certificate that anybody can check."""

from dataclasses import replace
from datetime import date, timedelta
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services import contract
from services.awards.domain import award
from services.awards.domain.award import LIFECYCLE, IssuedAlready, RevokedLate
from services.awards.domain.benefit import BenefitClaim
from services.awards.domain.external_result import DocumentMissing
from services.kernel import ForbiddenMove
from tests.awards.examples import a_grant, a_granted_line, an_award, an_edition, an_entry
from tests.machines import follows_the_machine

HAPPENINGS = contract.awards.Award.kind.happenings
TODAY = date(2011, 6, 1)
LAST_DAY = date(2011, 5, 10) + timedelta(days=183)

REVOKING = {"document_no": "乐科协〔2011〕20号", "reason_code": "error", "reason": "计分有误", "today": TODAY}
ISSUING = {"names": ("小明",), "reason": None, "new_code": "NEWC-NEWC-NEWC", "today": TODAY}

MOVES = {"revoked": (lambda one: award.revoke(one, **REVOKING), "revoked")}
WITHIN = {
    "issued": lambda one: award.issue(one, **ISSUING),
    "consent_withdrawn": lambda one: award.withdraw_consent(one, today=TODAY),
}


@pytest.mark.rule("X-12")
@pytest.mark.parametrize("state", LIFECYCLE.states)
@pytest.mark.parametrize("to", MOVES)
def test_a_state_allows_its_own_moves_and_refuses_all_others(state, to):
    do, happening = MOVES[to]

    follows_the_machine(LIFECYCLE, state, to, partial(do, an_award(state=state)), happened=happening)


@pytest.mark.rule("X-12")
@pytest.mark.parametrize("happening", WITHIN)
def test_a_revoked_award_has_no_certificate_and_no_consent(happening):
    do = WITHIN[happening]

    assert do(an_award(exhibition_consent=True)).happened == happening
    with pytest.raises(ForbiddenMove, match="state=revoked"):
        do(an_award(state="revoked", exhibition_consent=True))


def test_the_machine_has_the_states_and_the_happenings_of_the_contract():
    assert set(LIFECYCLE.states) == set(contract.awards.Award.kind.states)
    assert set(HAPPENINGS) == {"granted", "revoked", *WITHIN}


# --- to whom ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("subject_type", "subject_id", "material", "person_ids", "org_ids"),
    [
        ("entry", "n-1", {"category_code": "team", "entrants": ["p-1", "p-2"]}, ("p-1", "p-2"), ()),
        ("entry", "n-1", {"category_code": "home", "entrants": [], "organisation_id": "o-1"}, (), ("o-1",)),
        ("person", "p-tutor", {}, ("p-tutor",), ()),
        ("organisation", "o-9", {}, (), ("o-9",)),
    ],
)
def test_an_award_honours_those_who_have_it(subject_type, subject_id, material, person_ids, org_ids):
    granted = a_grant(one=an_entry(**material), subject_type=subject_type, subject_id=subject_id).record

    assert (granted.person_ids, granted.org_ids) == (person_ids, org_ids)
    assert granted.person_count == len(person_ids)


def test_an_award_says_the_benefit_that_its_entry_claims_and_none_where_there_is_no_claim():
    claim = BenefitClaim(benefit_fen=1_200_000_00, verified_by_id="o-mill", proof_sha256="ab" * 32)

    said = [a_grant(one=an_entry(benefit_claim=one)).record.benefit_fen for one in (claim, None)]

    assert said == [1_200_000_00, None]


def test_a_commendation_of_a_person_is_for_no_entry():
    granted = a_grant(
        an_edition(programme_kind="worker"), award_kind="commendation", grade="none",
        subject_type="person", subject_id="p-1",
    ).record  # fmt: skip

    assert (granted.award_kind, granted.entry_id, granted.youth, granted.district) == (
        "commendation",
        None,
        False,
        None,
    )


@pytest.mark.rule("A-25")
@pytest.mark.parametrize("state", ["proposed", "held", "struck"])
def test_a_line_is_an_award_once_it_was_granted_and_only_once(state):
    one, line = an_award(), a_granted_line()
    granting = {"edition": an_edition(), "edition_id": "e-1", "entry": an_entry(), "check_code": "ABCD-2345-WXYZ"}

    assert award.grant(one, line, **granting) is None
    assert award.grant(None, replace(line, state=state, document_no=None, granted_on=None), **granting) is None


@pytest.mark.parametrize(
    ("consent", "subject_type", "expected"),
    [(True, "entry", True), (False, "entry", False), (None, "entry", False), (True, "person", False)],
)
def test_a_work_is_shown_only_where_its_entrants_said_so(consent, subject_type, expected):
    one = an_entry(exhibition_consent=consent)

    assert a_grant(one=one, subject_type=subject_type).record.exhibition_consent is expected


def test_consent_is_withdrawn_once_and_its_day_stays():
    withdrawn = award.withdraw_consent(an_award(exhibition_consent=True), today=TODAY).record

    assert (withdrawn.exhibition_consent, withdrawn.consent_withdrawn_on) == (False, TODAY)
    assert award.withdraw_consent(withdrawn, today=TODAY) is None


@pytest.mark.rule("X-08", "A-29")
def test_the_view_has_neither_names_nor_the_check_code():
    issued = award.issue(a_grant().record, **ISSUING).record
    view = str(contract.awards.Award.kind.write(issued))

    for private in ("小明", "茶叶", "p-tutor", issued.check_code):
        assert private not in view


# --- certificates -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("edition", "number"),
    [
        ({}, "YOUTH-2011-10-0007"),
        ({"programme_kind": "golden_bridge", "edition_no": 3}, "GOLDENBRIDGE-2011-3-0007"),
        ({"level": "province", "edition_no": 26}, "YOUTH-P-2011-26-0007"),
    ],
)
def test_a_number_says_programme_year_edition_and_line(edition, number):
    assert award.certificate_no(an_edition(**edition), line_no=7) == number


@given(st.binary(min_size=12, max_size=12))
def test_a_code_is_taken_however_it_is_typed_and_no_other_code_is(chance):
    one = replace(an_award(), check_code=award.check_code(chance))
    code = one.check_code

    assert len(code) == len("ABCD-2345-WXYZ")
    assert one.is_checked_by(f" {code.lower().replace('-', '')} ")
    assert one.is_checked_by(code.translate({letter: letter + 0xFEE0 for letter in range(0x21, 0x7F)}))
    assert not one.is_checked_by(code[:-1])
    assert not one.is_checked_by("")
    assert not one.is_checked_by(code[:-1] + ("A" if code[-1] != "A" else "B"))


@pytest.mark.rule("A-25")
def test_a_certificate_is_issued_anew_for_a_reason_only_and_the_former_one_is_void():
    issued = award.issue(an_award(), **ISSUING).record
    assert (issued.issued_on, issued.is_checked_by("ABCD-2345-WXYZ")) == (TODAY, True)

    with pytest.raises(IssuedAlready, match="issued_on=2011-06-01"):
        award.issue(issued, **{**ISSUING, "names": ("小鸣",)})

    anew = award.issue(issued, **{**ISSUING, "names": ("小鸣",), "reason": "姓名有误"})
    assert (anew.record.names, anew.record.certificate_no, anew.reason) == (
        ("小鸣",),
        issued.certificate_no,
        "姓名有误",
    )
    assert not anew.record.is_checked_by("ABCD-2345-WXYZ")
    assert anew.record.is_checked_by("NEWC-NEWC-NEWC")


@pytest.mark.rule("A-25")
def test_whatever_is_done_with_an_award_what_was_granted_stays_as_it_was():
    one = an_award(exhibition_consent=True, issued_on=TODAY)
    granted = ("subject_id", "person_ids", "award_kind", "grade", "document_no", "granted_on", "certificate_no")

    for change in (
        award.issue(one, **{**ISSUING, "reason": "污损"}),
        award.withdraw_consent(one, today=TODAY),
        award.revoke(one, **REVOKING),
    ):
        assert [getattr(change.record, name) for name in granted] == [getattr(one, name) for name in granted]


# --- revocation -------------------------------------------------------------------------------------------------------


@pytest.mark.rule("A-24")
@pytest.mark.parametrize("document_no", [None, ""])
def test_nothing_is_revoked_without_a_document(document_no):
    with pytest.raises(DocumentMissing):
        award.revoke(an_award(), **{**REVOKING, "document_no": document_no})


@pytest.mark.rule("A-24")
@pytest.mark.parametrize("reason_code", ["error", "other"])
def test_on_the_last_day_an_award_is_revoked_for_any_reason_and_the_day_after_for_no_error(reason_code):
    revoking = {**REVOKING, "reason_code": reason_code}

    assert award.revoke(an_award(), **{**revoking, "today": LAST_DAY}).record.revoked_on == LAST_DAY
    with pytest.raises(RevokedLate, match=f"last_day={LAST_DAY}"):
        award.revoke(an_award(), **{**revoking, "today": LAST_DAY + timedelta(days=1)})


@pytest.mark.rule("A-24")
@pytest.mark.parametrize("reason_code", ["fraud", "plagiarism"])
def test_fraud_and_plagiarism_are_never_too_late(reason_code):
    change = award.revoke(an_award(), **{**REVOKING, "reason_code": reason_code, "today": date(2031, 1, 1)})

    assert (change.record.state, change.record.reason_code, change.reason) == ("revoked", reason_code, "计分有误")
    assert change.record.revocation_document_no == "乐科协〔2011〕20号"
