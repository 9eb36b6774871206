"""RPC as nameko speaks it: whatever comes in is answered, done or dropped, and nothing of it ends the process."""

import json
import uuid
from datetime import timedelta

import jwt
import pytest
from nameko.exceptions import RemoteError
from nameko.standalone.rpc import ClusterRpcProxy

from services.chassis import metrics
from services.chassis.entrypoints import COMMAND_IDS
from services.chassis.problem import (
    InvalidInput,
    Malfunction,
    NotAllowed,
    NotAuthenticated,
    NotFound,
    RefusedByRule,
    TooLarge,
)
from services.chassis.tokens import issue
from services.contract.topology import MESSAGE_LIMIT
from tests.chassis.conftest import a_hall, held
from tests.stack import key_pair, until


def request(**arguments):
    return json.dumps({"args": [], "kwargs": arguments}).encode()


def error_of(answer):
    assert answer["result"] is None
    return answer["error"]["exc_args"][0]


def lives(world):
    return world.call("outreach", "ping")["service"] == "outreach"


def parked(world):
    return list(world.database("outreach")["parked"].find())


# What is called, and with what


def test_a_method_that_does_not_exist_is_not_found_and_the_known_ones_are_named(shared):
    with pytest.raises(
        NotFound, match="Unknown method; known: add_seats, break_hall, bucket, check_rows, condition"
    ) as missing:
        shared.call("outreach", "paint_hall")

    assert missing.value.involved == {"method": "paint_hall"}


def test_everything_that_is_wrong_with_the_input_is_named_at_once(shared):
    with pytest.raises(InvalidInput) as invalid:
        shared.call("outreach", "register_hall", district="510000", capacity=-1, colour="red")

    assert {error.field: error.rule for error in invalid.value.errors} == {
        "name": None,
        "district": None,
        "capacity": "X-06",
        "colour": None,
    }
    assert all(error.en and error.zh for error in invalid.value.errors)


def test_who_acts_is_told_by_the_token_and_by_nothing_else(shared, hall):
    with pytest.raises(InvalidInput):
        shared.caller.call("outreach", "add_seats", {"hall_id": hall, "seats": 1, "by": "u-boss"}, token=shared.token())

    assert held(shared, hall)["version"] == 1


@pytest.mark.parametrize(
    ("body", "properties", "field"),
    [
        (b"", {}, "body"),
        (b"{", {}, "body"),
        (b"\xff\xfe\x00", {}, "body"),
        (b'{"kwargs": {"hall_id": "\xff"}}', {}, "body"),
        (b'{"kwargs": {"hall_id": "\\ud800"}}', {}, "body"),
        (b'{"kwargs": {"seats": 9223372036854775808}}', {}, "body"),
        (b'{"kwargs": {"seats": NaN}}', {}, "body"),
        (b'{"kwargs": ' + b'{"a":' * 5_000 + b"1" + b"}" * 5_001, {}, "body"),
        (b'{"kwargs": {"seats": 1, "hall_id": "h", "seats": 2}}', {}, "body"),
        (b"[]", {}, "body"),
        (b'"text"', {}, "body"),
        (b'{"kwargs": []}', {}, "body"),
        (b'{"kwargs": null}', {}, "body"),
        (b'{"args": ["h-1", 5], "kwargs": {}}', {}, "args"),
        (b"{}", {"content_type": "application/x-pickle"}, "content_type"),
        (b"{}", {"content_type": ""}, "content_type"),
        (b"+2AA-", {"content_encoding": "utf-7"}, "body"),
    ],
)
def test_a_request_that_is_no_request_is_answered_with_what_is_wrong(shared, outsider, body, properties, field):
    said = error_of(outsider.ask("outreach.add_seats", body, token=shared.token(), **properties))

    assert said["error"] == "InvalidInput"
    assert [error["field"] for error in said["errors"]] == [field]
    assert lives(shared)


def test_a_request_over_the_limit_is_too_large_and_one_at_the_limit_is_read(shared, outsider):
    limit = shared.settings.request_limit
    longest = request(padding="").replace(b'""', b'"' + b"x" * (limit - len(request(padding=""))) + b'"')

    assert error_of(outsider.ask("outreach.add_seats", longest + b" "))["error"] == "TooLarge"
    assert len(longest) == limit
    assert error_of(outsider.ask("outreach.add_seats", longest))["error"] == "NotAuthenticated"


# Where nobody waits for an answer


def unheard(outcome):
    return metrics.UNHEARD.labels("outreach", outcome)._value.get()


