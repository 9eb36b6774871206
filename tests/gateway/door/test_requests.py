"""Requests of outside systems: what was granted is done and answered to any client, all else is refused by name."""

import re
import uuid
from datetime import timedelta

import pytest
from nameko.exceptions import RemoteError
from nameko.standalone.rpc import ClusterRpcProxy

from services.chassis.problem import NotAuthenticated
from services.chassis.tokens import Tokens
from services.contract.topology import RPC_EXCHANGE
from tests.gateway.door.town import HALL, REGISTER
from tests.stack import key_pair, until

LIST = "outreach.list_venues"
CAMPAIGN = "outreach.open_campaign"  # which the roles of the systems allow, and no grant


def campaigns(town):
    return town.services.database("outreach")["campaign"].count_documents({})


def venues(town, **named):
    return list(
        town.services.database("outreach")["venue"].find({f"state.{name}": word for name, word in named.items()})
    )


# --- any client -------------------------------------------------------------------------------------------------------


def test_a_stock_nameko_proxy_calls_what_was_granted_and_is_told_by_name_what_was_not(office):
    with ClusterRpcProxy({"AMQP_URI": office.uri}, context_data={"token": office.token}, timeout=10) as proxy:
        made = proxy.outreach.register_venue(**HALL)

        assert proxy.outreach.get_venue(id=made["id"])["version"] == 1
        with pytest.raises(RemoteError, match=re.escape("outreach.open_campaign is not granted")) as refused:
            proxy.outreach.open_campaign(name="科普日")
    assert refused.value.exc_type == "NotAllowed"


@pytest.mark.parametrize("how", ["anonymous", "named", "bound", "direct"])
def test_an_answer_finds_any_queue_that_a_client_may_name(client, how):
    answers = []
    queue = "amq.rabbitmq.reply-to" if how == "direct" else client.queue("answers" if how == "named" else "")
    client.channel.basic_consume(queue, no_ack=True, callback=answers.append)
    if how == "bound":
        client.channel.queue_bind(queue, exchange=RPC_EXCHANGE, routing_key="some-key")

    client.send(LIST, reply_to="some-key" if how == "bound" else queue, correlation_id="c-1")

    while not answers:
        client.connection.drain_events(timeout=10)
    assert answers[0].properties["correlation_id"] == "c-1"
    assert b'"error":null' in bytes(answers[0].body)


# --- what is refused --------------------------------------------------------------------------------------------------


def by_its_exchange(client, queue):
    client.send(CAMPAIGN, {"name": "科普日"}, reply_to=queue)


def by_a_queue_that_dead_letters_there(client, queue):
    waiting = client.queue(arguments={"x-dead-letter-exchange": RPC_EXCHANGE, "x-dead-letter-routing-key": CAMPAIGN,
                                      "x-message-ttl": 0})  # fmt: skip
    client.send(waiting, {"name": "科普日"}, exchange="", reply_to=queue)


def by_an_exchange_of_its_own(client, queue):
    client.channel.exchange_declare("mine", type="fanout", auto_delete=False)
    client.channel.queue_bind("door.requests", exchange="mine")
    client.send(CAMPAIGN, {"name": "科普日"}, exchange="mine", reply_to=queue)


def straight_to_the_door_s_queue(client, queue):
    client.send("door.requests", {"name": "科普日"}, exchange="", reply_to=queue)


def as_another_service_s(client, queue):
    client.send("door.open_campaign", {"name": "科普日"}, reply_to=queue)
    client.send("gateway.rebuild", reply_to=queue)
    client.send(f"{CAMPAIGN}.{REGISTER}", reply_to=queue)
    client.send(CAMPAIGN.upper(), reply_to=queue)
    client.send(f"{CAMPAIGN}", headers={"service": "outreach"}, reply_to=queue)


@pytest.mark.parametrize(
    "trick",
    [
        by_its_exchange, by_a_queue_that_dead_letters_there, by_an_exchange_of_its_own, straight_to_the_door_s_queue,
        as_another_service_s,
    ],
)  # fmt: skip
def test_a_method_that_was_not_granted_is_refused_by_name_and_not_done_whichever_way_it_is_called(town, client, trick):
    queue = client.queue()

    trick(client, queue)

    error = client.answer(queue)["error"]
    assert error["exc_type"] == "NotAllowed"
    assert "is not granted to audit_office" in error["exc_args"][0]["en"]
    assert "未获准调用" in error["exc_args"][0]["zh"]
    assert campaigns(town) == 0


def test_an_exchange_that_was_made_a_fanout_hears_nothing_of_another_system(library, client):
    """Whoever declares `nameko-rpc` as something else has it in its own virtual host, and is served again without."""
    with library.connected() as theirs:
        theirs.channel.exchange_delete(RPC_EXCHANGE)
        theirs.channel.exchange_declare(RPC_EXCHANGE, type="fanout", durable=True, auto_delete=False)
        spy = theirs.queue()
        theirs.channel.queue_bind(spy, exchange=RPC_EXCHANGE)

        assert client.ask(LIST)["error"] is None
        assert theirs.channel.basic_get(spy) is None

        theirs.channel.exchange_delete(RPC_EXCHANGE)
        assert theirs.ask_until_served(LIST)["error"] is None


