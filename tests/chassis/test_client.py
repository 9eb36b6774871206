"""Calls: each with its own answer and its own time-out, many at once."""

import pytest
from amqp.basic_message import Message
from amqp.exceptions import PreconditionFailed
from eventlet import GreenPool

from services.chassis.amqp import connect
from services.chassis.problem import NotFound, TooLarge, Unavailable
from services.contract.topology import MESSAGE_LIMIT
from tests.chassis.conftest import a_hall, held


def test_a_service_that_nobody_serves_is_not_found_at_once(shared):
    with pytest.raises(NotFound, match=r"Nobody serves payroll\.pay"):
        shared.call("payroll", "pay")


def test_a_request_that_the_broker_would_not_take_is_not_sent(shared):
    link = shared.caller.link.channel
    with pytest.raises(TooLarge):
        shared.caller.call("outreach", "ping", {"text": "x" * MESSAGE_LIMIT})

    shared.call("outreach", "ping")
    assert shared.caller.link.channel is link


def test_the_broker_takes_a_message_of_the_limit_and_none_that_is_longer(shared):
    with connect(shared.settings, "tests.large") as connection:
        channel = connection.default_channel
        channel.confirm_select()
        channel.basic_publish_confirm(Message(b"x" * MESSAGE_LIMIT), routing_key="nowhere")

        with pytest.raises(PreconditionFailed):
            channel.basic_publish_confirm(Message(b"x" * (MESSAGE_LIMIT + 1)), routing_key="nowhere")


def test_many_calls_at_once_each_get_their_own_answer(shared):
    halls = [a_hall(shared, capacity=number) for number in range(50)]

    def capacity(hall):
        return shared.call("outreach", "get_venue", id=hall)["capacity"]

    assert list(GreenPool().imap(capacity, halls)) == list(range(50))


@pytest.mark.rule("X-01")
def test_a_call_without_an_answer_in_time_is_unavailable_and_the_same_command_again_finds_its_outcome(shared, hall):
    with pytest.raises(Unavailable) as late:
        shared.call("outreach", "linger_in_hall", hall_id=hall, command_id="linger", timeout=0.3)
    assert late.value.involved == {"service": "outreach", "method": "linger_in_hall"}

    shared.database("outreach")["let_go"].insert_one({"_id": hall})
    outcome = shared.call("outreach", "linger_in_hall", hall_id=hall, command_id="linger")
    assert outcome["version"] == 2
    assert held(shared, hall)["version"] == 2
