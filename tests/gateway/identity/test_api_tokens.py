"""Tokens of systems: shown once, and refused by every service soon after they were revoked."""

from datetime import timedelta

import jwt
import pytest

from gateway.service import Gateway
from services.awards.service import Awards
from services.chassis.amqp import connect
from services.chassis.problem import NotAuthenticated
from services.chassis.rpc import Server
from services.contract.topology import SERVICES, listener_queue
from services.members.service import Members
from services.outreach.service import Outreach
from services.rural.service import Rural
from tests.chassis.outsider import Witness
from tests.chassis.processes import Process
from tests.gateway.conftest import Http
from tests.gateway.people import OPERATOR, add_user
from tests.stack import until

TOKENS = "/api/v1/tokens"
BUREAU = {"subject": "bureau", "roles": ["system", "viewer"]}
LISTS = {
    "awards": "list_external_results", "outreach": "list_activities", "rural": "list_associations",
    "members": "list_organisations",
}  # fmt: skip


def issue(gateway, **changes):
    response = gateway.post(TOKENS, {**BUREAU, **changes}, **OPERATOR)
    assert response.status == 201, response.content
    return response.body


def revoke(gateway, issued):
    response = gateway.post(f"{TOKENS}/{issued['id']}/revoke", {"reason": "the laptop was stolen"}, **OPERATOR)
    assert response.status == 200, response.content
    return response.body


def is_refused(running, service, issued):
    try:
        running.caller.call(service, LISTS[service], {}, token=issued["token"])
    except NotAuthenticated as refused:
        return refused.en == "The token was revoked."
    return False


def test_a_token_is_told_once_and_holds_to_the_end_of_its_last_day(gateway):
    issued = issue(gateway, district="511102", days=7)

    claims = jwt.decode(issued["token"], options={"verify_signature": False})
    last_day = gateway.running.clock.today() + timedelta(days=7)
    assert (claims["jti"], claims["sub"], claims["district"]) == (issued["id"], "bureau", "511102")
    assert issued["expires_on"] == last_day.isoformat()
    assert 0 <= claims["exp"] % 86_400 - 16 * 3_600 <= 1  # 24:00 in Shanghai
    assert gateway.get("/api/v1/me", token=issued["token"]).body["roles"] == ["system", "viewer"]
    (listed,) = gateway.get(TOKENS, **OPERATOR).body["items"]
    assert listed == {name: value for name, value in issued.items() if name != "token"}


def test_the_same_command_issues_one_token(gateway):
    once = {"Idempotency-Key": "k-1"}
    first = gateway.post(TOKENS, BUREAU, headers=once, **OPERATOR).body
    again = gateway.post(TOKENS, BUREAU, headers=once, **OPERATOR)

    assert first["token"]
    assert again.body == first | {"token": None}
    assert gateway.get(TOKENS, **OPERATOR).body["total"] == 1


def test_the_id_of_a_token_s_issue_revokes_nothing_and_issues_no_other(gateway):
    once = {"Idempotency-Key": "k-1"}
    issued = gateway.post(TOKENS, BUREAU, headers=once, **OPERATOR).body
    user_id = add_user(gateway, "wang")

    for path, body in (
        (TOKENS, {**BUREAU, "district": "511102"}),
        (f"{TOKENS}/{issued['id']}/revoke", {"reason": "stolen"}),
        (f"/api/v1/users/{user_id}/disable", {}),
    ):
        refused = gateway.post(path, body, headers=once, **OPERATOR)
        assert (refused.status, refused.body["code"]) == (409, "command_id_reused"), path
        assert refused.body["involved"]["used_for"] == "issue_token"
    assert gateway.get("/api/v1/me", token=issued["token"]).status == 200
    assert gateway.get(f"{TOKENS}?subject={user_id}", **OPERATOR).body["total"] == 0


def test_operators_who_use_one_id_have_each_their_own_token(gateway):
    once, other = {"Idempotency-Key": "k-1"}, {**OPERATOR, "by": "u-other"}
    first = gateway.post(TOKENS, BUREAU, headers=once, **OPERATOR).body
    second = gateway.post(TOKENS, {**BUREAU, "subject": "other"}, headers=once, **other).body

    claims = jwt.decode(second["token"], options={"verify_signature": False})
    assert first["id"] != second["id"] == claims["jti"]
    assert (second["subject_id"], claims["sub"]) == ("other", "other")
    assert gateway.post(f"{TOKENS}/{first['id']}/revoke", {"reason": "x"}, **OPERATOR).status == 200
    assert gateway.get("/api/v1/me", token=second["token"]).status == 200


def test_what_is_wrong_with_a_token_is_named(gateway):
    for field, value in {
        "roles": ["king"],
        "district": "510000",
        "days": 367,
        "subject": "王 五",
        "token": "x",
    }.items():
        refused = gateway.post(TOKENS, {**BUREAU, field: value}, **OPERATOR)
        assert (refused.status, refused.body["errors"][0]["field"]) == (400, field)


