"""Award lists, their objections and the grant, on a real broker and database."""

from dataclasses import replace
from datetime import timedelta

import bson
import pytest
from eventlet import GreenPool
from structlog.testing import capture_logs

from services import contract
from services.awards.domain.judging_round import gather
from services.awards.service import Awards
from services.chassis.document import Cause, entry, first_version, state_of
from services.chassis.problem import NotAllowed, RefusedByRule
from services.chassis.tokens import Actor
from services.contract.event import Event, cause_of
from services.kernel import Change
from tests.awards import examples, rounds
from tests.awards.publicity import DOCUMENT, LAST_MOMENT, MINUTE, OVER, WITHIN, ZHANG, a_notice, deliberated
from tests.chassis.outsider import Witness

START = WITHIN - timedelta(days=2)  # 3 May 2011
ENTRIES = [f"n-{number}" for number in range(1, 7)]
LIST = {
    "edition_id": "e-1", "minute_no": MINUTE, "minute_sha256": "d" * 64, "starts_on": "2011-05-03",
    "url": "https://lskx.example/list", "office_line": "0833-2442121",
}  # fmt: skip
WHO = {"objector_name": "张三", "id_number": "511102197001010011", "unit": "市一中", "phone": "13990601234"}
OBJECTION = {**WHO, "grounds": "与我的作品雷同", "evidence_ids": ["c" * 64]}


class Office:
    """Those who publish, object and grant, by a clock that stands in May 2011."""

    def __init__(self, running):
        self.running = running
        self.at(START)

    def at(self, instant):
        self.running.clock.now = lambda: instant

    def do(self, method, *, by="u-chair", role="chair", **arguments):
        return self.running.call("awards", method, by=by, roles=[role], **arguments)

    def refused(self, method, **arguments):
        """The rule by which a command is refused."""
        with pytest.raises(RefusedByRule) as refusal:
            self.do(method, **arguments)
        return refusal.value.code

    def publish(self, notice_id="t-1", **changes):
        published = self.do("publish_list", notice_id=notice_id, **{**LIST, **changes})
        self.running.settle()
        return published

    def grant(self, **changes):
        granted = self.do("grant", **{"notice_id": "t-1", "document_no": DOCUMENT, **changes})
        self.running.settle()
        return granted

    def object(self, objection_id="o-1", *, line_no=1, **changes):
        told = {**OBJECTION, **changes}
        filed = self.do(
            "file_objection", role="recorder", objection_id=objection_id, notice_id="t-1", line_no=line_no, **told
        )
        self.running.settle()
        return filed

    def decide(self, outcome, objection_id="o-1"):
        """Accepted, looked into by u-wang and decided."""
        self.do("accept_objection", objection_id=objection_id)
        self.do("investigate_objection", objection_id=objection_id, handler_id="u-wang")
        decision = {"outcome": outcome, "reason": "经核查属实"}
        decided = self.do("decide_objection", by="u-wang", role="verifier", objection_id=objection_id, **decision)
        self.running.settle()
        return decided

    def lines(self):
        listed = self.running.call("awards", "get_notice", id="t-1")["lines"]
        return " ".join(f"{line['subject_id']}:{line['grade']}:{line['state']}" for line in listed)

    def states(self):
        """The edition's, and those of its entries."""
        listed = self.running.call("awards", "list_entries", order="id", limit=50)["items"]
        edition = self.running.call("awards", "get_edition", id="e-1")["state"]
        return edition, " ".join(one["state"] for one in listed)

    def keep(self, view, record, record_id):
        """A record that is there already, and of which everybody has heard."""
        cause = Cause(because="seed", actor=Actor("u-seed"), at=START)
        first = entry(view.kind, Change(record, view.kind.happenings[0]), cause, version=1, after="")
        document = first_version(record_id, state_of(view.kind, record), first, traceparent=None)
        del document["pending"]
        self.running.database("awards")[view.kind.name].insert_one({**document, "published": 1})

    def keep_notice(self, *, state="published"):
        """A list of the edition, and nobody has heard of it yet."""
        self.keep(contract.awards.Notice, a_notice(state=state), "t-1")

    def tell_again(self, view, record_id, happened):
        """An event of a record's first version, as after a restore."""
        held = self.running.database("awards")[view.kind.name].find_one({"_id": record_id})["history"][0]
        self.running.publish(
            Event(
                kind=view.kind, record=record_id, version=1, happened=happened, time=held["at"], actor=held["by"],
                cause=cause_of(held["because"]), hash=held["hash"], data=held["view"],
            )
        )  # fmt: skip
        self.running.settle()

    def judge(self, edition, table):
        """An edition whose only round was closed with these scores, by judge and entry."""
        of = rounds.entries(*ENTRIES, state="proposed")
        sheets = rounds.sheets(table)
        closed = rounds.a_round(*ENTRIES, state="closed", advanced_ids=tuple(ENTRIES))
        found = gather([closed], edition=edition, entries=of, sheets=sheets).standings()
        self.keep(contract.awards.Edition, edition, "e-1")
        self.keep(contract.awards.Round, replace(closed, inputs_hash=found.inputs_hash), "e-1.1")
        for number, sheet in enumerate(sheets):
            self.keep(contract.awards.ScoreSheet, sheet, f"s-{number}")
        for number, (entry_id, one) in enumerate(of.items()):
            code = {"blind_code": f"CODE{number}", "student_refs": (), "work_keys": ()}
            self.keep(contract.awards.Entry, replace(one, **code), entry_id)


