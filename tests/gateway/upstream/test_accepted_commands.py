"""Commands that come while their service cannot be reached: stored, answered with 202, and done once it can."""

from datetime import datetime

import pytest
from eventlet.event import Event as Signal

from gateway.upstream.accepted_commands import KEPT, TRIES, AcceptedCommands
from gateway.upstream.proxy import ServiceProxyProvider
from services.awards.service import Awards
from services.chassis.clock import SystemClock
from services.chassis.command_ids import CommandIdReused
from services.chassis.mongo import database
from services.chassis.problem import NotFound, Unavailable
from services.chassis.tokens import Actor, DelegatedTokens
from services.rural.service import Rural
from tests.gateway.people import OPERATOR, Person, add_user
from tests.gateway.upstream.test_proxy import REPORT, RESULT, VERIFY
from tests.stack import until

LI = Actor("u-li", frozenset({"recorder"}))
WINDMILL = RESULT | {"result_id": "r-2", "title": "风力车"}


@pytest.fixture
def gateway(gateway):
    gateway.running.start(Awards)
    gateway.post(REPORT, RESULT)
    return gateway


@pytest.fixture
def away(gateway, monkeypatch):
    """Nothing can be reached; `away.undo()` ends it."""
    monkeypatch.setattr(gateway.extension(ServiceProxyProvider)._caller, "call", unreachable)
    return monkeypatch


def unreachable(*_, **__):
    raise Unavailable


def test_a_command_is_accepted_stored_and_done_when_its_service_can_be_reached(gateway, away):
    accepted = gateway.post(REPORT, WINDMILL, headers={"Idempotency-Key": "k-2"})
    assert (accepted.status, accepted.body["state"]) == (202, "accepted")
    assert accepted.headers["Location"] == "/api/v1/commands/k-2"

    away.undo()
    outcome = until(lambda: settled(gateway, "k-2"))

    assert (outcome["state"], outcome["record"]["id"], outcome["record"]["version"]) == ("done", "r-2", 1)
    gateway.running.settle()
    assert gateway.get("/api/v1/kpis/K1").body["reported"]["value"] == 2


def test_an_accepted_command_that_a_rule_forbids_says_so_afterwards(gateway, away):
    gateway.post(VERIFY, {"result_id": "r-1"}, roles=["verifier"], headers={"Idempotency-Key": "k-3"})

    away.undo()
    outcome = until(lambda: settled(gateway, "k-3", roles=["verifier"]))

    assert (outcome["state"], outcome["problem"]["code"]) == ("refused", "A-26")


@pytest.mark.rule("A-22", "X-08")
@pytest.mark.usefixtures("away")
def test_who_objects_is_kept_by_nobody_but_awards_not_even_while_that_is_away(gateway):
    objection = {"notice_id": "n-1", "line_no": 1, "objector_name": "某某", "grounds": "抄袭"}

    refused = gateway.post("/api/v1/awards/file_objection", objection, headers={"Idempotency-Key": "k-9"})

    assert refused.status == 503
    assert gateway.get("/api/v1/commands/k-9").status == 404


@pytest.mark.usefixtures("away")
def test_the_same_id_is_accepted_once_and_another_command_under_it_is_a_conflict(gateway):
    key = {"Idempotency-Key": "k-4"}
    first = gateway.post(REPORT, RESULT | {"result_id": "r-4"}, headers=key)

    assert gateway.post(REPORT, RESULT | {"result_id": "r-4"}, headers=key).body == first.body
    assert gateway.post(REPORT, RESULT | {"result_id": "r-4"}, roles=["recorder", "chair"], headers=key).status == 202
    for other in (
        gateway.post(REPORT, RESULT | {"result_id": "r-5"}, headers=key),
        gateway.post(VERIFY, {"result_id": "r-4"}, roles=["verifier"], headers=key),
    ):
        assert (other.status, other.body["code"]) == (409, "command_id_reused")
        assert other.body["involved"]["used_for"] == "awards.report_external_result"


def test_senders_who_use_one_id_while_a_service_is_away_have_each_their_own_outcome(gateway, away):
    key = {"Idempotency-Key": "k-4"}
    sent = {by: RESULT | {"result_id": f"r-{by}", "title": by} for by in ("u-li", "u-wang")}
    assert [gateway.post(REPORT, result, by=by, headers=key).status for by, result in sent.items()] == [202, 202]

    away.undo()
    outcomes = {by: until(lambda: settled(gateway, "k-4", by=by)) for by in sent}  # noqa: B023

    assert {by: outcome["record"]["id"] for by, outcome in outcomes.items()} == {"u-li": "r-u-li", "u-wang": "r-u-wang"}
    assert {by: outcome["by"] for by, outcome in outcomes.items()} == {"u-li": "u-li", "u-wang": "u-wang"}
    assert gateway.get("/api/v1/commands/k-4", by="u-chen").status == 404