def test_tokens_are_listed_by_whose_they_are_and_whether_they_hold(gateway):
    kept, lost = issue(gateway), issue(gateway)
    issue(gateway, subject="other")
    revoke(gateway, lost)

    def listed(asked):
        return {item["id"] for item in gateway.get(f"{TOKENS}?{asked}", **OPERATOR).body["items"]}

    assert listed("subject=bureau") == {kept["id"], lost["id"]}
    assert listed("subject=bureau&state=active") == {kept["id"]}
    assert listed("state=revoked") == {lost["id"]}
    assert gateway.get(f"{TOKENS}?state=lost", **OPERATOR).status == 400


@pytest.mark.rule("X-12")
def test_a_token_is_revoked_once_and_for_good(gateway):
    issued = issue(gateway)

    assert revoke(gateway, issued)["state"] == "revoked"
    assert gateway.get("/api/v1/me", token=issued["token"]).body["en"] == "The token was revoked."
    again = gateway.post(f"{TOKENS}/{issued['id']}/revoke", {"reason": "x"}, **OPERATOR)
    assert (again.status, again.body["code"]) == (422, "X-12")
    assert gateway.post(f"{TOKENS}/t-0/revoke", {"reason": "x"}, **OPERATOR).status == 404


def test_a_token_that_was_signed_elsewhere_is_revoked_by_its_id(gateway):
    signed = gateway.running.token("u-op", ["operator"])
    id_ = jwt.decode(signed, options={"verify_signature": False})["jti"]

    assert revoke(gateway, {"id": id_})["subject_id"] == "unknown"

    assert gateway.get("/api/v1/me", token=signed).body["en"] == "The token was revoked."


def test_a_user_who_may_less_has_no_token_left_that_may_more_and_one_who_is_out_gets_none(gateway):
    id_ = add_user(gateway, "wang", roles=("chair", "viewer"))
    chair, viewer = (issue(gateway, subject=id_, roles=[role]) for role in ("chair", "viewer"))

    gateway.post(f"/api/v1/users/{id_}/roles", {"roles": ["viewer"]}, **OPERATOR)

    assert gateway.get("/api/v1/me", token=chair["token"]).status == 401
    assert gateway.get("/api/v1/me", token=viewer["token"]).status == 200
    gateway.post(f"/api/v1/users/{id_}/disable", {}, **OPERATOR)
    refused = gateway.post(TOKENS, {"subject": id_, "roles": ["viewer"]}, **OPERATOR)
    assert [error["field"] for error in refused.body["errors"]] == ["subject"]


@pytest.mark.timeout(180)
def test_a_revoked_token_is_refused_by_every_replica_of_every_service_and_of_the_gateway(running, tmp_path):
    running.start(Awards, Awards, Outreach, Rural, Members, Gateway, Gateway)
    gateways = [container for container in running.containers if container.service_name == "gateway"]
    gateway = Http.__new__(Http)
    gateway.running, gateway.container = running, gateways[0]
    kept, lost = issue(gateway), issue(gateway)

    with Process(running.settings, tmp_path / "log", "deploy.run", "members") as members:
        until(lambda: members.get("/ready")[0] == 200, within=90)
        assert not any(is_refused(running, service, lost) for service in SERVICES)
        revoke(gateway, lost)

        replicas = [
            extension
            for container in running.containers
            for extension in container.extensions
            if isinstance(extension, Server)
        ]
        assert len(replicas) == 5
        until(lambda: all(lost["id"] in replica.revocations for replica in replicas))
        until(lambda: all(is_refused(running, service, lost) for service in SERVICES))
        running.stop("members")
        until(lambda: is_refused(running, "members", lost))  # its process was told too, or has read it
        assert members.exit_code_now() is None
        assert "bureau" not in members.log
        assert not any(is_refused(running, service, kept) for service in SERVICES)

    gateway.container = gateways[1]
    until(lambda: gateway.get("/api/v1/me", token=lost["token"]).status == 401)
    assert gateway.get("/api/v1/me", token=kept["token"]).status == 200


def test_a_service_that_was_away_is_told_when_it_comes_back(gateway):
    running = gateway.running
    running.start(Awards)
    issued = issue(gateway)
    running.stop("awards")

    revoke(gateway, issued)
    running.settle()
    running.start(Awards)

    until(lambda: is_refused(running, "awards", issued))


def test_what_a_broker_lost_is_told_again_when_an_operator_has_a_listener_rearmed(gateway):
    running = gateway.running
    running.start(Awards)
    issued = issue(gateway)
    running.stop("awards")
    revoke(gateway, issued)
    running.settle()
    with connect(running.settings, "tests.purge") as connection:
        until(lambda: connection.default_channel.queue_purge(listener_queue("awards", "gateway")))
    running.start(Awards)
    assert not is_refused(running, "awards", issued)

    rearmed = {"why": "the queue was purged", "heard_by": "awards"}
    assert gateway.post("/api/v1/operations/rearm", rearmed, **OPERATOR).status == 202

    until(lambda: is_refused(running, "awards", issued))


def test_what_is_told_of_a_token_holds_neither_the_token_nor_why_it_was_revoked(gateway, settings):
    with Witness(settings) as witness:
        issued = issue(gateway)
        revoke(gateway, issued)
        until(lambda: len(witness.heard) == 2)
        published = str(witness.heard)

    assert issued["id"] in published
    assert issued["token"] not in published
    assert "stolen" not in published
    assert gateway.running.database("gateway")["views"].count_documents({}) == 0  # it is nothing that is counted