@pytest.mark.parametrize(
    ("key", "body", "properties", "outcome"),
    [
        ("outreach.add_seats", b"", {}, "InvalidInput"),
        ("outreach.add_seats", b"\xff" * 23, {"reply_to": ""}, "InvalidInput"),
        ("outreach.add_seats", b"{}", {"content_type": "image/png", "correlation_id": "1"}, "InvalidInput"),
        ("outreach.add_seats", request(hall_id="h", seats=1), {}, "NotAuthenticated"),
        ("outreach.break_hall", request(hall_id="h", how="bug", text="x"), {}, "NotAuthenticated"),
        ("outreach.paint_hall", b"{}", {}, "NotFound"),
        ("outreach.ping", b"{}", {}, "InvalidInput"),
    ],
)
def test_rubbish_and_queries_that_nobody_waits_for_are_dropped_and_counted(
    shared, outsider, key, body, properties, outcome
):
    before = unheard(outcome)
    outsider.send(key, body, **properties)

    until(lambda: unheard(outcome) == before + 1)
    until(lambda: not outsider.messages_in("rpc-outreach"))
    assert parked(shared) == []
    assert lives(shared)


def test_a_query_of_a_known_caller_that_nobody_waits_for_is_dropped_and_not_asked(shared, outsider):
    before = unheard("InvalidInput")
    outsider.send("outreach.list_venues", token=shared.token())

    until(lambda: unheard("InvalidInput") == before + 1)
    assert parked(shared) == []


def test_a_command_that_nobody_waits_for_is_done_once_or_refused(shared, outsider, hall):
    done, refused = unheard("done"), unheard("Refusal")
    for _ in range(2):
        outsider.send(
            "outreach.add_seats", request(hall_id=hall, seats=1, command_id=f"c-{hall}"), token=shared.token()
        )
    outsider.send("outreach.restore_hall", request(hall_id=hall), token=shared.token())

    until(lambda: (unheard("done"), unheard("Refusal")) == (done + 2, refused + 1))
    assert held(shared, hall)["version"] == 2
    assert parked(shared) == []


def test_a_command_that_failed_by_our_fault_is_parked_without_an_alarm_and_nothing_is_missing(shared, outsider):
    outsider.send("outreach.break_hall", request(hall_id="h", how="bug", text="x"), token=shared.token())

    (kept,) = until(lambda: parked(shared))
    assert (kept["queue"], kept["alarm"]) == ("rpc-outreach", False)
    assert shared.call("outreach", "ping")["parked"] == 0
    condition = shared.call("outreach", "condition", roles=["operator"])
    assert (condition["parked"], condition["parked_events"], condition["alarms"]) == (1, 0, 0)
    shared.database("outreach")["parked"].delete_many({})


def test_an_answer_to_nowhere_is_lost_and_the_next_request_is_answered(shared, outsider, hall):
    outsider.send("outreach.add_seats", request(hall_id=hall, seats=1), token=shared.token(), reply_to="gone.for.good")

    until(lambda: held(shared, hall)["version"] == 2)
    assert lives(shared)


@pytest.mark.parametrize("text", ["x" * 200, "乐山", "\ud800", b"\xff\xfe", b"\x00"])
def test_any_key_address_id_and_header_is_served(shared, outsider, text):
    key = b"outreach." + (text if isinstance(text, bytes) else text.encode(errors="surrogatepass"))

    for properties in ({}, {"reply_to": text}, {"correlation_id": text}, {"application_headers": {text: text}}):
        assert error_of(outsider.ask(key, **{**properties, "reply_to": outsider.replies}))["error"] == "NotFound"
        outsider.send("outreach.ping", **{"reply_to": text, **properties})
    assert lives(shared)
    assert parked(shared) == []


@pytest.mark.rule("X-01")
def test_a_request_without_a_command_id_is_known_by_its_caller_its_id_and_its_content(shared, outsider, hall):
    def ask(seats, by="u-li", id_="1"):
        body, token = request(hall_id=hall, seats=seats), shared.token(by)
        return outsider.ask("outreach.add_seats", body, token=token, correlation_id=id_)["result"]

    first, delivered_again = ask(5), ask(5)
    others = [ask(7), ask(5, by="u-wang"), ask(5, id_="2")]
    uuid_, same_uuid = ask(5, id_=hall[2:]), ask(5, id_=hall[2:])

    assert delivered_again == first
    assert [one["version"] for one in (first, *others, uuid_)] == [2, 3, 4, 5, 6]
    assert same_uuid == uuid_


def test_the_id_that_is_made_for_a_request_is_that_of_every_release_so_that_it_may_be_delivered_to_the_next(
    shared, outsider
):
    request_id = str(uuid.uuid4())
    body = request(name=uuid.uuid4().hex, district="511102")

    made = outsider.ask("outreach.register_hall", body, token=shared.token("u-li"), correlation_id=request_id)["result"]

    cause = uuid.uuid5(COMMAND_IDS, f"register_hall/{request_id}")
    assert held(shared, made["id"])["history"][0]["because"] == str(cause)


