"""Commands that come while their service cannot be reached: stored, answered with 202, and done once it can."""

import pytest

from gateway.passage import Passages
from services.awards.service import Awards
from services.chassis.problem import Unavailable
from tests.gateway.test_passage import REPORT, RESULT, VERIFY
from tests.stack import until

WINDMILL = RESULT | {"result_id": "r-2", "title": "风力车"}


@pytest.fixture
def gateway(gateway):
    gateway.running.start(Awards)
    gateway.post(REPORT, RESULT)
    return gateway


@pytest.fixture
def away(gateway, monkeypatch):
    """Nothing can be reached; `away.undo()` ends it."""
    monkeypatch.setattr(gateway.extension(Passages)._caller, "call", unreachable)
    return monkeypatch


def unreachable(*_, **__):
    raise Unavailable


def test_a_command_is_accepted_stored_and_done_when_its_service_can_be_reached(gateway, away):
    accepted = gateway.post(REPORT, WINDMILL, headers={"Idempotency-Key": "k-2"})
    assert (accepted.status, accepted.body["state"]) == (202, "accepted")
    assert accepted.headers["Location"] == "/api/v1/commands/k-2"

    away.undo()
    told = until(lambda: settled(gateway, "k-2"))

    assert (told["state"], told["record"]["id"], told["record"]["version"]) == ("done", "r-2", 1)
    gateway.running.settle()
    assert gateway.get("/api/v1/kpis/K1").body["reported"]["value"] == 2


def test_an_accepted_command_that_a_rule_forbids_says_so_afterwards(gateway, away):
    gateway.post(VERIFY, {"result_id": "r-1"}, roles=["verifier"], headers={"Idempotency-Key": "k-3"})

    away.undo()
    told = until(lambda: settled(gateway, "k-3", roles=["verifier"]))

    assert (told["state"], told["problem"]["code"]) == ("refused", "A-26")


@pytest.mark.usefixtures("away")
def test_the_same_id_is_accepted_once_and_another_command_under_it_is_a_conflict(gateway):
    key = {"Idempotency-Key": "k-4"}
    first = gateway.post(REPORT, RESULT | {"result_id": "r-4"}, headers=key)

    assert gateway.post(REPORT, RESULT | {"result_id": "r-4"}, headers=key).body == first.body
    other = gateway.post(VERIFY, {"result_id": "r-1"}, by="u-wang", roles=["verifier"], headers=key)
    assert (other.status, other.body["code"]) == (409, "conflict")


def test_what_an_accepted_command_said_is_forgotten_when_it_is_done_and_told_to_nobody(gateway, away):
    gateway.post(REPORT, RESULT | {"result_id": "r-5", "title": "水火箭"}, headers={"Idempotency-Key": "k-5"})
    assert "水火箭" not in gateway.get("/api/v1/commands/k-5", roles=["recorder"]).content.decode()

    away.undo()
    until(lambda: settled(gateway, "k-5"))

    assert "arguments" not in gateway.running.database("gateway")["accepted"].find_one({"_id": "k-5"})


@pytest.mark.usefixtures("away")
def test_only_its_sender_and_operators_learn_what_became_of_it(gateway):
    gateway.post(REPORT, RESULT | {"result_id": "r-6"}, headers={"Idempotency-Key": "k-6"})

    assert gateway.get("/api/v1/commands/k-6", by="u-li").status == 200
    assert gateway.get("/api/v1/commands/k-6", by="u-wang").status == 404
    assert gateway.get("/api/v1/commands/k-6", by="u-wang", roles=["operator"]).status == 200
    assert gateway.get("/api/v1/commands/k-none").status == 404


def settled(gateway, command_id, **how):
    """What became of it, once it is no longer waiting."""
    told = gateway.get(f"/api/v1/commands/{command_id}", **how).body
    return told if told["state"] != "accepted" else None
