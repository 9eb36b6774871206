"""Recounts by the owning service, on the real stack: equal where all is well, else every record is named (G-16)."""

import random
from datetime import timedelta

import pytest
from jsonschema import validate

from gateway.reconciliation import own_records, recount_run, recounts
from gateway.reconciliation.jobs import LISTED, SILENT
from gateway.reconciliation.recounts import RecountsProvider
from gateway.upstream import delegation
from services.awards.service import Awards
from services.outreach.service import Outreach
from tests.gateway.examples import COUNT
from tests.gateway.upstream.test_proxy import RESULT
from tests.stack import until

KIND = "outreach.audience_count"
VERIFIER = {"by": "u-wang", "roles": ("verifier",)}


@pytest.fixture(autouse=True)
def _soon(monkeypatch):
    monkeypatch.setattr(recount_run, "PATIENCE", 0.3)
    monkeypatch.setattr(recount_run, "PAUSE", 0.05)


@pytest.fixture
def outreach(gateway):
    """The gateway, with outreach behind it."""
    gateway.running.start(Outreach)
    return gateway


def begin(gateway, kpi, **said):
    answered = gateway.post("/api/v1/recounts", {"kpi": kpi, **said}, **VERIFIER)
    assert answered.status == 202, answered.content
    validate(answered.body, recounts.RECOUNT)
    return answered.headers["Location"]


def recount(gateway, kpi, **said):
    """What it says in the end."""
    address = begin(gateway, kpi, **said)
    told = until(lambda: (told := gateway.get(address).body)["state"] != "running" and told, within=50.0)
    validate(told, recounts.RECOUNT)
    return told


def enter(gateway, number):
    """So many counts, of which both sides have taken in everything."""
    ids = [f"c-{place:05}" for place in range(number)]
    states = {id_: COUNT | {"activity_id": id_, "day": f"2011-05-{place % 28 + 1:02}"} for place, id_ in enumerate(ids)}
    theirs, ours = gateway.running.database("outreach"), gateway.running.database("gateway")
    theirs["audience_count"].insert_many({"_id": id_, "version": 2, "state": dict(states[id_])} for id_ in ids)
    ours["views"].insert_many(
        {"_id": f"{KIND}/{id_}", "kind": KIND, "version": 2, "data": dict(states[id_])} for id_ in ids
    )
    return ids


def views(gateway):
    return gateway.running.database("gateway")["views"]


def named(told, part="counted"):
    """The records that differ, by id."""
    return {one["id"]: one for one in told["records"] if one["part"] == part}


def of(told, part="counted"):
    (found,) = [one for one in told["parts"] if one["part"] == part]
    return found


@pytest.mark.acceptance(11)
def test_a_recount_that_differs_by_one_names_the_record(gateway):
    gateway.running.start(Awards)
    for number in range(1, 6):
        result = RESULT | {"result_id": f"r-{number}", "title": f"小车 {number}"}
        gateway.running.call("awards", "report_external_result", **result)
        gateway.running.call("awards", "verify_external_result", result_id=f"r-{number}", **VERIFIER)
    gateway.running.settle()
    before = recount(gateway, "K1")
    assert (before["equal"], before["differing"], of(before)["shown"]) == (True, 0, {"value": 5, "records": 5})

    views(gateway).delete_one({"_id": "awards.external_result/r-3"})
    told = recount(gateway, "K1")

    assert (told["state"], told["equal"], told["by"]) == ("done", False, "u-wang")
    part = of(told)
    assert (part["ours"], part["theirs"]) == ({"value": 4, "records": 4}, {"value": 5, "records": 5})
    assert (part["differing"], part["equal"]) == (1, False)
    assert told["records"][0] == {
        "part": "counted", "service": "awards", "kind": "external_result", "id": "r-3", "what": "only_there",
        "here": None, "there": {"version": 2, "day": "2011-03-20", "amount": 1},
        "history": "/api/v1/records/awards/external_result/r-3/history",
    }  # fmt: skip
    assert gateway.get(told["records"][0]["history"]).body["versions"][1]["happened"] == "verified"