def scores(*reached):
    """Of four judges who agree, one more than there have to be."""
    return {judge: dict(zip(ENTRIES, reached, strict=True)) for judge in ("p-1", "p-2", "p-3", "p-4")}


@pytest.fixture
def empty_office(running):
    running.start(Awards)
    return Office(running)


@pytest.fixture
def office(empty_office):
    """An edition with a first and two second prizes for six entries that reached 90, 80, ..."""
    empty_office.judge(deliberated(), scores(90, 80, 70, 60, 50, 40))
    return empty_office


# --- the publication --------------------------------------------------------------------------------------------------


def test_a_list_follows_from_the_results_and_edition_and_entries_follow_the_list(office):
    published = office.publish()

    assert (published["starts_at"], published["ends_at"]) == ("2011-05-03T00:00:00+08:00", "2011-05-10T00:00:00+08:00")
    assert office.lines() == "n-1:first:proposed n-2:second:proposed n-3:second:proposed"
    assert [line["decided_by"] for line in published["lines"]] == ["adjusted_mean"] * 3
    assert office.states() == ("publicity", "on_publicity on_publicity on_publicity proposed proposed proposed")


@pytest.mark.rule("A-20", "A-18", "X-07")
def test_a_list_that_is_unfounded_or_longer_than_the_quotas_is_refused(office):
    up = {"entry_id": "n-4", "grade": "second", "reason": "终审答辩突出", "minute": MINUTE}

    assert office.refused("publish_list", **{**LIST, "minute_no": None}) == "A-20"
    assert office.refused("publish_list", **LIST, decisions=[{**up, "reason": None}]) == "A-20"
    assert office.refused("publish_list", **LIST, decisions=[up]) == "A-18"
    assert office.refused("publish_list", **{**LIST, "starts_on": "2011-05-02"}) == "X-07"

    office.publish(decisions=[up, {**up, "entry_id": "n-3", "grade": "none", "reason": "作者放弃"}])
    assert office.lines() == "n-1:first:proposed n-2:second:proposed n-4:second:proposed"


@pytest.mark.rule("A-19")
def test_a_tie_at_the_last_first_prize_has_to_be_resolved_before(empty_office):
    office = empty_office
    office.judge(deliberated(), scores(90, 90, 70, 60, 50, 40))
    assert office.refused("publish_list", **LIST) == "A-19"

    voted = [{"order": ["n-2", "n-1"], "minute": MINUTE}]
    office.running.database("awards")["round"].update_one({"_id": "e-1.1"}, {"$set": {"state.votes": voted}})
    published = office.publish()
    assert office.lines() == "n-2:first:proposed n-1:second:proposed n-3:second:proposed"
    assert [line["decided_by"] for line in published["lines"]] == ["committee", "committee", "adjusted_mean"]


@pytest.mark.rule("A-20")
def test_scores_that_count_no_longer_since_the_round_was_closed_found_no_list(office):
    sheets = office.running.database("awards")["score_sheet"]
    sheets.update_one({"_id": "s-0"}, {"$set": {"state.flagged": "institutional"}})

    assert office.refused("publish_list", **LIST) == "A-20"


@pytest.mark.rule("A-20")
def test_a_list_waits_for_every_entry_and_comes_once(office):
    office.keep(contract.awards.Entry, examples.an_entry(state="returned", entrants=["p-hong"]), "n-7")
    assert office.refused("publish_list", **LIST) == "A-20"

    office.running.database("awards")["entry"].delete_one({"_id": "n-7"})
    office.publish()
    assert office.refused("publish_list", **LIST) == "X-12"