def test_an_id_that_a_service_knows_as_another_act_is_refused_once_that_is_back(gateway, monkeypatch):
    key = {"Idempotency-Key": "k-4"}
    assert gateway.post(VERIFY, {"result_id": "r-1"}, roles=["verifier"], headers=key).status == 422
    monkeypatch.setattr(gateway.extension(ServiceProxyProvider)._caller, "call", unreachable)
    assert gateway.post(REPORT, WINDMILL, headers=key).status == 202

    monkeypatch.undo()
    outcome = until(lambda: settled(gateway, "k-4"))

    assert (outcome["state"], outcome["problem"]["code"]) == ("refused", "command_id_reused")


def test_a_refused_command_that_is_sent_again_waits_again(waiting):
    def refuse(*_, **__):
        raise NotFound

    waiting.accept("awards", "verify", {"command_id": "k-1"}, actor=LI)
    waiting.give("awards", refuse)
    assert waiting.find("k-1", actor=LI)["state"] == "refused"

    assert waiting.accept("awards", "verify", {"command_id": "k-1"}, actor=LI)["state"] == "accepted"
    assert waiting.give("awards", lambda *_, **__: {"id": "r"}) == 1
    assert waiting.accept("awards", "verify", {"command_id": "k-1"}, actor=LI)["state"] == "done"


def test_what_an_earlier_version_stored_is_compared_by_what_there_is(waiting, settings):
    accepted = database(settings, "gateway")["accepted"]
    waiting.accept("awards", "report", {"command_id": "k-1", "expected_version": None, "a": 1}, actor=LI)
    accepted.update_one({}, {"$unset": {"digest": ""}})

    waiting.accept("awards", "report", {"command_id": "k-1", "a": 1, "b": None}, actor=LI)
    with pytest.raises(CommandIdReused):
        waiting.accept("awards", "report", {"command_id": "k-1", "a": 2}, actor=LI)
    accepted.update_one({}, {"$set": {"state": "done"}, "$unset": {"arguments": ""}})
    assert waiting.accept("awards", "report", {"command_id": "k-1", "a": 2}, actor=LI)["state"] == "done"


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


@pytest.mark.usefixtures("away")
@pytest.mark.parametrize(
    ("changes", "status", "fields"),
    [
        ({"command_id": 5}, 400, ["command_id"]),
        ({"command_id": {"a": 1}}, 400, ["command_id"]),
        ({"command_id": ""}, 400, ["command_id"]),
        ({"command_id": "a/b"}, 400, ["command_id"]),
        ({"command_id": "王小明"}, 400, ["command_id"]),
        ({"command_id": "13812345678"}, 400, ["command_id"]),
        ({"command_id": "x" * 500}, 400, ["command_id"]),
        ({"expected_version": "x"}, 400, ["expected_version"]),
        ({"colour": "red"}, 400, ["colour"]),
        ({"a\x00": 1}, 400, ["a\x00"]),
        ({"colour": "red", "title": None}, 400, ["colour", "title"]),
    ],
)
def test_what_its_service_could_not_understand_is_refused_and_not_stored(gateway, changes, status, fields):
    response = gateway.post(REPORT, RESULT | changes)

    assert (response.status, [error["field"] for error in response.body["errors"]]) == (status, fields)
    assert gateway.running.database("gateway")["accepted"].count_documents({}) == 0


@pytest.mark.usefixtures("away")
def test_a_role_that_may_not_is_refused_and_its_command_not_stored(gateway):
    response = gateway.post(REPORT, RESULT, roles=["viewer"])

    assert (response.status, response.body["involved"]["yours"]) == (403, "viewer")
    assert gateway.running.database("gateway")["accepted"].count_documents({}) == 0


def test_whatever_json_holds_can_wait(gateway, away):
    odd = gateway.post(REPORT, RESULT | {"title": {"a\x00": 2**63 - 1}}, headers={"Idempotency-Key": "k-7"})
    assert odd.status == 202

    away.undo()
    outcome = until(lambda: settled(gateway, "k-7"))

    assert (outcome["state"], outcome["problem"]["code"]) == ("refused", "invalid_input")


def test_a_command_whose_id_was_null_is_done_once(gateway, away):
    accepted = gateway.post(REPORT, WINDMILL | {"command_id": None})
    assert accepted.status == 202

    away.undo()
    until(lambda: settled(gateway, accepted.body["command_id"]))

    assert gateway.get("/api/v1/awards/external_results").body["total"] == 2


def test_a_service_that_is_away_holds_up_no_other(gateway, monkeypatch):
    gateway.running.start(Rural)
    until(lambda: gateway.get("/api/v1/rural/associations").status == 200)
    caller = gateway.extension(ServiceProxyProvider)._caller
    real, back = caller.call, Signal()

    def call(service, *arguments, **options):
        if service == "rural":
            back.wait()
            raise Unavailable
        return real(service, *arguments, **options)

    monkeypatch.setattr(caller, "call", unreachable)
    gateway.post(REPORT, WINDMILL, headers={"Idempotency-Key": "k-8"})
    monkeypatch.setattr(caller, "call", call)

    assert until(lambda: settled(gateway, "k-8"), within=5)["state"] == "done"
    back.send()


