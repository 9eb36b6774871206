"""Winners on their way up, on a real broker and database: scenario 5 of the association's rules."""

import pytest
from eventlet import GreenPool

from services.awards.service import Awards
from services.chassis.problem import NotAllowed, RefusedByRule
from tests.awards.test_service import K1
from tests.awards.upward import A_CALL, Upward
from tests.stack import until


@pytest.fixture
def office(running):
    running.start(Awards)
    return Upward(running)


@pytest.mark.rule("A-08")
def test_of_a_quota_of_three_three_winners_go_up_and_no_fourth_and_nobody_who_did_not_win(office):
    office.open()
    office.win("n-1", "n-2", "n-3", "n-4")
    office.submit("n-5")
    office.call_for(places=3)

    for number in (1, 2, 3):
        assert office.nominate(f"m-{number}", f"n-{number}", number)["state"] == "drafted"
    slot = {"nomination_id": "m-4", "call_id": "c-1"}
    assert office.refused("nominate_entry", **slot, entry_id="n-4", slot_no=4) == "A-08"
    assert office.refused("nominate_entry", **slot, entry_id="n-4", slot_no=3) == "A-08"
    assert office.refused("nominate_entry", **slot, entry_id="n-5", slot_no=1) == "A-08"

    office.do("withdraw_nomination", nomination_id="m-3", reason="改推他项")
    assert office.nominate("m-5", "n-4", 3)["slot_no"] == 3


@pytest.mark.rule("A-08")
def test_of_many_who_want_one_slot_at_once_one_gets_it_and_an_entry_has_one_slot(office):
    office.open()
    office.win(*(f"n-{number}" for number in range(6)))
    office.call_for(places=50)

    def try_it(number):
        try:
            return office.nominate(f"m-{number}", f"n-{number}", 7)["state"]
        except RefusedByRule as refused:
            return refused.code

    assert sorted(GreenPool().imap(try_it, range(6))) == ["A-08"] * 5 + ["drafted"]
    (first,) = office.running.call("awards", "list_nominations")["items"]
    same = {"nomination_id": "m-9", "call_id": "c-1", "entry_id": first["entry_id"], "slot_no": 8}
    assert office.refused("nominate_entry", **same) == "A-08"


@pytest.mark.rule("A-08")
def test_a_quota_is_taken_down_once_and_anew_once_it_was_closed(office):
    office.open()
    office.call_for()

    assert office.refused("open_nomination_call", call_id="c-2", **A_CALL) == "A-08"
    office.do("close_nomination_call", call_id="c-1", reason="名额有误")
    assert office.call_for("c-2", places=5)["places"] == 5


@pytest.mark.rule("A-08")
def test_a_call_that_is_taken_down_again_gives_no_slot_and_no_entry_twice(office):
    office.open()
    office.win("n-1", "n-2")
    office.call_for()
    office.nominate("m-1", "n-1", 1)
    office.do("close_nomination_call", call_id="c-1", reason="名额有误")
    office.call_for("c-2")

    again = {"nomination_id": "m-2", "call_id": "c-2"}
    assert office.refused("nominate_entry", **again, entry_id="n-2", slot_no=1) == "A-08"
    assert office.refused("nominate_entry", **again, entry_id="n-1", slot_no=2) == "A-08"
    assert office.do("nominate_entry", **again, entry_id="n-2", slot_no=2)["state"] == "drafted"


@pytest.mark.rule("X-05", "A-08")
def test_a_sealed_slot_stays_what_it_is_and_goes_up_and_comes_back_and_up_again(office):
    office.open()
    office.win("n-1", "n-2")
    office.call_for()
    office.nominate("m-1", "n-1", 1)
    assert office.refused("seal_nomination", nomination_id="m-1", by="u-li") == "X-05"
    assert office.go_up("m-1", "seal")["sealed_on"] == "2011-03-01"

    assert office.refused("withdraw_nomination", nomination_id="m-1", reason="改推他项") == "A-08"
    assert office.refused(
        "nominate_entry", nomination_id="m-2", call_id="c-1", entry_id="n-2", slot_no=1
    ) == "A-08"  # fmt: skip
    office.go_up("m-1", "send", "return")
    assert office.go_up("m-1", "send", "accept")["state"] == "accepted_above"


def test_a_recorder_does_not_seal(office):
    with pytest.raises(NotAllowed):
        office.running.call("awards", "seal_nomination", roles=["recorder"], nomination_id="m-1")


@pytest.mark.rule("A-08")
def test_a_prize_of_the_province_is_the_result_of_the_nomination_and_opens_the_way_to_the_nation(office):
    office.open()
    office.win("n-1", "n-2")
    office.call_for()
    office.call_for("c-2", to_level="national")
    for number in (1, 2):
        office.nominate(f"m-{number}", f"n-{number}", number)
        office.go_up(f"m-{number}", "seal", "send")
    nation = {"nomination_id": "m-3", "call_id": "c-2", "entry_id": "n-1", "slot_no": 1}
    assert office.refused("nominate_entry", **nation) == "A-08"

    office.report("r-1", entry_id="n-1")
    office.do("verify_external_result", result_id="r-1")
    office.running.settle()
    assert office.get("nomination", "m-1")["state"] == "sent_up"
    office.go_up("m-1", "accept")
    until(lambda: office.get("nomination", "m-1")["result_id"] == "r-1")
    assert office.do("nominate_entry", **nation)["to_level"] == "national"

    office.go_up("m-2", "accept")
    office.report("r-2", entry_id="n-2", title="另一作品")
    office.do("verify_external_result", result_id="r-2")
    until(lambda: office.get("nomination", "m-2")["result_id"] == "r-2")
    assert office.get("nomination", "m-2")["version"] == 5


def test_a_nomination_that_won_nothing_is_concluded(office):
    office.open()
    office.win("n-1")
    office.call_for()
    office.nominate("m-1", "n-1", 1)

    told = office.go_up("m-1", "seal", "send", "accept", "conclude")
    assert (told["state"], told["result_id"]) == ("result_known", None)


@pytest.mark.rule("A-26")
def test_60_verified_results_stay_60_when_one_certificate_comes_again_and_what_the_nation_gave_is_counted_apart(office):
    for number in range(60):
        office.report(f"r-{number}", title=f"作品{number}", entry_id=f"n-{number}")
        office.do("verify_external_result", result_id=f"r-{number}")
    office.report("r-nation", level="national", edition_no=26, entry_id="n-7")
    office.do("verify_external_result", result_id="r-nation")

    with pytest.raises(RefusedByRule) as refused:
        office.report("r-again", title="《作品 7》")
    assert refused.value.code == "A-26"
    assert office.counted(K1) == 60
    assert office.counted({**K1, "where": {"state": "verified", "level": "national"}}) == 1
    of_one = office.running.call("awards", "list_external_results", filter={"entry_id": "n-7"})["items"]
    assert [one["id"] for one in of_one] == ["r-7", "r-nation"]


@pytest.mark.rule("X-09")
def test_a_result_of_an_entry_that_nobody_knows_is_taken(office):
    assert office.report("r-1", entry_id="n-unknown")["entry_id"] == "n-unknown"


def test_a_recorder_of_a_district_nominates_what_is_of_the_district(office):
    office.open()
    office.submit("n-1", district="511181")
    office.become("n-1", "awarded")
    office.call_for()

    with pytest.raises(NotAllowed):
        office.do("nominate_entry", at="511102", nomination_id="m-1", call_id="c-1", entry_id="n-1", slot_no=1)
