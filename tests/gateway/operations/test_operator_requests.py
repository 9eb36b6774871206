"""Requests of operators, with real services behind: status, comparisons, repairs, and parked messages."""

from dataclasses import replace

import pytest
from amqp.basic_message import Message

from gateway.reconciliation import comparison, maintenance
from gateway.service import Gateway
from gateway.upstream import delegation
from services.awards.service import Awards
from services.chassis.amqp import connect
from services.chassis.provisioning import provision
from services.chassis.seal import CANARIES, Seal
from services.contract.topology import LEDGER_QUEUE, SERVICES, dead_letter_queue
from services.members.service import Members
from services.outreach.service import Outreach
from services.rural.service import Rural
from tests.gateway.conftest import Http
from tests.gateway.upstream.test_proxy import RESULT
from tests.stack import until

OPERATOR = {"by": "u-op", "roles": ("operator",)}
AWARDS = {"kinds": ["awards.external_result"]}
WHY = {"why": "the queue was purged"}


@pytest.fixture(autouse=True)
def _soon(monkeypatch):
    monkeypatch.setattr(comparison, "PATIENCE", 0.5)
    monkeypatch.setattr(maintenance, "SOON", 0.5)


@pytest.fixture
def gateway(running):
    running.start(Awards, Outreach, Rural, Members, Gateway)
    until(lambda: ask(Http(running), "GET", "status")["complete"])  # compared for the first time
    return Http(running)


def ask(gateway, method, path, body=None, status=200):
    response = gateway.ask(method, f"/api/v1/operations/{path}", body=body, **OPERATOR)
    assert response.status == status, response.content
    return response.body


def do(gateway, job, **params):
    """Have it done, and what it says in the end."""
    ask(gateway, "POST", job, params, status=202)
    return until(lambda: (shown := ask(gateway, "GET", job))["state"] != "running" and shown)


def report(gateway, *numbers):
    for number in numbers:
        result = RESULT | {"result_id": f"r-{number}", "title": f"小车 {number}", "edition_no": 26}
        gateway.running.call("awards", "report_external_result", **result)


def k1(gateway):
    return gateway.get("/api/v1/kpis/K1").body["reported"]["value"]


def lose(gateway, *numbers):
    """These results are reported and published, and their events are lost on the way; the gateway starts again."""
    running = gateway.running
    running.stop("gateway")
    report(gateway, *numbers)
    running.settle()
    with connect(running.settings, "tests.purge") as connection:
        until(lambda: connection.default_channel.queue_purge(LEDGER_QUEUE.name) or True)
    running.start(Gateway)
    return Http(running)


def test_operations_are_for_operators_only(running):
    gateway = Http(running.start(Gateway))

    for line in (
        "GET status", "GET audit", "POST audit", "POST rebuild", "GET parked", "GET parked/awards/x",
        "POST parked/awards/x/replay", "POST parked/gateway/x/discard",
    ):  # fmt: skip
        method, _, path = line.partition(" ")
        assert gateway.ask(method, f"/api/v1/operations/{path}", roles=("chair", "verifier")).status == 403, line
        assert gateway.ask(method, f"/api/v1/operations/{path}", token="").status == 401, line


def test_what_is_asked_wrongly_is_named(gateway):
    assert "audit, rearm, rebuild, verify" in ask(gateway, "POST", "repair", {}, status=404)["en"]
    assert ask(gateway, "GET", "repair", status=404)["code"] == "not_found"

    wrong = ask(gateway, "POST", "rearm", {"kinds": ["awards.prize"], "heard_by": "rural", "all": True}, status=400)
    assert sorted(error["field"] for error in wrong["errors"]) == ["all", "kinds", "why"]
    assert ask(gateway, "POST", "rearm", {"why": "x", "heard_by": "gateway"}, status=400)["errors"][0]["field"] == (
        "heard_by"
    )
    assert ask(gateway, "POST", "rebuild", {"why": "x" * 501}, status=400)["errors"][0]["field"] == "why"