# What goes wrong inside


@pytest.mark.parametrize("how", ["bug", "object", "endless", "surrogate", "happening"])
def test_a_malfunction_is_told_with_nothing_of_its_text_and_the_process_lives(shared, hall, how):
    with pytest.raises(Malfunction) as fault:
        shared.call("outreach", "break_hall", hall_id=hall, how=how, text="王小明")

    assert fault.value.status == 500
    assert "王小明" not in str(fault.value.say())
    assert "fell down" not in str(fault.value.say())
    assert fault.value.involved == {}
    assert lives(shared)
    assert held(shared, hall)["version"] == 1


def test_an_answer_that_the_broker_would_not_take_is_told_to_be_too_large(shared, hall):
    with pytest.raises(TooLarge) as large:
        shared.call("outreach", "break_hall", hall_id=hall, how="large")

    assert large.value.involved == {
        "bytes": MESSAGE_LIMIT + len('{"result":{"hall":""},"error":null}'),
        "limit": MESSAGE_LIMIT,
    }
    assert lives(shared)


def test_a_record_that_somebody_broke_by_hand_is_a_malfunction_and_the_others_are_served(shared, hall):
    broken = a_hall(shared)
    shared.database("outreach")["venue"].update_one({"_id": broken}, {"$set": {"state.capacity": "many"}})

    with pytest.raises(Malfunction):
        shared.call("outreach", "add_seats", hall_id=broken, seats=1)
    assert shared.call("outreach", "add_seats", hall_id=hall, seats=1)["version"] == 2


# Who calls


def test_a_role_that_is_not_meant_is_not_allowed_and_told_which_ones_are(shared, hall):
    with pytest.raises(NotAllowed) as denied:
        shared.call("outreach", "suspend_hall", hall_id=hall, reason="roof", roles=["recorder", "viewer"])

    assert denied.value.involved == {"needs": "chair/verifier", "yours": "recorder/viewer"}
    assert held(shared, hall)["version"] == 1


def test_describe_and_ping_need_no_token_and_everything_else_does(shared, hall):
    for public in ("describe", "ping"):
        shared.caller.call("outreach", public, {})

    for method, asked in (("get_venue", {"id": hall}), ("list_venues", {}), ("history_of_venue", {"id": hall}),
                          ("tally", {}), ("add_seats", {"hall_id": hall, "seats": 1})):  # fmt: skip
        with pytest.raises(NotAuthenticated):
            shared.caller.call("outreach", method, asked)


@pytest.mark.parametrize("method", ["describe", "ping"])
def test_describe_and_ping_take_nothing(shared, method):
    with pytest.raises(InvalidInput, match="zz: Unknown parameter; known: none"):
        shared.caller.call("outreach", method, {"zz": 1})


def test_a_token_that_is_not_good_is_refused(shared, hall):
    ours, hour = shared.settings.token_private_key, timedelta(hours=1)
    claims = {"sub": "u-li", "roles": ["recorder"], "exp": 4_000_000_000, "jti": "1"}
    good = issue(ours, subject="u-li", roles=["recorder"], lifetime=hour)
    head, _, signature = good.split(".")
    bad = {
        "expired": issue(ours, subject="u-li", roles=["recorder"], lifetime=-hour),
        "another key": issue(key_pair()[0], subject="u-li", roles=["recorder"], lifetime=hour),
        "forged": f"{head}.{jwt.utils.base64url_encode(json.dumps(claims).encode()).decode()}.{signature}",
        "unsigned": jwt.encode(claims, None, algorithm="none"),
        "a secret": jwt.encode(claims, "s" * 40, algorithm="HS256"),
        "cut short": good[:-5],
        "no token": "recorder",
        "nothing": "",
        "long": "x" * 5_000,
        "a role that is unknown": jwt.encode({**claims, "roles": ["emperor"]}, ours, algorithm="EdDSA"),
        "no roles": jwt.encode({**claims, "roles": None}, ours, algorithm="EdDSA"),
        "no subject": jwt.encode({**claims, "sub": None}, ours, algorithm="EdDSA"),
        "for ever": jwt.encode({**claims, "exp": None}, ours, algorithm="EdDSA"),
    }

    for what, token in bad.items():
        with pytest.raises(NotAuthenticated):
            pytest.fail(f"{what}: {shared.caller.call('outreach', 'get_venue', {'id': hall}, token=token)}")


