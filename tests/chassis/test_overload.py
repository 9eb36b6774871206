"""Requests that nobody waits for any longer are not begun, and a service that gets none asks for them anew."""

from dataclasses import replace

import pytest

from services.chassis.problem import Unavailable
from services.chassis.rpc import Server
from tests.chassis.conftest import a_hall, held
from tests.chassis.toy import Toy
from tests.stack import Running, until

CLOSE = {"reason": "修缮", "roles": ["chair"], "timeout": 0.4}


def test_a_request_that_waited_too_long_for_its_service_is_never_begun(running):
    running.start(Toy)
    hall = a_hall(running)
    running.stop("outreach")

    with pytest.raises(Unavailable):
        running.call("outreach", "suspend_hall", hall_id=hall, command_id="close", **CLOSE)
    running.start(Toy)
    assert held(running, hall)["version"] == 1

    assert running.call("outreach", "suspend_hall", hall_id=hall, command_id="close", **CLOSE)["version"] == 2


def test_a_service_whose_consumer_the_broker_forgot_consumes_again(settings):
    with Running(replace(settings, heartbeat=2)) as world:
        world.start(Toy)
        hall = a_hall(world)
        (server,) = {one for one in world.containers[0].extensions if isinstance(one, Server)}
        with server._link.writing() as channel:
            channel.basic_cancel(server.queue, nowait=True)

        assert until(lambda: answered(world, hall))["version"] == 1


def answered(world, hall):
    try:
        return world.call("outreach", "get_venue", id=hall, timeout=1.0)
    except Unavailable:
        return None
