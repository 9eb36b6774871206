"""Contests on the whole stack: what is refused on the way, and what the gateway counts in the end."""

import random
from itertools import count

import pytest
from eventlet import GreenPool

from gateway.service import Gateway
from services.chassis.amqp import connect
from services.chassis.problem import RefusedByRule
from services.contract.topology import LEDGER_QUEUE
from tests.awards.examples import A_PRIZE
from tests.chassis.outsider import Witness
from tests.gateway.everything import everything
from tests.journeys.contest import (
    DAY_8,
    DECISION,
    LAST_MINUTE,
    LATER,
    LIST,
    OBJECTION,
    OBJECTOR,
    PUBLICATION,
    Contest,
    count_prizes,
)

EDITIONS = count(1)
CLEAR = {"a": (90, 88), "b": (80, 82), "c": (70, 72), "d": (60, 62)}
JUDGES = ("luo", "tan", "wen", "qin")
TIED = {"a": (90, 80), "b": (80, 90), "c": (70, 72), "d": (60, 62)}


@pytest.fixture(scope="module")
def gateway(addresses, keys):
    with everything(addresses, keys) as gateway:
        count_prizes(gateway)
        yield gateway


@pytest.fixture
def contest(gateway):
    return Contest(gateway, next(EDITIONS))


# --- scenario 1: a judge who changes employer -------------------------------------------------------------------------


@pytest.mark.rule("A-09", "A-11")
def test_a_judge_s_employer_bars_the_judge_before_the_round_and_in_the_middle_of_it(gateway):
    contest = Contest(gateway, next(EDITIONS), min_scores=3)
    names = [f"n{number}" for number in range(12)]
    contest.enter(*names)
    contest.appoint(*JUDGES)
    barred = {"entry_id": contest.entry("n0"), "judge_id": contest.judge("luo"), "round_no": 1}

    contest.propose(*JUDGES[:3], per_entry=3)
    contest.employ("luo", contest.school("n0"))
    assert contest.refused("confirm_assignment", assignment_id=f"{contest.id}.1") == "A-09"
    assert contest.refused("assign_judge", **barred) == "A-09"

    contest.start(*JUDGES, per_entry=3)
    seated = contest.sheets()
    assert ("luo", "n0") not in seated
    contest.score_all(lambda judge, entry: 100 if (judge, entry) == bribed(seated) else 40 + int(entry[1:]))
    before = contest.compute()
    judge, entry = bribed(seated)
    assert ranks(contest, before)[entry] == 1

    contest.employ(judge, contest.school(entry))
    assert contest.sheets()[judge, entry]["in_conflict"]
    assert contest.refused("close_round", round_id=contest.round_id) == "A-17"
    sheet_id = seated[judge, entry]["id"]
    contest.do("recuse_judge", sheet_id=sheet_id, conflict_type="institutional", reason="调入该校工作")
    (substitute,) = {*JUDGES} - {one for one, of in seated if of == entry}
    contest.do("replace_judge", sheet_id=sheet_id, judge_id=contest.judge(substitute))
    contest.settle()
    contest.score(substitute, contest.sheets()[substitute, entry], 40)
    closed = contest.close()

    after = contest.compute()
    assert contest.sheets()[judge, entry]["state"] == "replaced"
    assert (closed["state"], after["stands"]) == ("closed", True)
    assert before["inputs_hash"] != after["inputs_hash"] == closed["inputs_hash"]
    assert ranks(contest, after)[entry] > 1


def bribed(seated):
    """A judge with an entry that any of the four could score."""
    return min((judge, entry) for judge, entry in seated if judge != "luo" and entry != "n0")


def ranks(contest, computed):
    return {one["entry_id"].removeprefix(f"{contest.id}-"): one["rank"] for one in computed["results"]}


# --- scenario 2: a tie at the last first prize ------------------------------------------------------------------------


@pytest.mark.rule("A-19")
def test_a_list_waits_for_the_committee_where_two_tie_for_the_first_prize_and_says_that_it_decided(contest):
    contest.hold(TIED)
    contest.at(PUBLICATION)
    assert contest.refused("publish_list", edition_id=contest.id, **LIST) == "A-19"

    order = [contest.entry("b"), contest.entry("a")]
    vote = {"category_code": "innovation", "order": order, "minute_no": "评委会纪要〔2011〕3号"}
    contest.do("resolve_tie", round_id=contest.round_id, **vote)
    contest.settle()
    contest.publish()

    assert contest.lines() == [("b", "first", "proposed", "committee"), ("a", "second", "proposed", "committee")]