@pytest.mark.rule("A-20")
def test_of_several_chairs_who_publish_at_the_same_moment_one_gets_through(office):
    def publish(number):
        try:
            return office.do("publish_list", by=f"u-chair-{number}", **LIST)["state"]
        except RefusedByRule as refused:
            return refused.code

    outcomes = sorted(GreenPool().imap(publish, range(6)))

    assert outcomes[-1] == "published"
    assert set(outcomes[:-1]) <= {"A-20", "X-12"}
    assert office.running.database("awards")["notice"].count_documents({}) == 1


@pytest.mark.rule("X-01")
def test_a_publication_sent_again_answers_its_first_outcome_whatever_became_of_the_list(office):
    first = office.do("publish_list", **LIST, command_id="c-1")
    office.running.settle()

    assert office.do("publish_list", **LIST, command_id="c-1") == first


def test_a_withdrawn_list_leaves_its_place_to_the_next(office):
    office.publish()
    office.do("withdraw_notice", notice_id="t-1", reason="名单有误")
    office.running.settle()
    assert office.states() == ("deliberation", "proposed proposed proposed proposed proposed proposed")

    other = [{"award_kind": "special", "subject_type": "entry", "subject_id": "n-6"}]
    assert office.publish("t-2", other_awards=other)["state"] == "published"
    assert office.states() == ("publicity", "on_publicity on_publicity on_publicity proposed proposed on_publicity")


@pytest.mark.rule("A-21")
def test_an_objection_to_a_withdrawn_list_holds_the_prize_on_the_next_one(office):
    organisation = [{"award_kind": "organisation", "subject_type": "organisation", "subject_id": "o-1"}]
    office.publish(other_awards=organisation)
    office.object("o-1", line_no=1)
    office.object("o-2", line_no=4)
    office.do("withdraw_notice", notice_id="t-1", reason="名单有误")
    office.running.settle()
    office.publish("t-2", other_awards=organisation)
    assert office.states()[1].startswith("on_hold on_publicity on_publicity")

    office.at(OVER)
    granted = office.grant(notice_id="t-2")
    assert [line["state"] for line in granted["lines"]] == ["held", "granted", "granted", "held"]

    office.decide("dismissed", "o-1")
    assert office.states()[1].startswith("on_publicity awarded awarded")


def test_what_was_refuted_on_a_withdrawn_list_has_no_prize_on_the_next_one(office):
    office.publish()
    office.object()
    office.do("withdraw_notice", notice_id="t-1", reason="名单有误")
    office.running.settle()
    office.decide("upheld")

    published = office.publish("t-2")
    assert [line["entry_id"] for line in published["lines"]] == ["n-2", "n-3", "n-4"]


@pytest.mark.rule("X-04")
def test_a_round_is_neither_reopened_nor_voted_on_under_a_list_that_its_edition_has_not_heard_of(office):
    office.keep_notice()
    vote = {"category_code": "innovation", "order": ["n-2", "n-1"], "minute_no": MINUTE}

    assert office.states()[0] == "deliberation"
    assert office.refused("reopen_round", round_id="e-1.1", reason="重审") == "X-04"
    assert office.refused("resolve_tie", round_id="e-1.1", **vote) == "X-04"


@pytest.mark.parametrize("happened", ["started", "closed"])
def test_an_event_of_a_round_that_is_told_again_takes_nobody_off_the_list(office, happened):
    office.publish()
    office.object()
    before = office.states()

    office.tell_again(contract.awards.Round, "e-1.1", happened)
    assert office.states() == before


@pytest.mark.rule("X-12")
def test_the_list_of_an_edition_that_is_cancelled_is_granted_no_more(office):
    office.publish()
    office.do("cancel_edition", edition_id="e-1", reason="经费未落实")
    office.running.settle()

    office.at(OVER)
    assert office.refused("grant", notice_id="t-1", document_no=DOCUMENT) == "X-12"


@pytest.mark.rule("X-12")
def test_nothing_is_granted_in_a_cancelled_edition_whose_list_has_not_heard_of_it(office):
    office.keep_notice()
    office.running.database("awards")["edition"].update_one({"_id": "e-1"}, {"$set": {"state.state": "cancelled"}})

    office.at(OVER)
    assert office.refused("grant", notice_id="t-1", document_no=DOCUMENT) == "X-12"


