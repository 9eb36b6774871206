"""Recommendations on a real broker and database."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from eventlet import GreenPool

from services import contract
from services.awards.service import Awards
from services.chassis.problem import InvalidInput, NotAllowed, RefusedByRule
from services.kernel.calendar import SHANGHAI
from tests.awards.examples import an_award
from tests.awards.holding import put
from tests.awards.test_entries import an_entrant
from tests.awards.upward import A_PROPOSAL, Upward

OVER = datetime(2011, 3, 8, tzinfo=SHANGHAI)
A_WEEK = {"starts_on": "2011-03-01", "publicity_days": 7, "publicity_unit": "calendar"}
VOTES = {"votes_for": 9, "votes_against": 1, "minute_no": "2011-3"}


@pytest.fixture
def office(running):
    running.start(Awards)
    return Upward(running)


@pytest.mark.rule("X-07", "A-27")
def test_somebody_is_proposed_verified_voted_for_publicised_sent_up_and_selected(office):
    one = {"recommendation_id": "y-1"}
    assert office.recommend()["state"] == "proposed"
    office.do("verify_recommendation", **one)
    assert office.do("vote_recommendation", **one, **VOTES)["votes_for"] == 9
    assert office.do("publicise_recommendation", **one, **A_WEEK)["publicity_to"] == "2011-03-07"

    office.at(OVER - timedelta(milliseconds=1))
    assert office.refused("submit_recommendation_up", **one) == "X-07"
    office.at(OVER)
    assert office.do("submit_recommendation_up", **one)["submitted_up_on"] == "2011-03-08"
    assert office.refused("withdraw_recommendation", **one, reason="本人要求") == "X-12"
    answer = {"answer": "selected", "answered_on": "2011-03-08", "document_no": "川人才〔2011〕1号"}
    assert office.do("answer_recommendation", **one, **answer)["state"] == "selected"


@pytest.mark.rule("A-27")
def test_who_is_not_confirmed_or_was_excluded_from_an_edition_is_not_recommended(office):
    unconfirmed = {**A_PROPOSAL, "worker_document_sha256": None}
    assert office.refused("recommend_talent", recommendation_id="y-1", **unconfirmed) == "A-27"

    office.open(programme_kind="paper")
    office.recommend()
    office.submit("n-1", entrants=[an_entrant("p-luo", minor=False)])
    office.do("disqualify_entry", entry_id="n-1", reason="抄袭")
    assert office.refused("verify_recommendation", recommendation_id="y-1") == "A-27"
    other = {**A_PROPOSAL, "target_title": "另一计划"}
    assert office.refused("recommend_talent", recommendation_id="y-2", **other) == "A-27"
    assert office.recommend("y-3", candidate_id="p-he")["state"] == "proposed"


@pytest.mark.rule("A-27")
def test_who_lost_a_prize_for_fraud_or_plagiarism_is_not_recommended_and_who_lost_it_by_an_error_is(office):
    for number, reason in enumerate(("fraud", "plagiarism", "error")):
        lost = replace(an_award(), person_ids=(f"p-{number}",), state="revoked", reason_code=reason)
        put(office.running, contract.awards.Award.kind, f"t-1.{number}", lost, happened="revoked")

    for number in (0, 1):
        proposal = {**A_PROPOSAL, "candidate_id": f"p-{number}"}
        assert office.refused("recommend_talent", recommendation_id="y-1", **proposal) == "A-27"
    assert office.recommend(candidate_id="p-2")["state"] == "proposed"


@pytest.mark.rule("A-27")
def test_of_many_who_recommend_one_person_for_one_thing_at_once_one_gets_through_and_another_after_a_withdrawal(office):
    def try_it(number):
        try:
            return office.recommend(f"y-{number}")["state"]
        except RefusedByRule as refused:
            return refused.code

    assert sorted(GreenPool().imap(try_it, range(6))) == ["A-27"] * 5 + ["proposed"]
    (held,) = office.running.call("awards", "list_recommendations")["items"]
    same = {**A_PROPOSAL, "target_title": "天府 科技英才"}
    assert office.refused("recommend_talent", recommendation_id="y-7", **same) == "A-27"
    office.recommend("y-8", target_level="national")

    office.do("withdraw_recommendation", recommendation_id=held["id"], reason="本人要求")
    assert office.recommend("y-9")["state"] == "proposed"


@pytest.mark.rule("A-20", "X-05")
def test_who_lost_the_vote_is_not_publicised_and_who_proposed_does_not_verify(office):
    office.recommend()
    assert office.refused("verify_recommendation", recommendation_id="y-1", by="u-li") == "X-05"
    office.do("verify_recommendation", recommendation_id="y-1")
    office.do("vote_recommendation", recommendation_id="y-1", **{**VOTES, "votes_against": 9})

    assert office.refused("publicise_recommendation", recommendation_id="y-1", **A_WEEK) == "A-20"


def test_a_vote_has_a_minute_and_a_recorder_takes_down_none(office):
    with pytest.raises(InvalidInput) as wrong:
        office.do("vote_recommendation", recommendation_id="y-1", votes_for=1, votes_against=-1)
    assert {error.field for error in wrong.value.errors} == {"minute_no", "votes_against"}
    with pytest.raises(NotAllowed):
        office.running.call("awards", "vote_recommendation", roles=["recorder"], recommendation_id="y-1", **VOTES)


@pytest.mark.rule("X-08")
def test_no_answer_and_no_event_says_what_the_target_is_called(office):
    answered = office.recommend()
    history = office.running.database("awards")["recommendation"].find_one({"_id": "y-1"})["history"]

    said = str([answered, [entry["view"] for entry in history]])
    assert "p-luo" in said
    for private in ("天府", "c" * 64, "u-li"):
        assert private not in said