def test_what_a_revoked_token_or_a_disabled_user_had_accepted_is_not_done(gateway, away):
    token = gateway.post("/api/v1/tokens", {"subject": "bureau", "roles": ["recorder"]}, **OPERATOR).body
    id_ = add_user(gateway, "wang", roles=("recorder",))
    wang = Person(gateway, "wang")
    assert gateway.post(REPORT, WINDMILL, token=token["token"], headers={"Idempotency-Key": "k-5"}).status == 202
    assert wang.post(REPORT, WINDMILL, **{"Idempotency-Key": "k-6"}).status == 202

    gateway.post(f"/api/v1/tokens/{token['id']}/revoke", {"reason": "stolen"}, **OPERATOR)
    gateway.post(f"/api/v1/users/{id_}/disable", {}, **OPERATOR)
    away.undo()

    for command_id, by in (("k-5", "bureau"), ("k-6", id_)):
        outcome = until(lambda: settled(gateway, command_id, by=by))  # noqa: B023 - it is asked here
        assert (outcome["state"], outcome["problem"]["code"]) == ("refused", "not_authenticated"), command_id
    assert gateway.running.database("awards")["external_result"].count_documents({"_id": "r-2"}) == 0


@pytest.fixture
def waiting(settings):
    """Commands that wait, in a database of their own."""
    commands = AcceptedCommands(
        database(settings, "gateway")["accepted"],
        SystemClock(),
        DelegatedTokens(settings.token_private_key),
        lambda *_: LI,
        at_most=1_000,
    )
    commands.prepare()
    return commands


def test_a_command_that_is_never_answered_is_overtaken_after_some_tries_and_not_before(waiting):
    for number in range(3):
        waiting.accept("awards", "report", {"command_id": f"k-{number}"}, actor=LI)
    given = []

    def call(_, arguments, **__):
        given.append(arguments["command_id"])
        if arguments["command_id"] == "k-0":
            raise Unavailable
        return {"id": "r"}

    assert [waiting.give("awards", call) for _ in range(TRIES + 1)] == [0] * TRIES + [2]
    assert given == ["k-0"] * TRIES + ["k-1", "k-2", "k-0"]


def test_only_the_commands_of_the_service_that_answers_are_given(waiting):
    waiting.accept("awards", "report", {"command_id": "k-1"}, actor=LI)
    waiting.accept("rural", "register", {"command_id": "k-2"}, actor=LI)

    assert waiting.give("rural", lambda *_, **__: {"id": "r"}) == 1
    assert [waiting.find(id_, actor=LI)["state"] for id_ in ("k-1", "k-2")] == ["accepted", "done"]


def test_what_has_an_outcome_is_kept_for_a_while_and_what_waits_for_as_long_as_it_has_to(waiting, settings):
    for id_ in ("k-1", "k-2"):
        waiting.accept("awards", "report", {"command_id": id_}, actor=LI)
    accepted = database(settings, "gateway")["accepted"]

    def call(_, arguments, **__):
        if arguments["command_id"] == "k-2":
            raise Unavailable
        return {"id": "r"}

    waiting.give("awards", call)

    assert accepted.index_information()["settled_at_1"]["expireAfterSeconds"] == KEPT.total_seconds()
    settled_at = {document["_id"]: document.get("settled_at") for document in accepted.find()}
    assert isinstance(settled_at["k-1"], datetime)
    assert settled_at["k-2"] is None


def test_a_command_is_stored_as_every_earlier_version_stored_it_and_the_earliest_are_read_too(waiting, settings):
    waiting.accept("awards", "report", {"command_id": "k-1"}, actor=LI, token_id="t-1")
    accepted = database(settings, "gateway")["accepted"]

    document = accepted.find_one()

    assert document == document | {
        "_id": "k-1", "service": "awards", "command": "report", "token_id": "t-1", "arguments": b'{"command_id":"k-1"}',
        "actor": {"id": LI.id, "roles": sorted(LI.roles), "district": None}, "state": "accepted", "turn": 0, "tries": 0,
    }  # fmt: skip
    accepted.update_one({"_id": "k-1"}, {"$unset": dict.fromkeys(("token_id", "traceparent", "turn", "tries"), "")})
    assert waiting.give("awards", lambda *_, **__: {"id": "r"}) == 1
    assert waiting.find("k-1", actor=LI) == {
        "command_id": "k-1", "by": LI.id, "service": "awards", "command": "report", "state": "done",
        "accepted_at": document["accepted_at"], "record": {"id": "r"},
    }  # fmt: skip


def settled(gateway, command_id, **options):
    """What became of it, once it is no longer waiting."""
    shown = gateway.get(f"/api/v1/commands/{command_id}", **options).body
    return shown if shown["state"] != "accepted" else None
