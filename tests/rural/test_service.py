import random
from datetime import timedelta

import pytest

from services.chassis.document import event
from services.chassis.problem import Conflict, InvalidInput, NotAllowed, NotFound, RefusedByRule
from services.contract import KINDS
from services.rural.service import Rural

PHOTO = "a" * 64
YEAR = {"first": "2011-01-01", "last": "2011-12-31"}
K3 = {
    "of": "rural.association",
    "where": {"state": "active", "is_new": True},
    "measure": "count",
    "on": "first_registered_on",
}
K4 = {"of": "rural.service_point", "where": {"state": "complete"}, "measure": "count", "on": "completed_on"}
K5 = {
    "of": "rural.fund_receipt",
    "where": {"source_level": ["central", "province"]},
    "measure": {"sum": "net_fen"},
    "on": "received_on",
}
APPROVED = {
    "of": "rural.fund_grant",
    "where": {"source_level": ["central", "province"]},
    "measure": {"sum": "approved_fen"},
    "on": "approved_on",
}


class Staff:
    """The people who work with rural, each in their role."""

    def __init__(self, running):
        self.running = running

    def do(self, method, **arguments):
        by, role = WHO[method.split("_")[0]]
        by = arguments.pop("by", by)
        return self.running.call("rural", method, by=by, roles=[role], **arguments)

    def refused(self, method, **arguments):
        """The rule by which a command is refused."""
        with pytest.raises(RefusedByRule) as refusal:
            self.do(method, **arguments)
        return refusal.value.code

    def counted(self, rule):
        self.running.settle()
        return self.running.call("rural", "tally", rule=rule, **YEAR)

    def an_association(self, association_id, **changes):
        """Prepared only."""
        return self.do("prepare_association", **prepared(association_id, **changes))

    def registered(self, association_id, *, on="2011-03-10", **changes):
        """Registered on that day, and at work."""
        self.an_association(association_id, **changes)
        self.do("register_association", **papers(association_id, registered_on=on))
        return self.do("activate_association", association_id=association_id)

    def a_point(self, point_id, *, parts=("station", "column", "officer"), **changes):
        """Planned, built, and these parts accepted; the officer is called like the point."""
        usual = {
            "point_id": point_id,
            "name": "科普惠农服务站",
            "village_code": f"511126101{random.randrange(1000):03d}",
            "host_id": "a-host",
            "capacity": 80,
        }
        made = self.do("plan_point", **{**usual, **changes})
        for part in ("station", "column", "officer"):
            made = self.do("build_part", point_id=point_id, part=part, person_id=f"p-{part}-{point_id}", phone="0833")
        for part in parts:
            made = self.accept(point_id, part)
        return made

    def accept(self, point_id, part, **changes):
        usual = {"accepted_on": "2011-05-12", "photo_ids": [PHOTO], "content_on": "2011-05-11"}
        return self.do("accept_part", point_id=point_id, part=part, **{**usual, **changes})

    def recheck(self, point_id, part, **changes):
        return self.do("recheck_part", point_id=point_id, part=part, on="2011-12-05", photo_ids=[PHOTO], **changes)

    def a_grant(self, grant_id, **changes):
        return self.do("approve_grant", grant_id=grant_id, **{**DECISION, **changes})

    def receive(self, grant_id, voucher_no, fen, **changes):
        usual = {"voucher_no": voucher_no, "fen": fen, "received_on": "2011-07-01"}
        return self.do("receive_funds", grant_id=grant_id, **{**usual, **changes})


WHO = {
    **dict.fromkeys(("prepare", "file", "register", "plan", "build", "operate"), ("u-li", "recorder")),
    **dict.fromkeys(("activate", "suspend", "accept", "lapse", "recheck", "check"), ("u-wang", "verifier")),
    **dict.fromkeys(("dissolve", "merge", "approve"), ("u-chair", "chair")),
    **dict.fromkeys(("receive", "return"), ("u-finance", "finance")),
}
DECISION = {
    "source_level": "central",
    "approved_fen": 60_000_000,
    "approved_on": "2011-06-01",
    "decision_doc_no": "财教〔2011〕140号",
    "issuer_level": "central",
    "district": "511126",
}


def papers(association_id, **changes):
    usual = {
        "association_id": association_id,
        "registration_no": f"川乐社证字第{association_id}号",
        "registered_on": "2011-03-10",
        "charter_doc": "章程",
        "leader_person_id": "p-luo",
    }
    return {**usual, **changes}


