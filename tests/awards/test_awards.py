"""Awards on a real broker and database: granted, certified, revoked, and heard of by everybody who keeps one."""

from dataclasses import replace
from datetime import timedelta

import pytest
from eventlet import GreenPool

from services import contract
from services.awards.service import Awards
from services.chassis.problem import NotAllowed, RefusedByRule
from services.contract.district import DISTRICTS
from services.members.service import Members
from services.outreach.service import Outreach
from tests.awards.examples import an_award, an_edition, an_entry
from tests.awards.holding import put
from tests.awards.publicity import a_line, a_notice

GRANT = {"notice_id": "t-1", "document_no": "乐科协〔2011〕9号"}
REVOKE = {"document_no": "乐科协〔2011〕20号", "reason_code": "fraud", "reason": "数据造假"}
TUTOR = {"award_kind": "tutor", "grade": "none", "subject_type": "person", "subject_id": "p-tutor"}


class Ceremony:
    """A list whose publicity period is over: two works that may be shown, and the tutor of one of them."""

    def __init__(self, running):
        self.running = running
        awards = contract.awards
        put(running, awards.Edition.kind, "e-1", an_edition(state="publicity"), happened="publicised")
        for entry_id in ("n-1", "n-2"):
            one = an_entry(state="on_publicity", title=entry_id, exhibition_consent=True)
            one = replace(one, blind_code=entry_id, student_refs=(entry_id,), work_keys=(entry_id,))
            put(running, awards.Entry.kind, entry_id, one, happened="publicised")
        lines = (a_line(1), a_line(2, grade="second"), a_line(3, **TUTOR))
        put(running, awards.Notice.kind, "t-1", a_notice(*lines), happened="published")

    def do(self, method, role="recorder", **arguments):
        return self.running.call("awards", method, by=f"u-{role}", roles=[role], **arguments)

    def refused(self, method, role="recorder", **arguments):
        """The rule by which a command is refused."""
        with pytest.raises(RefusedByRule) as refusal:
            self.do(method, role, **arguments)
        return refusal.value.code

    def grant(self, **changes):
        granted = self.do("grant", "chair", **{**GRANT, **changes})
        self.running.settle()
        return granted

    def issue(self, award_id):
        return self.do("issue_certificate", award_id=award_id, names=["小明"])

    def revoke(self, award_id, **changes):
        revoked = self.do("revoke_award", "chair", award_id=award_id, **{**REVOKE, **changes})
        self.running.settle()
        return revoked

    def held(self, service, plural, **wanted):
        found = self.running.call(service, f"list_{plural}", filter=wanted)["items"]
        return {one["id"]: one for one in found}

    def state(self, kind, id_):
        return self.running.call("awards", f"get_{kind}", id=id_)["state"]


@pytest.fixture
def ceremony(running):
    return Ceremony(running.start(Awards))


@pytest.fixture
def all_who_hear(running):
    return Ceremony(running.start(Awards, Members, Outreach))


def test_each_granted_line_is_an_award_with_a_number_of_its_own(ceremony):
    ceremony.grant()

    awards = ceremony.held("awards", "awards")
    assert {id_: (one["award_kind"], one["grade"], one["certificate_no"]) for id_, one in awards.items()} == {
        "t-1.1": ("graded", "first", "YOUTH-2011-10-0001"),
        "t-1.2": ("graded", "second", "YOUTH-2011-10-0002"),
        "t-1.3": ("tutor", "none", "YOUTH-2011-10-0003"),
    }
    assert (awards["t-1.1"]["person_ids"], awards["t-1.3"]["person_ids"]) == (["p-ming"], ["p-tutor"])
    assert {one["document_no"] for one in awards.values()} == {GRANT["document_no"]}


@pytest.mark.rule("X-01")
def test_a_grant_repeated_after_a_lost_answer_gives_each_award_once(ceremony):
    answers = list(GreenPool().imap(lambda _: ceremony.grant(command_id="g-1"), range(5)))
    codes = {id_: code_of(ceremony, id_) for id_ in ("t-1.1", "t-1.2", "t-1.3")}
    ceremony.running.call("awards", "rearm", roles=["operator"], kind="notice", everything=True)
    ceremony.running.settle()

    assert all(answer == answers[0] for answer in answers)
    assert {one["version"] for one in ceremony.held("awards", "awards").values()} == {1}
    assert {id_: code_of(ceremony, id_) for id_ in codes} == codes


def test_an_award_of_a_list_with_a_long_id_can_be_spoken_of(ceremony):
    notice_id = "t" * 100
    put(ceremony.running, contract.awards.Award.kind, f"{notice_id}.1000", an_award(line_no=1_000), happened="granted")

    assert ceremony.issue(f"{notice_id}.1000")["issued_on"]


def code_of(ceremony, award_id):
    return ceremony.running.database("awards")["award"].find_one({"_id": award_id})["state"]["check_code"]


# --- revocation -------------------------------------------------------------------------------------------------------


