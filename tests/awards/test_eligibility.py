"""The eligibility check, and how an entry is held against the others of its programme."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.awards.domain import eligibility
from services.awards.domain.benefit import BenefitClaim, BenefitUnverified, BenefitVerifiedByEntrant
from services.awards.domain.comparison import compare, similarity
from services.awards.domain.eligibility import (
    AwardedBefore,
    ConsentMissing,
    ReasonLeft,
    ReasonMissing,
)
from services.kernel.day import Over
from services.kernel.duty import SamePerson
from tests.awards.examples import FORM, an_edition, an_entrant, an_entry

TITLES = st.text(min_size=1, max_size=12)


def decide(entry, *, eligible=True, others=(), by="u-wang", **how):
    return eligibility.decide(entry, an_edition(state="eligibility"), eligible=eligible, others=others, by=by, **how)


def send_back(**how):
    usual = {
        "shortcomings": ("incomplete",), "correct_by": date(2011, 4, 5), "note": "缺单位盖章", "today": date(2011, 4, 5)
    }  # fmt: skip
    return eligibility.send_back(an_entry(), an_edition(state="eligibility"), **{**usual, **how})


@pytest.mark.rule("A-32")
def test_an_entry_is_ineligible_for_reasons_and_eligible_without_any():
    with pytest.raises(ReasonMissing, match="state=ineligible"):
        decide(an_entry(), eligible=False)
    with pytest.raises(ReasonLeft, match="shortcomings=unsigned"):
        decide(an_entry(), eligible=True, shortcomings=("unsigned",))

    refused = decide(an_entry(), eligible=False, shortcomings=("copied",), note="与网上论文雷同")
    assert (refused.record.shortcomings, refused.reason) == (("copied",), "与网上论文雷同")
    assert decide(an_entry()).record.decided_by == "u-wang"


@pytest.mark.rule("X-05")
def test_nobody_decides_on_what_they_handed_in_at_first_or_again():
    both = replace(an_entry(), handed_in_by=("u-li", "u-he"))

    for by in ("u-li", "u-he"):
        with pytest.raises(SamePerson):
            decide(both, by=by)


@pytest.mark.rule("A-29")
def test_a_minor_goes_on_with_the_guardian_s_consent_and_a_grown_up_without():
    with pytest.raises(ConsentMissing, match="minors=1"):
        decide(an_entry(entrants=[an_entrant(consent_ref=None)]))

    assert decide(an_entry(entrants=[an_entrant(consent_ref=None, minor=False)])).record.state == "eligible"


@pytest.mark.rule("A-32")
def test_an_entry_is_returned_for_reasons():
    with pytest.raises(ReasonMissing, match="state=returned"):
        send_back(shortcomings=())

    returned = send_back()
    assert (returned.record.shortcomings, returned.reason) == (("incomplete",), "缺单位盖章")


@pytest.mark.rule("X-07")
def test_an_entry_may_be_due_today_and_not_yesterday():
    assert send_back(correct_by=date(2011, 4, 5)).record.correct_by == date(2011, 4, 5)
    with pytest.raises(Over):
        send_back(correct_by=date(2011, 4, 4))


# --- other entries ----------------------------------------------------------------------------------------------------


@pytest.mark.rule("A-07")
def test_a_work_that_won_in_an_earlier_edition_is_not_eligible_and_one_that_did_not_win_is():
    before = an_entry(edition_id="e-0", state="eligible")

    with pytest.raises(AwardedBefore, match="entries=n-0"):
        decide(an_entry(), others=[("n-0", replace(before, state="awarded"))])
    decided = decide(an_entry(), others=[("n-0", before)]).record
    assert (decided.state, decided.prior_entry_ids) == ("eligible", ("n-0",))


@pytest.mark.rule("A-07")
def test_the_same_work_is_found_by_its_file_and_a_withdrawn_one_is_not():
    again = an_entry(title="另一题目", entrants=["p-hong"], edition_id="e-0")

    assert compare(an_entry(), [("n-0", again)]).prior_entry_ids == ("n-0",)
    assert compare(an_entry(), [("n-0", replace(again, state="withdrawn"))]).prior_entry_ids == ()


def test_an_entry_says_which_other_one_it_is_most_like_and_how_much():
    others = [
        ("n-1", an_entry(title="太阳能路灯", entrants=["p-1"], attachments=(FORM,))),
        ("n-2", an_entry(title="可调节茶叶采摘机", entrants=["p-2"], attachments=(FORM,))),
    ]

    decided = decide(an_entry(title="可调节茶叶采摘器"), others=others).record

    assert (decided.similar_entry_id, decided.similarity) == ("n-2", 85)  # six of seven pairs
    assert decided.prior_entry_ids == ()


def test_the_only_entry_of_a_programme_is_like_none():
    assert (compare(an_entry(), []).similarity, compare(an_entry(), []).similar_entry_id) == (None, None)


@given(TITLES, TITLES)
def test_similarity_is_a_percentage_that_is_the_same_both_ways(one, other):
    assert similarity(one, other) == similarity(other, one)
    assert 0 <= similarity(one, other) <= 100
    assert similarity(one, one) == 100


# --- benefits ---------------------------------------------------------------------------------------------------------


def a_bridge(**claimed):
    """A Golden Bridge project of the unit s-1, with a claim of 50 million fen that o-tea verified."""
    usual = {"benefit_fen": 50_000_000, "verified_by_id": "o-tea", "proof_sha256": "d" * 64}
    claim = None if "nothing" in claimed else BenefitClaim(**{**usual, **claimed})
    return replace(an_entry(entrants=[an_entrant(unit_id="s-1")], benefit_claim=claim), programme_kind="golden_bridge")


@pytest.mark.rule("A-28")
def test_a_golden_bridge_project_is_eligible_with_a_benefit_that_its_receiver_verified_by_a_document():
    for lacking in ({"verified_by_id": None}, {"proof_sha256": None}, {"benefit_fen": None}, {"nothing": True}):
        with pytest.raises(BenefitUnverified):
            decide(a_bridge(**lacking))
    assert decide(a_bridge()).record.state == "eligible"
    assert decide(a_bridge(verified_by_id=None), eligible=False, shortcomings=("incomplete",)).happened == "decided"


@pytest.mark.rule("A-28")
def test_the_unit_of_an_entrant_does_not_verify_the_benefit_nor_does_an_organisation_its_own():
    with pytest.raises(BenefitVerifiedByEntrant, match="verified_by_id=s-1"):
        decide(a_bridge(verified_by_id="s-1"))
    its_own = replace(a_bridge().material, entrants=(), organisation_id="o-tea")
    with pytest.raises(BenefitVerifiedByEntrant, match="verified_by_id=o-tea"):
        decide(replace(a_bridge(), material=its_own))


@pytest.mark.rule("A-28")
def test_of_an_entrant_without_a_unit_the_one_that_nominates_does_not_verify_the_benefit():
    claim = a_bridge(verified_by_id="o-shizhong")
    assert decide(claim).record.state == "eligible"

    by_itself = replace(claim.material, entrants=(an_entrant(unit_id=None),))
    with pytest.raises(BenefitVerifiedByEntrant, match="verified_by_id=o-shizhong"):
        decide(replace(claim, material=by_itself))


@pytest.mark.rule("A-28")
def test_where_no_benefit_is_asked_for_none_is_needed_and_one_that_is_claimed_is_verified():
    assert decide(an_entry()).record.state == "eligible"
    with pytest.raises(BenefitUnverified):
        decide(an_entry(benefit_claim=BenefitClaim(benefit_fen=1)))
