"""Awards on a real broker and database."""

from datetime import timedelta

import pytest
from eventlet import GreenPool

from services.awards.service import Awards
from services.chassis.problem import Conflict, InvalidInput, NotAllowed, RefusedByRule
from tests.awards.examples import A_PRIZE

K1 = {
    "of": "awards.external_result",
    "where": {
        "state": "verified",
        "series": "youth_contest",
        "level": "province",
        "edition_no": 26,
        "award_kind": ["graded", "special"],
    },
    "on": "awarded_on",
    "by": ["district"],
}


@pytest.fixture
def awards(running):
    return running.start(Awards)


def report(awards, at=None, **changes):
    prize = {**A_PRIZE, "awarded_on": A_PRIZE["awarded_on"].isoformat(), **changes}
    return awards.call("awards", "report_external_result", by="u-li", roles=["recorder"], at=at, **prize)


def verify(awards, result_id, by="u-wang", **how):
    return awards.call("awards", "verify_external_result", by=by, roles=["verifier"], result_id=result_id, **how)


def revoke(awards, result_id, **how):
    return awards.call("awards", "revoke_external_result", by="u-zhang", roles=["chair"], result_id=result_id, **how)


def k1(awards):
    return awards.call("awards", "tally", rule=K1, first="2011-01-01", last="2011-12-31")["value"]


@pytest.mark.parametrize("kind", ["entry", "score_sheet", "round", "entry_result", "notice", "award"])
def test_what_is_asked_of_an_edition_reads_an_index_and_not_every_record(awards, kind):
    plan = awards.database("awards")[kind].find({"state.edition_id": "e-1"}).explain()["queryPlanner"]

    assert "IXSCAN" in str(plan["winningPlan"])


def test_who_is_bound_to_a_district_writes_nothing_that_is_the_municipality_s(awards):
    city = report(awards, district=None)

    for do in (lambda: report(awards, at="511102", district=None), lambda: verify(awards, city["id"], at="511102")):
        with pytest.raises(NotAllowed) as denied:
            do()
        assert denied.value.involved == {"district": None, "yours": "511102"}


@pytest.mark.rule("A-26")
def test_the_same_prize_is_reported_once_however_it_is_written(awards):
    report(awards, title="可调节茶叶采摘器", first_entrant="李 明")

    with pytest.raises(RefusedByRule) as refused:
        report(awards, title="《可调节 茶叶采摘器》", first_entrant="李明")
    assert refused.value.code == "A-26"


@pytest.mark.rule("A-26")
def test_another_grade_kind_or_entrant_is_another_prize(awards):
    report(awards)

    assert report(awards, award_kind="special", grade="none")["state"] == "reported"
    assert report(awards, grade="first")["state"] == "reported"
    assert report(awards, first_entrant="小红")["state"] == "reported"


@pytest.mark.rule("A-26")
def test_a_rejected_prize_may_be_reported_again_and_a_revoked_one_never(awards):
    first = report(awards)["id"]
    awards.call("awards", "reject_external_result", roles=["verifier"], result_id=first, reason="查无此奖")
    second = report(awards)["id"]
    verify(awards, second)
    revoke(awards, second, document_no="川科协〔2011〕9号", reason="抄袭")

    with pytest.raises(RefusedByRule) as refused:
        report(awards)
    assert refused.value.code == "A-26"


@pytest.mark.rule("A-26")
def test_of_many_who_report_the_same_prize_at_once_one_gets_through(awards):
    def try_it(_):
        try:
            return report(awards)["state"]
        except RefusedByRule as refused:
            return refused.code

    assert sorted(GreenPool().imap(try_it, range(8))) == ["A-26"] * 7 + ["reported"]


@pytest.mark.rule("A-26", "A-24")
def test_a_reporter_does_not_verify_and_nobody_revokes_without_a_document(awards):
    result_id = report(awards)["id"]
    with pytest.raises(RefusedByRule) as refused:
        verify(awards, result_id, by="u-li")
    assert refused.value.code == "A-26"

    verify(awards, result_id)
    with pytest.raises(RefusedByRule) as refused:
        revoke(awards, result_id, reason="抄袭")
    assert refused.value.code == "A-24"


@pytest.mark.rule("X-07")
def test_a_prize_is_not_reported_before_its_day_by_the_clock_of_shanghai(awards):
    tomorrow = (awards.clock.today() + timedelta(days=1)).isoformat()

    with pytest.raises(RefusedByRule) as refused:
        report(awards, awarded_on=tomorrow)
    assert refused.value.code == "X-07"
    awards.clock.ahead = timedelta(days=1)
    assert report(awards, awarded_on=tomorrow)["awarded_on"] == tomorrow


@pytest.mark.rule("X-01", "X-03")
def test_a_command_sent_again_answers_its_first_outcome_and_an_older_version_is_a_conflict(awards):
    reported = report(awards, command_id="c-1")
    verified = verify(awards, reported["id"], command_id="c-2")
    revoked = revoke(awards, reported["id"], document_no="川科协〔2011〕9号", reason="抄袭", command_id="c-3")

    assert report(awards, command_id="c-1") == reported
    assert verify(awards, reported["id"], command_id="c-2") == verified
    assert revoked["version"] == 3
    with pytest.raises(Conflict):
        verify(awards, reported["id"], expected_version=1)


def test_a_recorder_does_not_verify(awards):
    with pytest.raises(NotAllowed):
        awards.call("awards", "verify_external_result", roles=["recorder"], result_id="r-1")


def test_everything_that_is_wrong_with_a_report_is_named_at_once(awards):
    with pytest.raises(InvalidInput) as wrong:
        report(awards, level="city", edition_no=0, awarded_on="27.3.2011", document_sha256="abc", prize_money=100)

    named = {error.field for error in wrong.value.errors}
    assert named == {"level", "edition_no", "awarded_on", "document_sha256", "prize_money"}


@pytest.mark.rule("X-08")
def test_no_answer_and_no_event_names_the_winner(awards):
    reported = report(awards, title="可调节茶叶采摘器", first_entrant="小明")
    history = awards.call("awards", "history_of_external_result", id=reported["id"])

    assert "小明" not in str(reported)
    assert "小明" not in str(history)
    assert "茶叶" not in str(history)


def test_k1_counts_verified_prizes_of_the_26th_provincial_youth_contest_once_and_loses_a_revoked_one(awards):
    won = [report(awards, title=f"作品{number}", district="511181")["id"] for number in range(60)]
    for result_id in won:
        verify(awards, result_id)
    for other in ({"level": "national"}, {"edition_no": 25}, {"series": "other"}, {"award_kind": "tutor"}):
        verify(awards, report(awards, title="其他", **other)["id"])
    report(awards, title="尚未核实")
    assert k1(awards) == 60

    with pytest.raises(RefusedByRule):
        report(awards, title="作品7", district="511181")
    assert k1(awards) == 60

    revoke(awards, won[7], document_no="川科协〔2011〕9号", reason="抄袭")
    assert k1(awards) == 59