def test_a_queue_of_the_door_that_a_system_deletes_is_made_again(library):
    with library.connected() as theirs:
        theirs.channel.queue_delete("door.requests")

        assert theirs.ask_until_served(LIST)["error"] is None


TOKENS = {
    "none": lambda _: "",
    "no text": lambda _: 7,
    "nonsense": lambda _: "x.y.z",
    "another system's": lambda both: both[1].token,
    "an operator's": lambda both: both[0].a_token(subject="operator", roles=("operator",)),
    "expired": lambda both: both[0].a_token(lifetime=timedelta(seconds=-1)),
    "signed by somebody else": lambda both: both[0].a_token(key=key_pair()[0]),
}


@pytest.mark.parametrize("which", TOKENS)
def test_a_token_has_to_be_valid_and_the_system_s_own(town, client, both, which):
    name = f"hall of {which}"

    answer = client.ask(REGISTER, {**HALL, "name": name}, token=TOKENS[which](both))

    assert answer["error"]["exc_type"] == "NotAuthenticated"
    assert venues(town, name=name) == []


def test_a_revoked_token_is_refused_although_the_door_signs_anew(town, client):
    """The token that a service gets has the same id."""
    token_id = uuid.uuid4().hex
    token = client.bureau.a_token(id=token_id)
    assert client.ask(LIST, token=token)["error"] is None

    town.server_of_outreach().revocations.note(token_id, last_day="2099-12-31")

    error = until(lambda: client.ask(LIST, token=token)["error"])
    assert (error["exc_type"], error["value"]) == ("NotAuthenticated", "not_authenticated: The token was revoked.")


def test_a_large_request_is_refused_before_it_is_read(client):
    answer = client.ask(REGISTER, b"[" * 2_000_000)

    assert answer["error"]["exc_type"] == "TooLarge"


def test_what_a_service_refuses_reaches_the_caller_as_it_was_said(client):
    answer = client.ask(REGISTER, {"venue_kind": "castle"})

    assert answer["error"]["exc_type"] == "InvalidInput"
    assert {one["field"] for one in answer["error"]["exc_args"][0]["errors"]} == {"venue_kind", "name", "district"}


# --- what travels -----------------------------------------------------------------------------------------------------


def test_nothing_but_the_body_travels_and_a_token_of_minutes_takes_the_place_of_the_system_s(town, client, monkeypatch):
    seen = []
    server = town.server_of_outreach()
    understand = server._understand
    monkeypatch.setattr(server, "_understand", lambda request: seen.append(request) or understand(request))

    forged = {"nameko.call_id_stack": ["x"], "traceparent": f"00-{'a' * 32}-{'b' * 16}-01", "kexie.at": "2011-01-01",
              "x-death": []}  # fmt: skip
    client.ask(REGISTER, HALL, headers=forged, message_id="m-1", app_id="ours", priority=9, type="x", cluster_id="c")

    (request,) = seen
    assert set(request.headers) == {"nameko.token"}
    assert not {"message_id", "app_id", "priority", "type", "user_id", "cluster_id"} & set(request.message.properties)
    assert request.token != client.bureau.token
    ours, theirs = server.tokens.read(request.token), server.tokens.read(client.bureau.token)
    assert (ours.actor, ours.id) == (theirs.actor, theirs.id)
    with pytest.raises(NotAuthenticated, match="another service"):
        Tokens(town.settings.token_public_key, audience="rural").read(request.token)
    assert ours.expires < theirs.expires - 3_000


def test_a_request_that_is_delivered_twice_is_one_command(town, client):
    queue, name = client.queue(), f"hall {uuid.uuid4().hex}"
    for _ in range(2):
        client.send(REGISTER, {**HALL, "name": name}, reply_to=queue, correlation_id="the-same")

    first, second = client.answer(queue), client.answer(queue)

    assert first == second
    assert len(venues(town, name=name)) == 1


def test_a_command_that_nobody_waits_for_is_done_and_counted_and_rubbish_is_dropped(town, client):
    name, lost = f"hall {uuid.uuid4().hex}", town.unanswered(client.bureau)
    client.send(REGISTER, {**HALL, "name": name}, correlation_id="unheard")
    client.send(REGISTER, {**HALL, "name": name}, token="")

    until(lambda: town.unanswered(client.bureau) == lost + 2)
    assert len(venues(town, name=name)) == 1
    assert town.services.database("outreach")["parked"].count_documents({}) == 0


def test_one_id_for_two_requests_is_no_reason_to_mistake_one_for_the_other(town, client):
    queue, names = client.queue(), [f"hall {uuid.uuid4().hex}" for _ in range(2)]
    for name in names:
        client.send(REGISTER, {**HALL, "name": name}, reply_to=queue, correlation_id="1")

    assert [client.answer(queue)["error"] for _ in names] == [None, None]
    assert [len(venues(town, name=name)) for name in names] == [1, 1]