@pytest.fixture
def staff(running):
    running.start(Rural)
    return Staff(running)


def test_a_new_association_counts_towards_k3_while_it_is_at_work(staff):
    staff.an_association("a-1")
    assert staff.counted(K3)["value"] == 0

    staff.do("register_association", **papers("a-1"))
    staff.do("activate_association", association_id="a-1")
    staff.registered("a-2", on="2010-12-31")
    staff.registered("a-3", predecessor_ids=["a-0"])
    assert staff.counted(K3)["value"] == 1

    staff.do("suspend_association", association_id="a-1", reason="停止活动")
    assert staff.counted(K3)["value"] == 0

    staff.do("activate_association", association_id="a-1")
    assert staff.counted(K3)["value"] == 1


@pytest.mark.rule("R-01")
def test_a_township_has_a_name_once_and_another_township_may_have_it_too(staff):
    staff.an_association("a-1", name="吴场镇茶叶协会")

    assert staff.refused("prepare_association", **prepared("a-2", name="吴场镇 茶叶 协会")) == "R-01"
    staff.do("prepare_association", **prepared("a-3", name="吴场镇茶叶协会", township_code="511126102"))


@pytest.mark.rule("R-01", "R-02")
def test_a_dissolved_association_leaves_its_name_to_its_successor_and_its_number_to_nobody(staff):
    staff.registered("a-1", name="吴场镇茶叶协会")
    staff.do("dissolve_association", association_id="a-1", reason="会员大会决定")

    again = prepared("a-2", name="吴场镇茶叶协会")
    assert staff.refused("prepare_association", **again) == "R-02"
    assert not staff.do("prepare_association", **again, predecessor_ids=["a-1"])["is_new"]
    number = papers("a-2", registration_no="川乐社证字第 a-1 号")
    assert staff.refused("register_association", **number) == "R-01"
    assert staff.do("register_association", **papers("a-2"))["state"] == "registered"


def test_a_preparation_that_was_given_up_leaves_its_name_free(staff):
    staff.an_association("a-1", name="吴场镇茶叶协会")
    staff.do("dissolve_association", association_id="a-1", reason="放弃筹备")

    assert staff.do("prepare_association", **prepared("a-2", name="吴场镇茶叶协会"))["is_new"]


@pytest.mark.rule("R-02")
def test_the_survivor_of_mergers_has_the_first_day_of_the_eldest_however_often_it_is_told(staff):
    staff.registered("a-1", on="2011-03-10")
    staff.registered("a-2", on="2011-04-01")
    staff.registered("a-3", on="2008-09-01")

    merged = staff.do("merge_associations", association_id="a-3", into_id="a-1", command_id="m-1")
    staff.do("merge_associations", association_id="a-1", into_id="a-2")
    again = staff.do("merge_associations", association_id="a-3", into_id="a-1", command_id="m-1")
    staff.running.settle()
    tell_again(staff.running, "association", "merged")

    assert again == merged
    survivor = staff.running.call("rural", "get_association", id="a-2")
    assert survivor["first_registered_on"] == "2008-09-01"
    assert staff.counted(K3)["value"] == 0
    history = staff.running.call("rural", "history_of_association", id="a-2")
    assert [one["happened"] for one in history["versions"]].count("absorbed") == 2


@pytest.mark.rule("R-02", "X-12")
def test_of_two_associations_only_one_is_absorbed_by_the_other(staff):
    staff.registered("a-1")
    staff.registered("a-2")

    assert staff.refused("merge_associations", association_id="a-1", into_id="a-1") == "R-02"
    staff.do("merge_associations", association_id="a-1", into_id="a-2")
    assert staff.refused("merge_associations", association_id="a-2", into_id="a-1") == "X-12"
    reopened = {"_id": "a-1"}, {"$set": {"state.state": "active"}}  # as when both were asked for at the same moment
    staff.running.database("rural").association.update_one(*reopened)
    assert staff.refused("merge_associations", association_id="a-2", into_id="a-1") == "R-02"


@pytest.mark.rule("R-20")
def test_an_association_is_dissolved_only_after_its_station_or_that_of_one_it_absorbed_has_ended(staff):
    staff.registered("a-1")
    staff.registered("a-2")
    staff.a_point("p-1", host_id="a-1")
    dissolve = {"association_id": "a-1", "reason": "会员大会决定"}

    assert staff.refused("dissolve_association", **dissolve) == "R-20"
    staff.do("merge_associations", association_id="a-1", into_id="a-2")
    staff.running.settle()
    assert staff.refused("dissolve_association", **{**dissolve, "association_id": "a-2"}) == "R-20"
    staff.do("lapse_part", point_id="p-1", part="station", reason="停办")
    assert staff.do("dissolve_association", **{**dissolve, "association_id": "a-2"})["state"] == "dissolved"