def test_records_that_were_altered_here_are_named_with_both_sides(outreach):
    enter(outreach, 6)
    key = f"{KIND}/c-0000"
    views(outreach).update_one({"_id": f"{key}1"}, {"$set": {"data.person_times": 301}})
    views(outreach).update_one({"_id": f"{key}2"}, {"$set": {"data.day": "2011-07-01"}})
    views(outreach).update_one({"_id": f"{key}3"}, {"$set": {"data.state": "recorded", "version": 1}})
    views(outreach).update_one({"_id": f"{key}4"}, {"$set": {"data.person_times": "many"}})
    views(outreach).update_one({"_id": f"{key}5"}, {"$unset": {"data.person_times": ""}})
    views(outreach).insert_one({"_id": f"{KIND}/stranger", "kind": KIND, "version": 1, "data": COUNT})

    told = recount(outreach, "K2")

    there = {"version": 2, "amount": 300}
    counted = {
        one["id"]: (one["what"], one["here"], one["there"]) for one in told["records"] if one["part"] == "counted"
    }
    assert counted == {
        "c-00001": ("other_amount", there | {"day": "2011-05-02", "amount": 301}, there | {"day": "2011-05-02"}),
        "c-00002": ("other_day", there | {"day": "2011-07-01"}, there | {"day": "2011-05-03"}),
        "c-00003": ("only_there", {"version": 1, "day": None, "amount": None}, there | {"day": "2011-05-04"}),
        "c-00004": ("other_amount", there | {"day": "2011-05-05", "amount": "many"}, there | {"day": "2011-05-05"}),
        "c-00005": ("other_amount", there | {"day": "2011-05-06", "amount": 0}, there | {"day": "2011-05-06"}),
        "stranger": ("only_here", {"version": 1, "day": "2011-05-14", "amount": 300}, None),
    }
    assert (of(told)["ours"]["value"], of(told)["theirs"]["value"]) == (1_201, 1_800)
    assert of(told, "reported")["differing"] == 5  # there the recorded one counts at both sides


@pytest.mark.timeout(120)
def test_of_many_records_on_many_pages_those_that_differ_are_found_exactly(outreach, monkeypatch):
    monkeypatch.setattr(recount_run, "PAGE", 30)
    monkeypatch.setattr(recount_run, "AGAIN", 9)
    monkeypatch.setattr(recount_run, "WATCHED", 8)
    monkeypatch.setattr(own_records, "PAGE", 40)
    ids, chance = enter(outreach, 400), random.Random(11)
    changed = sorted(chance.sample(ids, 20))
    for id_ in changed:
        change = chance.choice([{"data.person_times": 7}, {"data.day": "2011-12-31"}, {"data.state": "rejected"}])
        views(outreach).update_one({"_id": f"{KIND}/{id_}"}, {"$set": change})

    told = recount(outreach, "K2")

    assert list(named(told)) == changed
    assert (of(told)["differing"], of(told)["theirs"]) == (20, {"value": 120_000, "records": 400})
    assert told["done"] == told["total"] == 800


def test_all_that_differ_are_counted_and_the_first_thousand_are_named(outreach):
    enter(outreach, LISTED + 10)
    views(outreach).delete_many({})

    told = recount(outreach, "K2")

    assert (of(told)["differing"], told["differing"]) == (LISTED + 10, 2 * (LISTED + 10))
    assert len(told["records"]) == LISTED


def test_a_difference_that_is_on_its_way_is_none(outreach, monkeypatch):
    monkeypatch.setattr(recount_run, "PATIENCE", 20.0)
    enter(outreach, 3)
    (held,) = views(outreach).find({"_id": f"{KIND}/c-00001"})
    views(outreach).delete_one({"_id": held["_id"]})
    looked = []
    told_of = own_records.look_up
    monkeypatch.setattr(own_records, "look_up", lambda *what, **how: looked.append(1) or told_of(*what, **how))

    address = begin(outreach, "K2")
    until(lambda: len(looked) > 2)
    views(outreach).insert_one(held)
    told = until(lambda: (told := outreach.get(address).body)["state"] != "running" and told)

    assert (told["differing"], of(told)["ours"], of(told)["theirs"]["records"]) == (0, of(told)["theirs"], 3)


def test_a_shown_number_that_is_not_that_of_its_records_is_not_equal(outreach):
    enter(outreach, 3)  # past the ledger, which has counted nothing

    told = recount(outreach, "K2")

    assert (told["equal"], told["differing"], of(told)["shown"]) == (False, 0, {"value": 0, "records": 0})


