"""Topics of the campaign on a real broker and database."""

import pytest

from services.awards.service import Awards
from tests.awards.test_entries import a_category
from tests.awards.upward import A_TOPIC, Upward


@pytest.fixture
def office(running):
    running.start(Awards)
    return Upward(running)


@pytest.mark.rule("A-28", "A-31")
def test_a_topic_is_registered_done_accepted_and_entered(office):
    one = {"topic_id": "t-1"}
    office.register_topic()
    office.do("start_topic", **one)
    done = {**one, "completed_on": "2011-02-28", "benefit_fen": 1_200_000_00}
    assert office.refused("complete_topic", **done) == "A-28"
    finished = office.do("complete_topic", **done, verified_by_id="o-tea", proof_sha256="d" * 64)
    assert (finished["state"], finished["benefit_fen"]) == ("completed", 1_200_000_00)
    office.do("accept_topic", **one, accepted_on="2011-03-01")

    office.open(programme_kind="jiangbi", categories=[a_category("collective", participation="organisation")])
    whose = {"category_code": "collective", "entrants": []}
    office.submit("n-1", organisation_id="o-silk", **whose)
    office.submit("n-2", organisation_id="o-tea", **whose)
    assert office.refused("enter_topic", **one, entry_id="n-1") == "A-31"
    assert office.do("enter_topic", **one, entry_id="n-2")["edition_id"] == "e-1"


@pytest.mark.rule("A-07")
def test_an_enterprise_registers_a_topic_once_a_year_and_anew_once_it_was_abandoned(office):
    office.register_topic()
    assert office.refused("register_topic", topic_id="t-2", **{**A_TOPIC, "title": "“蒸青”工艺 节能改造"}) == "A-07"
    office.register_topic("t-3", year=2010)
    office.register_topic("t-4", enterprise_org_id="o-silk")

    office.do("abandon_topic", topic_id="t-1", reason="停产")
    assert office.register_topic("t-5")["state"] == "registered"


def test_a_thousand_topics_come_in_a_sheet(office):
    rows = [[number + 2, {**A_TOPIC, "title": f"课题{number}"}] for number in range(1_000)]
    sheet = {"import_id": "i-1", "command": "register_topic"}
    for first in (0, 500):
        checked = office.running.call("awards", "check_rows", rows=rows[first : first + 500], **sheet, timeout=60)
        assert checked["errors"] == []
    written = office.running.call("awards", "write_rows", after=0, **sheet, timeout=60)

    assert written["rows"] == 500
    assert office.running.call("awards", "write_rows", after=written["through"], **sheet, timeout=60)["rows"] == 500
    assert office.running.database("awards")["topic"].count_documents({"state.state": "registered"}) == 1_000


@pytest.mark.rule("X-05")
def test_who_completed_a_topic_does_not_accept_it(office):
    office.register_topic()
    office.do("start_topic", topic_id="t-1")
    office.do("complete_topic", topic_id="t-1", completed_on="2011-03-01")

    assert office.refused("accept_topic", topic_id="t-1", accepted_on="2011-03-01", by="u-li") == "X-05"