def test_nineteen_sets_and_two_parts_are_19_and_the_officer_makes_20_and_silence_19_again(staff):
    for number in range(19):
        staff.a_point(f"p-{number}", village_code=f"511126101{number:03d}")
    staff.a_point("p-19", village_code="511126101019", parts=("station", "column"))
    assert staff.counted(K4)["value"] == 19

    assert staff.accept("p-19", "officer")["state"] == "complete"
    assert staff.counted(K4)["value"] == 20

    for number in range(1, 20):
        for part in ("station", "column"):
            staff.do("operate_part", point_id=f"p-{number}", part=part, on="2011-10-01")
    checked = [staff.do("check_point", point_id=f"p-{number}", on="2011-12-01") for number in range(20)]
    assert [point["state"] for point in checked] == ["lapsed"] + ["complete"] * 19
    assert staff.counted(K4)["value"] == 19

    staff.recheck("p-0", "station")
    assert staff.recheck("p-0", "column")["completed_on"] == "2011-05-12"
    assert staff.counted(K4)["value"] == 20


@pytest.mark.rule("R-16")
def test_a_village_has_one_complete_set(staff):
    staff.a_point("p-1", village_code="511126101203")
    staff.a_point("p-2", village_code="511126101203", parts=("station", "column"))
    third = {"point_id": "p-2", "part": "officer", "accepted_on": "2011-06-01", "photo_ids": [PHOTO]}

    assert staff.refused("accept_part", **third) == "R-16"
    staff.do("lapse_part", point_id="p-1", part="column", reason="栏板损坏")
    assert staff.do("accept_part", **third)["state"] == "complete"
    back = {"point_id": "p-1", "part": "column", "on": "2011-12-01", "photo_ids": [PHOTO]}
    assert staff.refused("recheck_part", **back) == "R-16"


@pytest.mark.rule("R-16")
def test_a_person_is_the_officer_of_one_point_until_he_lapses(staff):
    staff.a_point("p-1", village_code="511126101203")
    staff.do("plan_point", point_id="p-2", name="站", village_code="511126101204", host_id="a-1")
    officer = {"part": "officer", "person_id": "p-officer-p-1", "phone": "0833"}

    assert staff.refused("build_part", point_id="p-2", **officer) == "R-16"
    staff.do("lapse_part", point_id="p-1", part="officer", reason="外出务工")
    assert staff.do("build_part", point_id="p-2", **officer)["officer"] == "built"


@pytest.mark.rule("R-17")
def test_a_part_is_not_accepted_by_its_builder_nor_without_photo(staff):
    staff.a_point("p-1", parts=())
    acceptance = {"point_id": "p-1", "part": "station", "accepted_on": "2011-05-12"}

    assert staff.refused("accept_part", **acceptance, photo_ids=[PHOTO], by="u-li") == "R-17"
    assert staff.refused("accept_part", **acceptance) == "R-17"
    assert staff.do("accept_part", **acceptance, photo_ids=[PHOTO])["station"] == "accepted"


def test_a_check_that_finds_nothing_changes_nothing(staff):
    complete = staff.a_point("p-1")

    assert staff.do("check_point", point_id="p-1", on="2011-06-01") == complete


@pytest.mark.rule("R-10")
def test_k5_is_what_came_from_centre_and_province_less_what_went_back(staff):
    province = {"source_level": "province", "issuer_level": "province", "decision_doc_no": "川财教〔2011〕88号"}
    staff.a_grant("g-c", approved_fen=60_000_000)
    staff.a_grant("g-p", approved_fen=45_000_000, **province)
    staff.a_grant("g-l", approved_fen=90_000_000, **{**province, "source_level": "city", "issuer_level": "city"})

    staff.receive("g-c", "C-1", 60_000_000)
    staff.receive("g-p", "P-1", 30_000_000)
    staff.receive("g-p", "P-2", 8_000_000)
    staff.receive("g-l", "L-1", 90_000_000)
    staff.do("return_funds", grant_id="g-p", voucher_no="P-2", fen=2_000_000, reason="结余退回")

    assert staff.counted(K5)["value"] == 96_000_000
    assert staff.counted(APPROVED)["value"] == 105_000_000