@pytest.mark.rule("A-24")
def test_a_revoked_prize_is_recovered_by_a_document_and_the_chair_only(ceremony):
    ceremony.grant()
    assert ceremony.state("entry", "n-1") == "awarded"

    assert ceremony.refused("revoke_award", "chair", award_id="t-1.1", **{**REVOKE, "document_no": None}) == "A-24"
    late = {**REVOKE, "reason_code": "error"}
    ceremony.running.clock.ahead = timedelta(days=184)
    assert ceremony.refused("revoke_award", "chair", award_id="t-1.1", **late) == "A-24"
    with pytest.raises(NotAllowed):
        ceremony.do("revoke_award", "recorder", award_id="t-1.1", **REVOKE)

    ceremony.revoke("t-1.1")
    assert (ceremony.state("award", "t-1.1"), ceremony.state("entry", "n-1")) == ("revoked", "revoked")
    assert (ceremony.state("award", "t-1.2"), ceremony.state("entry", "n-2")) == ("granted", "awarded")


@pytest.mark.rule("A-24")
def test_an_entry_with_two_prizes_is_revoked_with_the_last_of_them(ceremony):
    special = an_award(award_kind="special", grade="none", line_no=9)
    put(ceremony.running, contract.awards.Award.kind, "t-1.9", special, happened="granted")
    ceremony.grant()

    ceremony.revoke("t-1.1")
    assert ceremony.state("entry", "n-1") == "awarded"
    ceremony.revoke("t-1.9")
    assert ceremony.state("entry", "n-1") == "revoked"


@pytest.mark.rule("A-24")
def test_an_entry_that_is_in_step_only_after_its_award_was_revoked_is_revoked_all_the_same(ceremony):
    put(ceremony.running, contract.awards.Award.kind, "t-1.1", an_award(line_no=1), happened="granted")
    ceremony.revoke("t-1.1")
    assert ceremony.state("entry", "n-1") == "on_publicity"

    ceremony.grant()

    assert (ceremony.state("entry", "n-1"), ceremony.state("entry", "n-2")) == ("revoked", "awarded")


@pytest.mark.rule("A-25")
def test_no_command_edits_what_was_granted(ceremony):
    ceremony.grant()
    before = ceremony.held("awards", "awards")["t-1.1"]
    ceremony.issue("t-1.1")
    assert ceremony.refused("issue_certificate", award_id="t-1.1", names=["小鸣"]) == "A-25"

    ceremony.do("withdraw_exhibition_consent", award_id="t-1.1")
    ceremony.revoke("t-1.1")

    after = ceremony.held("awards", "awards")["t-1.1"]
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {
        "version", "issued_on", "exhibition_consent", "consent_withdrawn_on", "state", "reason_code", "revoked_on",
        "revocation_document_no",
    }  # fmt: skip


def test_the_names_of_a_certificate_are_read_by_staff_of_its_district_or_of_none(ceremony):
    ceremony.grant()
    ceremony.issue("t-1.1")
    district = ceremony.held("awards", "awards")["t-1.1"]["district"]
    other = next(code for code in DISTRICTS if code != district)

    for place in (district, None):
        assert ceremony.do("certificate_of", award_id="t-1.1", at=place)["names"] == ["小明"]
    for award_id in ("t-1.1", "t-unknown"):
        with pytest.raises(NotAllowed):
            ceremony.do("certificate_of", award_id=award_id, at=other)


# --- the end of an edition --------------------------------------------------------------------------------------------


@pytest.mark.rule("A-34")
def test_an_edition_is_archived_with_the_last_certificate_of_what_stands(ceremony):
    ceremony.grant()
    assert ceremony.state("edition", "e-1") == "granted"
    ceremony.revoke("t-1.1")
    ceremony.issue("t-1.2")
    assert ceremony.refused("archive_edition", edition_id="e-1") == "A-34"

    ceremony.issue("t-1.3")

    assert ceremony.do("archive_edition", edition_id="e-1")["state"] == "archived"


# --- who hears of it --------------------------------------------------------------------------------------------------


@pytest.mark.rule("X-01", "X-08")
def test_everybody_who_keeps_an_award_hears_of_its_grant_and_its_revocation_once(all_who_hear):
    ceremony = all_who_hear
    ceremony.grant()
    assert versions(ceremony) == {"honours": {1}, "exhibit_candidates": {1}}

    for _ in range(2):
        ceremony.revoke("t-1.1", command_id="r-1")
    ceremony.running.call("awards", "rearm", roles=["operator"], kind="award", everything=True)
    ceremony.running.settle()

    assert {
        one["holder_id"]: (one["state"], one["version"])
        for one in ceremony.held("members", "honours", award_id="t-1.1").values()
    } == {"p-ming": ("withdrawn", 2)}
    assert {one["state"] for one in ceremony.held("members", "honours", award_id="t-1.3").values()} == {"recorded"}
    candidates = ceremony.held("outreach", "exhibit_candidates")
    assert {id_: (one["state"], one["version"]) for id_, one in candidates.items()} == {
        "t-1.1": ("removed", 2),
        "t-1.2": ("proposed", 1),
    }


def versions(ceremony):
    services = {"honours": "members", "exhibit_candidates": "outreach"}
    return {
        plural: {one["version"] for one in ceremony.held(service, plural).values()}
        for plural, service in services.items()
    }


def test_a_work_whose_consent_is_withdrawn_is_shown_no_more_and_its_prize_stands(all_who_hear):
    all_who_hear.grant()

    all_who_hear.do("withdraw_exhibition_consent", award_id="t-1.2")
    all_who_hear.running.settle()

    states = {id_: one["state"] for id_, one in all_who_hear.held("outreach", "exhibit_candidates").items()}
    assert states == {"t-1.1": "proposed", "t-1.2": "removed"}
    assert {one["state"] for one in all_who_hear.held("members", "honours").values()} == {"recorded"}