@pytest.mark.rule("X-12")
def test_an_edition_is_not_cancelled_whose_prizes_are_granted_without_its_having_heard_of_it(office):
    office.keep_notice(state="granted")

    assert office.states()[0] == "deliberation"
    assert office.refused("cancel_edition", edition_id="e-1", reason="经费未落实") == "X-12"


# --- the grant --------------------------------------------------------------------------------------------------------


@pytest.mark.rule("A-21", "X-07")
def test_prizes_are_granted_on_day_8_at_midnight_and_not_a_moment_before(office):
    office.publish()
    office.at(LAST_MOMENT)
    assert office.refused("grant", notice_id="t-1", document_no=DOCUMENT) == "A-21"

    office.at(OVER)
    assert office.refused("grant", notice_id="t-1") == "A-21"
    granted = office.grant()
    assert {(line["document_no"], line["granted_on"]) for line in granted["lines"]} == {(DOCUMENT, "2011-05-10")}
    assert office.states() == ("granted", "awarded awarded awarded not_awarded not_awarded not_awarded")


@pytest.mark.rule("A-21", "X-01")
def test_of_several_chairs_who_grant_at_the_same_moment_one_gets_through_and_a_repetition_answers_the_same(office):
    office.publish()
    office.at(OVER)

    def grant(number):
        document_no = f"乐科协〔2011〕{number}号"
        try:
            return office.do("grant", notice_id="t-1", document_no=document_no, command_id=f"c-{number}")["version"]
        except RefusedByRule as refused:
            return refused.code

    outcomes = list(GreenPool().imap(grant, range(6)))

    assert sorted(outcomes, key=str) == [2, "A-21", "A-21", "A-21", "A-21", "A-21"]
    assert grant(outcomes.index(2)) == 2
    assert len({line["document_no"] for line in office.running.call("awards", "get_notice", id="t-1")["lines"]}) == 1


@pytest.mark.rule("A-21")
def test_with_an_open_objection_only_that_line_waits_and_is_granted_later_or_never(office):
    office.publish()
    office.object("o-1", line_no=1)
    office.object("o-2", line_no=2)
    assert office.states()[1] == "on_hold on_hold on_publicity proposed proposed proposed"

    office.at(OVER)
    office.grant()
    assert office.lines() == "n-1:first:held n-2:second:held n-3:second:granted"
    assert office.states() == ("granted", "on_hold on_hold awarded not_awarded not_awarded not_awarded")

    office.decide("dismissed", "o-1")
    office.decide("upheld", "o-2")
    assert office.lines() == "n-1:first:held n-2:second:struck n-3:second:granted"
    assert office.states()[1].startswith("on_publicity not_awarded awarded")
    later = office.grant(document_no="乐科协〔2011〕20号")
    assert [line["document_no"] for line in later["lines"]] == ["乐科协〔2011〕20号", None, DOCUMENT]
    assert office.states()[1] == "awarded not_awarded awarded not_awarded not_awarded not_awarded"
    assert office.refused("grant", notice_id="t-1", document_no=DOCUMENT) == "A-21"


@pytest.mark.rule("A-21")
def test_an_objection_of_the_last_moment_counts_whether_or_not_the_list_has_heard_of_it(office):
    office.publish()
    office.at(LAST_MOMENT)
    office.do("file_objection", role="recorder", notice_id="t-1", line_no=1, **OBJECTION)
    office.at(OVER)
    office.grant()

    assert office.lines() == "n-1:first:held n-2:second:granted n-3:second:granted"


def test_two_objections_to_one_line_hold_it_until_both_are_decided(office):
    office.publish()
    office.object("o-1")
    office.object("o-2")

    office.decide("dismissed", "o-1")
    assert office.states()[1].startswith("on_hold")
    office.do("reject_objection", role="verifier", objection_id="o-2", reason="联系电话系空号")
    office.running.settle()
    assert office.states()[1].startswith("on_publicity")


def test_an_entry_that_is_disqualified_during_the_period_is_struck_and_gets_no_prize(office):
    office.publish()
    office.do("disqualify_entry", entry_id="n-1", reason="抄袭")
    office.at(OVER)
    office.grant()

    assert office.lines() == "n-1:first:struck n-2:second:granted n-3:second:granted"
    assert office.states()[1].startswith("disqualified awarded awarded")


# --- objections -------------------------------------------------------------------------------------------------------