def test_receipts_are_the_same_however_often_and_in_whatever_order_the_grant_is_told(staff):
    staff.a_grant("g-1", approved_fen=60_000_000)
    for number in range(1, 5):
        staff.receive("g-1", f"V-{number}", number * 1_000_000)
    staff.do("return_funds", grant_id="g-1", voucher_no="V-4", fen=3_000_000, reason="退回")
    staff.do("return_funds", grant_id="g-1", voucher_no="V-4", fen=1_000_000, reason="退回")
    staff.running.settle()
    kept = receipts(staff.running)
    assert sorted(one["net_fen"] for one in kept) == [0, 1_000_000, 2_000_000, 3_000_000]

    tell_again(staff.running, "fund_grant", "received", "returned")
    assert receipts(staff.running) == kept

    staff.running.database("rural").fund_receipt.delete_many({})  # a world in which they arrive in disorder at first
    tell_again(staff.running, "fund_grant", "received", "returned")
    assert [without_version(one) for one in receipts(staff.running)] == [without_version(one) for one in kept]


@pytest.mark.rule("R-10", "X-01")
def test_a_voucher_stands_in_one_grant_and_a_repeated_receipt_of_money_counts_once(staff):
    staff.a_grant("g-1")
    staff.a_grant("g-2")

    first = staff.receive("g-1", "V-1", 5_000_000, command_id="c-1")
    assert staff.receive("g-1", "V-1", 5_000_000, command_id="c-1") == first
    for same in ("v - 1", "V-1\u200b", "Ｖ－１"):
        voucher = {"voucher_no": same, "fen": 1, "received_on": "2011-07-01"}
        assert staff.refused("receive_funds", grant_id="g-1", **voucher) == "R-10"
        assert staff.refused("receive_funds", grant_id="g-2", **voucher) == "R-10"
    assert staff.counted(K5)["value"] == 5_000_000


@pytest.mark.rule("R-10", "R-21", "X-05", "X-06")
def test_each_rule_of_money_is_named_to_the_caller(staff):
    staff.a_grant("g-1", approved_fen=100)
    decision = {name: value for name, value in DECISION.items() if name != "source_level"}
    voucher = {"grant_id": "g-1", "voucher_no": "V-1", "received_on": "2011-07-01"}

    assert staff.refused("approve_grant", **decision) == "R-21"
    assert staff.refused("approve_grant", **{**DECISION, "issuer_level": "city"}) == "R-21"
    assert staff.refused("approve_grant", **{**DECISION, "decision_doc_no": None}) == "R-10"
    assert staff.refused("receive_funds", **voucher, fen=101) == "R-10"
    assert staff.refused("receive_funds", **voucher, fen=100, by="u-chair") == "X-05"
    for wrong in (-1, 0.5, "100", None, 0):
        with pytest.raises(InvalidInput) as refusal:
            staff.do("receive_funds", **voucher, fen=wrong)
        assert [error.rule for error in refusal.value.errors] == ["X-06"]


def test_money_ends_at_a_hundred_billion_yuan_so_that_it_can_be_added_up(staff):
    most = 10**13
    for deed, given in {
        "approve_grant": {**DECISION, "approved_fen": most + 1},
        "receive_funds": {"grant_id": "g-1", "voucher_no": "V-1", "received_on": "2011-07-01", "fen": most + 1},
        "return_funds": {"grant_id": "g-1", "voucher_no": "V-1", "fen": most + 1, "reason": "退回"},
    }.items():
        with pytest.raises(InvalidInput):
            staff.do(deed, **given)

    for number in (1, 2):
        staff.a_grant(f"g-{number}", approved_fen=most)
        staff.receive(f"g-{number}", f"V-{number}", most)
    assert (staff.counted(APPROVED)["value"], staff.counted(K5)["value"]) == (2 * most, 2 * most)