def test_an_audit_finds_what_was_lost_and_rearming_brings_it_back(gateway):
    report(gateway, 1, 2)
    gateway.running.settle()
    gateway = lose(gateway, 3, 4, 5)
    assert k1(gateway) == 2

    audit = do(gateway, "audit", **AWARDS)
    assert (audit["state"], audit["by"], audit["found_count"], audit["done"]) == ("done", "u-op", 3, 5)
    assert audit["found"][0] == {
        "service": "awards", "kind": "external_result", "id": "r-3", "version": 1, "copy": 0, "rows": 0,
        "what": "behind",
    }  # fmt: skip

    rearm = do(gateway, "rearm", **WHY)
    assert (rearm["state"], rearm["why"], rearm["found_count"]) == ("done", WHY["why"], 3)
    until(lambda: k1(gateway) == 5)
    assert do(gateway, "audit")["found_count"] == 0


def test_what_is_behind_is_told_until_it_is_there(gateway):
    gateway = lose(gateway, 1)
    assert gateway.get("/api/v1/kpis/K1").body["complete"]  # nobody knows yet

    do(gateway, "audit")
    (reason,) = gateway.get("/api/v1/kpis/K1").body["reasons"]
    assert (reason["code"], reason["service"], reason["records"]) == ("behind", "awards", 1)
    assert gateway.get("/api/v1/kpis/K3").body["complete"]

    do(gateway, "rearm", **WHY)
    until(lambda: gateway.get("/api/v1/kpis/K1").body["complete"])
    assert k1(gateway) == 1


def test_the_gateway_looks_from_time_to_time_and_mends_what_is_behind(gateway):
    gateway.running.settings = replace(gateway.running.settings, audit_every=1.0)

    gateway = lose(gateway, 1)

    until(lambda: k1(gateway) == 1)
    job = ask(gateway, "GET", "rearm")
    assert (job["by"], job["why"], job["unit"]) == ("gateway", None, "records")


def test_one_job_of_a_name_runs_at_a_time(gateway, monkeypatch):
    monkeypatch.setattr(comparison, "PATIENCE", 5.0)
    gateway = lose(gateway, 1)

    ask(gateway, "POST", "audit", {"why": "first"}, status=202)
    refused = ask(gateway, "POST", "audit", {}, status=409)

    assert (refused["code"], refused["involved"]) == ("conflict", {"job": "audit", "by": "u-op"})
    assert ask(gateway, "GET", "audit")["why"] == "first"
    gateway.running.stop("gateway")
    restarted = Http(gateway.running.start(Gateway))
    assert ask(restarted, "GET", "audit")["error"]["en"] == "Stopped with its gateway."


def test_all_that_a_listener_hears_is_published_again(gateway):
    point = {"point_id": "p-1", "name": "站", "village_code": "511123001001", "host_id": "h-1"}
    gateway.running.call("rural", "plan_point", **point)
    gateway.running.settle()

    rearm = do(gateway, "rearm", why="outreach lost its queue", heard_by="outreach")

    assert (rearm["state"], rearm["done"]) == ("done", 1)
    gateway.running.settle()


def test_a_byte_that_was_changed_is_named_with_its_record_and_version(gateway):
    report(gateway, 1, 2, 3)
    gateway.running.settle()
    assert do(gateway, "verify")["found_count"] == 0

    ours, theirs = gateway.running.database("gateway"), gateway.running.database("awards")
    key = {"_id": {"record": "awards.external_result/r-1", "version": 1}}
    ours["history"].update_one(key, {"$set": {"data.edition_no": 27}})
    theirs["external_result"].update_one({"_id": "r-2"}, {"$set": {"history.0.view.edition_no": 27}})

    job = do(gateway, "verify", **AWARDS)

    about = {"service": "awards", "kind": "external_result", "version": 1}
    assert job["found"] == [
        about | {"id": "r-1", "at": "gateway", "what": "data"},
        about | {"id": "r-2", "at": "service", "what": "altered"},
        about | {"id": "r-2", "at": "gateway", "what": "data"},
    ]


