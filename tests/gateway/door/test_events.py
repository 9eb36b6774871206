"""Events for outside systems: those that were granted are carried out, each once and in order, and no others."""

import json

import pytest
from amqp.exceptions import NotFound

from gateway.door.systems import Grant, event_queue
from services.chassis.amqp import connect
from tests.gateway.door.town import HALL
from tests.stack import until

VENUES, CAMPAIGNS = "outreach.venue.*", "outreach.campaign.opened"


def heard(client, queue, number):
    """The next events of a queue, in their order."""
    return [json.loads(bytes(client.got(queue).body)) for _ in range(number)]


@pytest.fixture(scope="module")
def archive(town):
    (one,) = town.let_in("archive", hears=(VENUES, CAMPAIGNS))
    return one


@pytest.fixture
def served(town, archive):
    """The system and its door, which the test may close."""
    town.write_list()
    town.open_door(archive)
    yield archive
    town.close_door()


def test_events_are_carried_in_order_and_nothing_but_their_body_and_id(town, served):
    with served.connected() as client:
        queue, ids = client.hear(VENUES), [f"venue/v-{number}/1" for number in range(250)]

        town.publish("venue.registered", *ids)

        messages = [client.got(queue) for _ in ids]
        assert [json.loads(bytes(message.body))["id"] for message in messages] == ids
        assert [message.properties["message_id"] for message in messages] == ids
        assert {message.delivery_info["routing_key"] for message in messages} == {"venue.registered"}
        assert set(messages[0].properties) == {"content_type", "content_encoding", "delivery_mode", "message_id"}


def test_what_a_service_tells_is_heard(town, served):
    with served.connected() as client:
        queue = client.hear(VENUES)

        venue = town.services.call("outreach", "register_venue", **HALL)

        (event,) = heard(client, queue, 1)
        assert (event["subject"], event["type"], event["specversion"]) == (venue["id"], "venue.registered", "1.0")
        assert (event["dataschema"], event["sequence"]) == ("urn:kexie:schema:outreach:venue:1", f"{1:018}")


def test_what_happens_while_the_door_is_closed_is_carried_once_when_it_opens(town, served):
    with served.connected() as client:
        queue = client.hear(VENUES)
        town.publish("venue.registered", "before")
        assert heard(client, queue, 1) == [{"id": "before"}]

        town.close_door()
        town.publish("venue.registered", *map(str, range(300)))
        assert client.channel.basic_get(queue) is None

        town.open_door(served)
        town.publish("venue.registered", "after")
        assert [event["id"] for event in heard(client, queue, 301)] == [*map(str, range(300)), "after"]
        assert client.channel.basic_get(queue) is None


def test_two_doors_carry_each_event_once_and_in_order(town, served):
    town.open_door(served)
    with served.connected() as client:
        queue, ids = client.hear(VENUES), [*map(str, range(300))]

        town.publish("venue.registered", *ids)

        assert [event["id"] for event in heard(client, queue, 300)] == ids
    town.close_door()


def test_a_grant_that_was_taken_back_ends_although_its_binding_stays(town, served):
    """An import of definitions removes no binding."""
    with served.connected() as client:
        queue = client.hear("outreach.#")
        town.write_list(**{served.name: Grant(hears=(CAMPAIGNS,))})
        until(lambda: town.served(served).grant.hears == (CAMPAIGNS,) and town.serves(served))

        town.publish("venue.registered", "not for you")
        town.publish("campaign.opened", "for you")

        assert heard(client, queue, 1) == [{"id": "for you"}]


def test_an_exchange_that_a_system_has_made_otherwise_is_left_to_it(town, served):
    with served.connected() as client:
        client.channel.exchange_delete("outreach.events")
        client.channel.exchange_declare("outreach.events", type="fanout", durable=True, auto_delete=False)
        queue = client.hear(VENUES)

        town.publish("venue.registered", "1")

        assert heard(client, queue, 1) == [{"id": "1"}]
        client.channel.exchange_delete("outreach.events")


def test_an_exchange_that_a_system_has_deleted_is_made_again_for_the_next_event(town, served):
    with served.connected() as client:
        client.channel.exchange_delete("outreach.events")

        town.publish("venue.registered", "1")

        until(lambda: client.has_exchange("outreach.events"))
        queue = client.hear(VENUES)
        town.publish("venue.registered", "2")
        assert heard(client, queue, 1)[-1]["id"] in ("1", "2")


def test_a_system_without_events_has_no_queue_of_ours(town):
    (one,) = town.let_in("deaf", hears=())

    with connect(town.settings, "tests.look") as connection, pytest.raises(NotFound):
        connection.default_channel.queue_declare(event_queue(one.name), passive=True)