@pytest.mark.rule("X-07")
def test_nothing_has_happened_on_a_day_that_is_still_to_come_by_the_clock_of_shanghai(staff):
    tomorrow = (staff.running.clock.today() + timedelta(days=1)).isoformat()
    staff.an_association("a-1")
    staff.a_point("p-1", parts=("station", "column"))
    staff.do("lapse_part", point_id="p-1", part="column", reason="破损")
    staff.a_grant("g-1")
    filing = {"filing_no": "1", "charter_doc": "章程", "leader_person_id": "p-luo"}
    money = {"grant_id": "g-1", "voucher_no": "V-1", "fen": 1}
    too_early = {
        "file_association": {"association_id": "a-1", **filing, "filed_on": tomorrow},
        "register_association": papers("a-1", registered_on=tomorrow),
        "accept_part": {"point_id": "p-1", "part": "officer", "accepted_on": tomorrow, "photo_ids": [PHOTO]},
        "operate_part": {"point_id": "p-1", "part": "station", "on": tomorrow},
        "recheck_part": {"point_id": "p-1", "part": "column", "on": tomorrow, "photo_ids": [PHOTO]},
        "check_point": {"point_id": "p-1", "on": tomorrow},
        "approve_grant": {**DECISION, "approved_on": tomorrow},
        "receive_funds": {**money, "received_on": tomorrow},
    }

    assert {deed: staff.refused(deed, **given) for deed, given in too_early.items()} == dict.fromkeys(too_early, "X-07")
    staff.running.clock.ahead = timedelta(days=1)
    for deed, given in too_early.items():
        staff.do(deed, **given)


def test_a_recorder_of_one_district_keeps_to_it_and_money_is_for_finance(staff):
    here = prepared("a-1", township_code="511126101")

    with pytest.raises(NotAllowed):
        staff.running.call("rural", "prepare_association", at="511102", **here)
    assert staff.running.call("rural", "prepare_association", at="511126", **here)["district"] == "511126"
    with pytest.raises(NotAllowed):
        staff.running.call("rural", "receive_funds", grant_id="g-1", voucher_no="V-1", fen=1, received_on="2011-07-01")


@pytest.mark.rule("X-03")
def test_a_command_on_an_old_version_changes_nothing(staff):
    staff.registered("a-1")

    with pytest.raises(Conflict):
        staff.do("suspend_association", association_id="a-1", reason="停止活动", expected_version=1)
    assert staff.running.call("rural", "get_association", id="a-1")["state"] == "active"


WRONG = [
    ("township_code", "511126"),
    ("township_code", "510104001"),
    ("township_code", "５１１１２６１０１"),
    ("name", " "),
    ("members_count", None),
    ("predecessor_ids", ["a 0"]),
    ("district", "511126"),
]


def test_wrong_input_is_named_by_its_field(staff):
    for field, wrong in WRONG:
        with pytest.raises(InvalidInput) as refusal:
            staff.do("prepare_association", **prepared("a-1", **{field: wrong}))

        assert [error.field for error in refusal.value.errors] == [field]


def test_what_is_not_there_is_not_found(staff):
    staff.registered("a-1")

    with pytest.raises(NotFound):
        staff.do("merge_associations", association_id="a-1", into_id="a-9")
    with pytest.raises(NotFound):
        staff.do("check_point", point_id="p-9", on="2011-06-01")


@pytest.mark.rule("X-08")
def test_no_event_of_rural_names_a_person_or_says_why(staff):
    staff.registered("a-1", name="吴场镇茶叶协会")
    staff.do("suspend_association", association_id="a-1", reason="罗某失联")
    staff.a_point("p-1")
    staff.do("lapse_part", point_id="p-1", part="officer", reason="何某外出")

    said = str([view for kind in ("association", "service_point") for view in published(staff.running, kind)])

    assert "吴场镇" in said
    for private in ("p-luo", "p-officer", "0833", "罗某", "何某", PHOTO):
        assert private not in said


def prepared(association_id, **changes):
    usual = {
        "association_id": association_id,
        "name": f"茶叶协会{association_id}",
        "industry": "茶叶",
        "township_code": "511126101",
        "members_count": 62,
    }
    return {**usual, **changes}


def told(running, kind, *happenings):
    """The events of all records of a kind, as they were told."""
    for held in running.database("rural")[kind].find():
        for entry in held["history"]:
            if entry["happened"] in happenings or not happenings:
                yield event(KINDS[f"rural.{kind}"], held["_id"], entry)


def published(running, kind):
    return [one.write().decode() for one in told(running, kind)]


def tell_again(running, kind, *happenings):
    """Put the events of a kind on the exchange again, three times, in disorder."""
    again = list(told(running, kind, *happenings)) * 3
    random.Random(7).shuffle(again)
    running.publish(*again)
    running.settle()


def receipts(running):
    return running.call("rural", "list_fund_receipts")["items"]


def without_version(item):
    return {name: value for name, value in item.items() if name != "version"}
