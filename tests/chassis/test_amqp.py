"""Connections to the broker: which of its nodes is asked, and who reads what it says."""

import select
from dataclasses import replace

import pytest
from amqp.basic_message import Message
from amqp.exceptions import PreconditionFailed

from services.chassis.amqp import BROKEN, connect
from tests.stack import until

NOBODY = "amqp://127.0.0.1:1//"


def test_any_node_that_lets_us_in_is_good_enough(settings):
    several = replace(settings, amqp_uri=f"{NOBODY};{settings.amqp_uri};{NOBODY}")

    for _ in range(10):
        connection = connect(several, "tests.nodes")
        assert connection.connected
        connection.collect()


def test_where_no_node_lets_us_in_the_last_refusal_is_told(settings):
    with pytest.raises(BROKEN):
        connect(replace(settings, amqp_uri=f"{NOBODY};{NOBODY}"), "tests.nodes")


def test_who_writes_leaves_reading_to_who_reads(settings):
    connection = connect(settings, "tests.writer")
    channel = connection.default_channel
    channel.basic_ack(1)  # of nothing, so that the broker closes the channel
    until(lambda: select.select([connection.connection.sock], [], [], 0)[0])

    channel.basic_publish(Message(b"{}"), routing_key="nowhere")

    with pytest.raises(PreconditionFailed):
        connection.drain_events(timeout=5)
    connection.collect()
