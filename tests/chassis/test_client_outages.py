"""Calls when the broker goes away: unavailable in time, and the next one is answered."""

from time import monotonic

import eventlet
import pytest

from services.chassis.amqp import connect
from services.chassis.problem import Unavailable
from services.chassis.provisioning import declare_shared
from services.contract.topology import RPC_EXCHANGE
from tests.chassis.conftest import a_hall, held
from tests.chassis.toy import Toy
from tests.stack import until


def test_calls_in_flight_are_unavailable_when_the_connection_is_cut_and_the_next_one_is_answered(behind_proxy, proxy):
    behind_proxy.start(Toy)
    hall = a_hall(behind_proxy)
    calls = [eventlet.spawn(_outcome, behind_proxy, hall, number) for number in range(10)]
    until(lambda: len(behind_proxy.caller._waiting) == 10)

    proxy.cut()
    assert [call.wait() for call in calls] == ["Unavailable"] * 10
    behind_proxy.database("outreach")["let_go"].insert_one({"_id": hall})
    until(lambda: held(behind_proxy, hall)["version"] == 11)
    assert _outcome(behind_proxy, hall, 3) in range(2, 12)
    assert held(behind_proxy, hall)["version"] == 11


def test_a_call_while_the_broker_is_away_is_unavailable_in_time_and_the_next_one_is_answered(behind_proxy, proxy):
    behind_proxy.start(Toy)
    proxy.refuse()
    until(lambda: not behind_proxy.caller.link.is_up)

    began = monotonic()
    with pytest.raises(Unavailable):
        behind_proxy.call("outreach", "ping", timeout=0.5)
    assert monotonic() - began < 1.5

    proxy.heal()
    assert behind_proxy.call("outreach", "ping", timeout=15)["service"] == "outreach"


def test_a_call_to_a_broker_that_takes_nothing_is_unavailable_in_time(behind_proxy, proxy):
    behind_proxy.start(Toy)
    behind_proxy.call("outreach", "ping")
    proxy.freeze()

    began = monotonic()
    calls = [eventlet.spawn(_long_call, behind_proxy) for _ in range(40)]
    assert [call.wait() for call in calls] == ["Unavailable"] * 40
    assert monotonic() - began < 3.0

    proxy.heal()
    assert behind_proxy.call("outreach", "ping", timeout=15)["service"] == "outreach"


def test_an_exchange_that_is_provisioned_again_has_all_who_used_it(behind_proxy):
    behind_proxy.start(Toy)
    behind_proxy.call("outreach", "ping")

    with connect(behind_proxy.settings, "tests.vandal") as connection:
        connection.default_channel.exchange_delete(RPC_EXCHANGE)
        declare_shared(connection.default_channel)

    assert until(lambda: _pinged(behind_proxy))["service"] == "outreach"


def test_a_service_whose_queue_was_deleted_serves_once_it_is_provisioned(behind_proxy):
    behind_proxy.start(Toy)

    with connect(behind_proxy.settings, "tests.vandal") as connection:
        connection.default_channel.queue_delete("rpc-outreach")
        with pytest.raises(Unavailable, match="outreach is not running"):
            behind_proxy.call("outreach", "ping")
        declare_shared(connection.default_channel)

    assert until(lambda: _pinged(behind_proxy))["service"] == "outreach"


def _pinged(world):
    try:
        return world.call("outreach", "ping", timeout=1.0)
    except Unavailable:
        return None


def _outcome(world, hall, number):
    try:
        return world.call(
            "outreach", "linger_in_hall", hall_id=hall, command_id=f"linger-{number}", timeout=15
        )["version"]  # fmt: skip
    except Unavailable:
        return "Unavailable"


def _long_call(world):
    try:
        return world.call("outreach", "ping", padding="x" * 900_000, timeout=1.0)
    except Unavailable:
        return "Unavailable"