@pytest.mark.rule("A-22")
def test_an_anonymous_objection_is_recorded_and_holds_nothing_and_one_on_day_8_is_refused(office):
    office.publish()
    anonymous = office.object("o-1", **dict.fromkeys(WHO))
    assert (anonymous["state"], anonymous["real_name"], anonymous["lacking"]) == (
        "rejected_formal", False, ["identity", "contact"],
    )  # fmt: skip
    assert office.states()[1].startswith("on_publicity")

    office.at(OVER)
    late = {"notice_id": "t-1", "line_no": 1, **OBJECTION}
    assert office.refused("file_objection", role="recorder", **late) == "A-22"
    assert office.running.database("awards")["objection"].count_documents({}) == 1


@pytest.mark.rule("A-23")
def test_who_handed_in_or_scored_an_entry_neither_handles_nor_reads_an_objection_to_it(office):
    office.publish()
    office.object()
    unheard = {"objection_id": "o-1", "reason": "联系电话系空号"}
    assert office.refused("reject_objection", by="u-li", role="verifier", **unheard) == "A-23"
    office.do("accept_objection", objection_id="o-1")

    for person in ("u-li", "p-1"):  # who submitted it, and one of its judges
        assert office.refused("investigate_objection", objection_id="o-1", handler_id=person) == "A-23"
        assert office.refused("read_objector", by=person, objection_id="o-1") == "A-23"
    office.do("investigate_objection", objection_id="o-1", handler_id="u-wang")
    decision = {"objection_id": "o-1", "outcome": "dismissed", "reason": "查无实据"}
    assert office.refused("decide_objection", by="u-zhao", role="verifier", **decision) == "A-23"


def test_an_objection_is_answered_and_put_to_the_files(office):
    office.publish()
    office.object()
    decided = office.decide("upheld")
    assert (decided["decision"], decided["decided_on"]) == ("upheld", "2011-05-03")

    assert office.do("notify_objection", role="verifier", objection_id="o-1")["state"] == "notified"
    assert office.do("close_objection", role="verifier", objection_id="o-1")["state"] == "closed"
    assert office.lines().startswith("n-1:first:struck")


def test_a_prize_beside_the_grades_is_held_with_the_grade_of_the_same_entry(office):
    office.publish(other_awards=[{"award_kind": "special", "subject_type": "entry", "subject_id": "n-1"}])
    office.object(line_no=4)
    assert office.states()[1].startswith("on_hold on_publicity")

    office.at(OVER)
    office.grant()
    assert office.lines() == "n-1:first:held n-2:second:granted n-3:second:granted n-1:none:held"


# --- who objects ------------------------------------------------------------------------------------------------------


def test_who_handles_an_objection_reads_who_objects_and_that_is_noted_without_saying_who(office):
    office.publish()
    office.object()

    with capture_logs() as logged:
        objector = office.do("read_objector", by="u-wang", role="verifier", objection_id="o-1")

    assert objector == vars(ZHANG)
    assert {"event": "objector read", "objection_id": "o-1", "by": "u-wang", "log_level": "info"} in logged
    assert "张三" not in str(logged)
    with pytest.raises(NotAllowed):
        office.do("read_objector", by="u-li", role="recorder", objection_id="o-1")
    with pytest.raises(NotAllowed):
        office.do("read_objector", by="u-wang", role="verifier", objection_id="o-1", at="511102")


def test_who_objects_is_read_again_where_the_objection_was_filed_without_an_id(office):
    office.publish()
    filed = office.object(None)

    assert office.do("read_objector", objection_id=filed["id"])["objector_name"] == "张三"


@pytest.mark.rule("X-08")
def test_nothing_of_who_objects_is_in_the_database_the_events_or_the_log(office):
    office.publish()
    with capture_logs() as logged, Witness(office.running.settings) as witness:
        filed = office.object()
        office.decide("upheld")
        heard = [event.write() for event in witness.heard]
    everything = {
        "answers": f"{filed} {office.do('history_of_objection', id='o-1')}".encode(),
        "log": str(logged).encode(),
        "events": b" ".join(heard),
        "database": b" ".join(documents(office.running)),
    }

    assert b'"type":"objection.filed"' in everything["events"]
    assert bson.encode({"_id": "o-1"})[4:-1] in everything["database"]
    for private in (*WHO.values(), OBJECTION["grounds"]):
        assert not [where for where, said in everything.items() if private.encode() in said], private


def documents(running):
    """The bytes of everything that the service keeps."""
    held = running.database("awards")
    for name in held.list_collection_names():
        yield from (bson.encode(document) for document in held[name].find())