def test_a_recount_is_of_a_period_and_a_district(outreach):
    enter(outreach, 28)
    outreach.running.database("outreach")["audience_count"].insert_one(
        {"_id": "d-1", "version": 1, "state": COUNT | {"activity_id": "d", "district": "511111"}}
    )

    week = recount(outreach, "K2", period="2011-05-08..2011-05-14")
    assert (week["first"], week["last"], of(week)["ours"]["records"]) == ("2011-05-08", "2011-05-14", 7)
    assert list(named(week)) == ["d-1"]

    district = recount(outreach, "K2", period="201105", district="511111")
    assert (district["district"], of(district)["ours"]["records"]) == ("511111", 0)
    assert list(named(district)) == ["d-1"]


def test_a_recount_whose_service_is_away_fails_and_says_so(gateway, monkeypatch):
    monkeypatch.setattr(delegation, "PATIENCE", 0.0)
    monkeypatch.setattr(recount_run, "COUNTED_WITHIN", 0.5)

    told = recount(gateway, "K2")

    assert (told["state"], told["equal"], told["parts"]) == ("failed", None, [])
    assert told["error"]["en"]


def test_recounts_are_kept_and_listed_the_newest_first(outreach):
    begun = [recount(outreach, kpi)["id"] for kpi in ("K2", "K2", "K2")]

    listed = outreach.get("/api/v1/recounts").body
    validate(listed["items"], {"type": "array", "items": recounts.OUTLINE})
    assert ([one["id"] for one in listed["items"]], listed["cursor"]) == (begun[::-1], None)

    first = outreach.get("/api/v1/recounts?limit=2").body
    rest = outreach.get(f"/api/v1/recounts?limit=2&cursor={first['cursor']}").body
    assert [one["id"] for one in first["items"] + rest["items"]] == begun[::-1]
    assert rest["cursor"] is None


def test_a_recount_whose_gateway_died_has_failed(outreach):
    id_ = recount(outreach, "K2")["id"]
    held = outreach.running.database("gateway")["recounts"]
    (before,) = held.find({"_id": id_})
    died = {"state": "running", "run": "of that gateway", "beat_at": before["beat_at"] - timedelta(seconds=SILENT)}
    held.update_one({"_id": id_}, {"$set": died, "$unset": {"ended_at": ""}})

    told = outreach.get(f"/api/v1/recounts/{id_}").body

    assert (told["state"], told["error"]["en"]) == ("failed", "Its gateway went silent.")


def test_of_too_many_at_once_the_next_is_told_to_come_again(outreach, monkeypatch):
    monkeypatch.setattr(recount_run, "PATIENCE", 20.0)
    monkeypatch.setattr(recounts, "AT_ONCE", 2)
    enter(outreach, 1)
    views(outreach).delete_many({})
    for _ in range(2):
        begin(outreach, "K2")

    refused = outreach.post("/api/v1/recounts", {"kpi": "K2"}, **VERIFIER)

    assert (refused.status, refused.body["code"], refused.headers["Retry-After"]) == (503, "overloaded", "1")
    outreach.extension(RecountsProvider)._recounts.stop()


@pytest.mark.parametrize(
    ("said", "fields"),
    [
        ({}, ["kpi"]),
        ({"kpi": "K99"}, ["kpi"]),
        ({"kpi": "K2", "period": "May"}, ["period"]),
        ({"kpi": "K2", "district": "110000"}, ["district"]),
        ({"kpi": 2, "colour": "red"}, ["colour", "kpi"]),
    ],
)
def test_what_is_wrong_with_a_recount_is_named(gateway, said, fields):
    answered = gateway.post("/api/v1/recounts", said, **VERIFIER)

    assert answered.status == 400
    assert sorted(error["field"] for error in answered.body["errors"]) == fields


def test_recounts_are_begun_by_those_who_answer_for_numbers_and_read_by_all(gateway):
    for role in ("viewer", "recorder", "system"):
        assert gateway.post("/api/v1/recounts", {"kpi": "K2"}, roles=(role,)).status == 403
    assert gateway.get("/api/v1/recounts").body == {"items": [], "cursor": None}
    assert gateway.get("/api/v1/recounts", token="").status == 401
    assert gateway.get("/api/v1/recounts/none").status == 404
    assert gateway.get("/api/v1/recounts?cursor=none").body["errors"][0]["field"] == "cursor"
