"""Connections to the broker: which of its nodes is asked."""

from dataclasses import replace

import pytest

from services.chassis.amqp import BROKEN, connect

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