# --- scenarios 3 and 4: the publicity period --------------------------------------------------------------------------


@pytest.mark.rule("A-21", "X-07")
def test_prizes_are_granted_after_day_7_and_one_that_is_objected_to_waits_alone(contest):
    contest.hold(CLEAR)
    contest.publish()
    contest.object(1)

    contest.at(LAST_MINUTE)
    assert contest.refused("grant", notice_id=contest.notice_id, document_no=DECISION) == "A-21"
    assert contest.prizes() == 0
    contest.at(DAY_8)
    contest.grant()

    assert [line[:3] for line in contest.lines()] == [("a", "first", "held"), ("b", "second", "granted")]
    assert contest.states() == ("granted", {"a": "on_hold", "b": "awarded", "c": "not_awarded", "d": "not_awarded"})
    assert contest.prizes() == 1


@pytest.mark.rule("A-22", "X-07")
def test_an_anonymous_objection_holds_nothing_and_one_with_a_name_comes_too_late_on_day_8(contest):
    contest.hold(CLEAR)
    contest.publish()

    anonymous = contest.object(1, **dict.fromkeys(OBJECTOR))
    contest.at(DAY_8)
    late = {"notice_id": contest.notice_id, "line_no": 1, **OBJECTION}
    assert contest.refused("file_objection", **late) == "A-22"
    contest.grant()

    told = contest.gateway.get(f"/api/v1/awards/objections?notice_id={contest.notice_id}").body["items"]
    assert [(one["id"], one["state"]) for one in told] == [(anonymous["id"], "rejected_formal")]
    assert contest.prizes() == 2


# --- scenario 5: upward -----------------------------------------------------------------------------------------------


@pytest.mark.rule("A-08")
def test_only_winners_go_up_and_no_more_of_them_than_the_province_takes(contest):
    contest.hold(CLEAR)
    contest.publish()
    contest.grant()
    call = {"to_series": "youth_contest", "to_level": "province", "to_edition_no": 26, "year": 2011, "places": 1}
    call_id = contest.do("open_nomination_call", from_edition_id=contest.id, document_no="川科协〔2011〕5号", **call)[
        "id"
    ]

    def nominated(name, slot_no):
        return {"call_id": call_id, "entry_id": contest.entry(name), "slot_no": slot_no}

    assert contest.refused("nominate_entry", **nominated("c", 1)) == "A-08"
    contest.do("nominate_entry", **nominated("a", 1))
    assert contest.refused("nominate_entry", **nominated("b", 2)) == "A-08"
    contest.settle()

    told = contest.gateway.get(f"/api/v1/awards/nominations?from_edition_id={contest.id}").body["items"]
    assert [(one["entry_id"], one["state"]) for one in told] == [(contest.entry("a"), "drafted")]


@pytest.mark.rule("A-26", "X-01", "X-04")
def test_60_verified_prizes_are_60_whatever_comes_twice_and_59_once_one_is_revoked(contest):
    contest.at(LATER)
    with Witness(contest.running.settings) as witness:
        ids = list(GreenPool().imap(lambda number: reported_and_verified(contest, number), range(60)))
        contest.settle()
        assert k1(contest) == 60

        with pytest.raises(RefusedByRule) as refused:
            report(contest, 59)
        assert (refused.value.code, k1(contest)) == ("A-26", 60)

        reason = {"document_no": "川科协〔2011〕31号", "reason": "材料不实"}
        contest.do("revoke_external_result", result_id=ids[0], **reason)
        contest.settle()
        assert k1(contest) == 59

        events = [event for event in witness.heard if event.kind.name == "external_result"] * 2
    random.Random(26).shuffle(events)
    contest.tell(events)
    assert (len(events), k1(contest)) == (242, 59)


def report(contest, number):
    prize = {**A_PRIZE, "awarded_on": "2011-03-27", "first_entrant": f"e-{number}", "title": f"作品 {number}"}
    return contest.do("report_external_result", **prize)


def reported_and_verified(contest, number):
    reported = report(contest, number)
    return contest.do("verify_external_result", result_id=reported["id"])["id"]


def k1(contest):
    return contest.gateway.get("/api/v1/kpis/K1").body["value"]