def test_a_token_header_that_is_no_text_is_refused(outsider):
    for header in (7, True, ["a"], {"a": "b"}, b"\xff"):
        answer = outsider.ask("outreach.list_venues", application_headers={"nameko.token": header})
        assert error_of(answer)["error"] == "NotAuthenticated"


# Stock nameko


@pytest.fixture
def stock(shared):
    """A program that has nameko and nothing of ours."""
    data = {"token": shared.token(roles=["recorder"])}
    with ClusterRpcProxy({"AMQP_URI": shared.settings.amqp_uri}, context_data=data, timeout=10) as rpc:
        yield rpc


def test_a_stock_nameko_client_calls_commands_and_queries(shared, stock):
    made = stock.outreach.register_hall(name=shared.a_new_id(), district="511102", command_id="c-stock")

    assert made["version"] == 1
    assert stock.outreach.get_venue(id=made["id"]) == made
    assert stock.outreach.history_of_venue(id=made["id"])["versions"][0]["because"] == "c-stock"


@pytest.mark.parametrize(
    ("method", "arguments", "name", "code"),
    [
        ("restore_hall", {}, "Refusal", "X-12"),
        ("restore_hall", {"hall_id": "h-nowhere"}, "NotFound", "not_found"),
        ("restore_hall", {"hall_id": None}, "InvalidInput", "invalid_input"),
        ("restore_hall", {"expected_version": 9}, "Conflict", "conflict"),
        ("suspend_hall", {"reason": "roof"}, "NotAllowed", "not_allowed"),
        ("break_hall", {"how": "bug"}, "Malfunction", "malfunction"),
    ],
)
def test_a_stock_nameko_client_gets_our_errors_by_their_names(stock, hall, method, arguments, name, code):
    with pytest.raises(RemoteError) as remote:
        getattr(stock.outreach, method)(**{"hall_id": hall, **arguments})

    assert remote.value.exc_type == name
    assert str(remote.value.value).startswith(f"{code}: ")


def test_a_refusal_says_rule_both_languages_and_the_things_involved(shared, hall):
    with pytest.raises(RefusedByRule) as refused:
        shared.call("outreach", "restore_hall", hall_id=hall)

    said = refused.value.say()
    assert (said["status"], said["code"]) == (422, "X-12")
    assert said["en"] == "The record's state does not allow this."
    assert said["zh"] == "当前状态不允许这一操作"
    assert said["involved"] == {"state": "available", "to": "available"}


def test_a_service_describes_its_kinds_and_commands_with_schemas_and_roles(shared):
    said = shared.call("outreach", "describe")

    assert said["service"] == "outreach"
    assert said["kinds"]["venue"]["states"] == ["available", "suspended"]
    assert said["commands"]["suspend_hall"]["roles"] == ["chair", "verifier"]
    assert said["commands"]["register_hall"]["summary"] == "Enter a hall."
    assert said["commands"]["register_hall"]["from"] == []
    assert said["commands"]["suspend_hall"]["from"] == ["available", "suspended"]  # none are named
    assert said["kinds"]["venue"]["fields"] == {}
    assert said["commands"]["add_seats"]["input"] == {
        "type": "object",
        "properties": {
            "hall_id": {
                "type": "string",
                "minLength": 1,
                "maxLength": 100,
                "pattern": "^[A-Za-z0-9][A-Za-z0-9._:-]*$",
                "description": "编号只能含字母、数字和 . _ : -（至多 100 个）。\n"
                "An id of letters, digits and . _ : - (up to 100).",
            },
            "seats": {"type": "integer", "minimum": 0, "x-unit": "fen", "title": "评审席位"},
        },
        "required": ["hall_id", "seats"],
        "additionalProperties": False,
    }


def test_a_service_describes_its_queries_with_roles_and_what_it_may_refuse_by(shared):
    said = shared.call("outreach", "describe")

    assert said["queries"]["ping"]["public"]
    assert "viewer" in said["queries"]["list_venues"]["roles"]
    assert "viewer" not in said["queries"]["history_of_venue"]["roles"]
    assert said["queries"]["replay_parked"]["roles"] == ["operator"]
    assert all(query["summary"] for query in said["queries"].values())
    refused = {"rule": "X-12", "name": "ForbiddenMove", "zh": "当前状态不允许这一操作"}
    assert refused | {"en": "The record's state does not allow this."} in said["refusals"]


@pytest.mark.rule("X-08")
@pytest.mark.parametrize("role", ["viewer", "system"])
def test_only_staff_read_a_history_since_its_reasons_may_hold_names(shared, role):
    hall = a_hall(shared)

    with pytest.raises(NotAllowed):
        shared.call("outreach", "history_of_venue", id=hall, roles=[role])
    assert shared.call("outreach", "history_of_venue", id=hall, roles=["verifier"])["versions"]