def test_a_job_compares_the_others_where_a_service_is_away_and_says_so(gateway, monkeypatch):
    monkeypatch.setattr(delegation, "PATIENCE", 0.0)
    gateway = lose(gateway, 1)
    gateway.running.stop("rural")
    monkeypatch.setattr(delegation, "TIMEOUT", 0.5)

    job = do(gateway, "audit")

    assert (job["state"], job["found_count"]) == ("failed", 1)
    assert job["error"]["en"] == "rural did not answer; the others were compared."


def test_the_status_tells_of_every_service_and_queue(gateway):
    report(gateway, 1)
    gateway.running.settle()
    gateway.running.stop("members")

    shown = ask(gateway, "GET", "status")

    assert list(shown["services"]) == list(SERVICES)
    assert shown["services"]["members"] == {"away": True}
    assert shown["services"]["awards"]["pending"] == 0
    assert shown["queues"]["gateway.ledger"] == 0
    assert shown["queues"]["outreach.from.rural"] == 0
    assert (shown["gateway"]["parked"], shown["gateway"]["alarms"]) == (0, 0)
    assert [name for name, heard in shown["heard"].items() if heard] == ["awards"]
    assert shown["complete"] is (shown["reasons"] == [])


def test_a_wrong_key_and_a_lost_queue_are_named_and_nothing_else(gateway):
    seals = gateway.running.database("awards")[CANARIES]
    assert ask(gateway, "GET", "status")["troubles"] == []
    assert seals.count_documents({}) == 1  # by the first look

    seals.update_one({}, {"$set": {"sealed": Seal(b"t" * 32).canary()}})
    lost = dead_letter_queue("rural").name
    with connect(gateway.running.settings, "tests.lose") as connection:
        connection.default_channel.queue_delete(lost)
    troubles = ask(gateway, "GET", "status")["troubles"]
    provision(gateway.running.settings.amqp_uri)

    assert [(one["code"], one.get("name") or one["service"]) for one in troubles] == [
        ("missing", lost),
        ("sealing_key", "awards"),
    ]
    for job in ("audit", "verify"):
        ended = do(gateway, job)
        assert [(one["service"], one["what"]) for one in ended["found"]] == [("awards", "key")]


@pytest.fixture
def parked(gateway):
    """The id of garbage that came to the gateway."""
    with connect(gateway.running.settings, "tests.garbage") as connection:
        connection.default_channel.basic_publish(Message(b"{garbage"), routing_key=LEDGER_QUEUE.name)
    (item,) = until(lambda: ask(gateway, "GET", "parked")["items"])
    assert (item["service"], item["queue"], item["state"]) == ("gateway", LEDGER_QUEUE.name, "waiting")
    return item["id"]


def test_what_is_parked_is_listed_shown_and_discarded_with_a_reason(gateway, parked):
    assert ask(gateway, "GET", f"parked/gateway/{parked}")["body"] == "{garbage"
    assert ask(gateway, "GET", "parked?service=awards") == {"items": [], "total": 0, "cursor": None}
    assert ask(gateway, "GET", "status")["gateway"]["parked"] == 1

    ask(gateway, "POST", f"parked/gateway/{parked}/discard", {}, status=400)
    ask(gateway, "POST", f"parked/gateway/{parked}/discard", {"why": "a test of ours"})

    assert ask(gateway, "GET", "parked")["items"] == []
    (settled,) = ask(gateway, "GET", "parked?service=gateway&state=settled")["items"]
    assert (settled["settled_by"], settled["why"]) == ("u-op", "a test of ours")


def test_what_fails_again_stays_parked(gateway, parked):
    ask(gateway, "POST", f"parked/gateway/{parked}/replay", {"why": "perhaps now"}, status=409)

    assert ask(gateway, "GET", "parked")["total"] == 1
    assert ask(gateway, "GET", "parked/plans/x", status=404)["code"] == "not_found"
    assert ask(gateway, "GET", "parked/rural/x", status=404)["code"] == "not_found"