# --- several chairs ---------------------------------------------------------------------------------------------------


@pytest.mark.rule("A-20", "A-21", "X-01")
def test_of_chairs_who_publish_and_grant_at_once_one_gets_through_and_the_gateway_counts_each_prize_once(contest):
    contest.hold(CLEAR)
    contest.at(PUBLICATION)

    published = contest.at_once(4, "publish_list", edition_id=contest.id, **LIST)
    contest.settle()
    (contest.notice_id,) = contest.listed("awards", "notices", edition_id=contest.id)
    contest.at(DAY_8)
    granted = contest.at_once(4, "grant", notice_id=contest.notice_id, document_no=DECISION)
    contest.settle()

    assert published.count("published") == granted.count("granted") == 1
    assert contest.prizes() == 2
    assert set(contest.listed("awards", "awards", edition_id=contest.id)) == {contest.award(1), contest.award(2)}


@pytest.mark.rule("X-01")
def test_a_grant_that_is_repeated_after_its_answer_was_lost_gives_each_prize_once(contest):
    contest.hold(CLEAR)
    contest.publish()

    answers = [contest.grant(command_id=f"grant-{contest.id}") for _ in range(3)]

    assert answers[0] == answers[1] == answers[2]
    assert contest.prizes() == 2


# --- from the call to a revoked prize ---------------------------------------------------------------------------------


@pytest.mark.rule("A-24", "A-25")
def test_a_contest_from_its_call_to_a_revoked_prize(contest):
    contest.hold(CLEAR, exhibition_consent=True)
    tutor = {"award_kind": "tutor", "subject_type": "person", "subject_id": "p-tutor"}
    contest.publish(other_awards=[tutor])
    dismissed = contest.object(2)["id"]
    contest.do("accept_objection", objection_id=dismissed)
    contest.do("investigate_objection", objection_id=dismissed, handler_id="u-chair")
    contest.do("decide_objection", objection_id=dismissed, outcome="dismissed", reason="查无实据")
    contest.settle()
    contest.grant()
    assert contest.prizes() == 3
    assert followed(contest, "members", "honours") == {1: ["recorded"], 2: ["recorded"], 3: ["recorded"]}
    assert followed(contest, "outreach", "exhibit_candidates") == {1: ["proposed"], 2: ["proposed"]}
    contest.do("issue_certificate", award_id=contest.award(1), names=["小明"])

    contest.revoke(1)

    assert contest.prizes() == 2
    assert followed(contest, "members", "honours") == {1: ["withdrawn"], 2: ["recorded"], 3: ["recorded"]}
    assert followed(contest, "outreach", "exhibit_candidates") == {1: ["removed"], 2: ["proposed"]}
    assert contest.states()[1] == {"a": "revoked", "b": "awarded", "c": "not_awarded", "d": "not_awarded"}
    for line_no in (2, 3):
        contest.do("issue_certificate", award_id=contest.award(line_no), names=["小红"])
    assert contest.do("archive_edition", edition_id=contest.id)["state"] == "archived"


def followed(contest, service, plural):
    """What became of the prizes of a contest elsewhere, by the number of their line."""
    found = {}
    for line_no in (1, 2, 3):
        states = [one["state"] for one in contest.listed(service, plural, award_id=contest.award(line_no)).values()]
        found |= {line_no: states} if states else {}
    return found


# --- scenario 12: late and early --------------------------------------------------------------------------------------


@pytest.mark.rule("X-01")
def test_a_revocation_that_reaches_the_gateway_before_its_grant_leaves_the_number_as_it_is(contest):
    contest.hold(CLEAR)
    contest.publish()
    contest.running.stop("gateway")
    with Witness(contest.running.settings) as witness:
        contest.grant()
        contest.revoke(1)
        events = [event for event in witness.heard if event.kind.name == "award"]
    with connect(contest.running.settings, "tests.loses") as connection:
        connection.default_channel.queue_purge(LEDGER_QUEUE.name)

    contest.running.start(Gateway)
    (contest.gateway.container,) = gateways(contest.running)
    contest.tell(reversed(events))

    assert [event.happened for event in reversed(events)] == ["revoked", "granted", "granted"]
    assert contest.prizes() == 1
    assert contest.listed("awards", "awards", edition_id=contest.id, state="granted").keys() == {contest.award(2)}


def gateways(running):
    return [one for one in running.containers if one.service_name == "gateway"]
