"""Processes as containers run them: health, logs, and an end that loses nothing."""

import json
from dataclasses import replace
from functools import partial
from time import monotonic

import eventlet
import pytest

from deploy.image.service_classes import HOMES, service_class
from services.chassis import health
from services.chassis.problem import InvalidInput, Malfunction, NotAllowed, RefusedByRule
from services.chassis.run import containers
from services.contract.topology import exchange
from tests.chassis.conftest import a_hall, held, register
from tests.chassis.outsider import Outsider
from tests.chassis.processes import Process
from tests.stack import expect_requests, until

TOY = "tests.chassis.toy_process"


@pytest.fixture
def start(settings, tmp_path):
    """Starts a process that ends with the test."""
    started = []
    expect_requests(settings)

    def start(module=TOY, *names, of=settings, **variables):
        process = Process(of, tmp_path / f"{len(started)}.log", module, *names, **variables)
        started.append(process)
        return process

    yield start
    for process in started:
        process.__exit__()


def test_a_process_answers_for_its_health_and_ends_with_0(start, running):
    process = start("deploy.run", "awards").ready()
    assert running.call("awards", "ping") == {"service": "awards", "parked": 0}

    status, said = process.get("/health")
    assert (status, json.loads(said)["services"], json.loads(said)["stuck"]) == (200, ["awards"], [])
    status, ready = process.get("/ready")
    assert (status, json.loads(ready)) == (200, {"ready": True, "services": ["awards"], "missing": []})
    status, metrics = process.get("/metrics")
    assert status == 200
    assert 'kexie_commands_total{method="ping",outcome="done",service="awards"} 1.0' in metrics
    assert f'kexie_build_info{{version="{health.VERSION}"}} 1.0' in metrics
    assert 'kexie_ready{service="awards"} 1.0' in metrics
    assert process.get("/secrets")[0] == 404

    process.terminate()
    assert process.exit_code() == 0
    assert [line["event"] for line in process.lines] == ["started", "stopping", "stopped"]
    assert all(line.keys() >= {"timestamp", "level", "event"} for line in process.lines)
    assert {line["service"] for line in process.lines} == {"awards"}
    assert len(process.lines) == len(process.log.splitlines())


def test_a_process_shows_what_was_parked_before_it_started_and_what_an_operator_took_out(start, running):
    parked = running.database("awards")["parked"]
    parked.insert_many([{"_id": "m-1", "state": "waiting"}, {"_id": "m-2", "state": "waiting", "alarm": True}])
    process = start("deploy.run", "awards").ready()
    assert 'kexie_parked_messages{service="awards"} 2.0' in process.get("/metrics")[1]
    assert 'kexie_parked_alarms{service="awards"} 1.0' in process.get("/metrics")[1]

    parked.delete_one({"_id": "m-1"})
    assert 'kexie_parked_messages{service="awards"} 1.0' in process.get("/metrics")[1]


@pytest.mark.parametrize("name", HOMES)
def test_a_process_that_is_asked_before_it_has_started_says_so(settings, name):
    settings = replace(settings, door_systems="no list yet")
    early = health.Health(settings, containers([service_class(name)], settings))

    assert json.loads(early.ready()[2])["missing"] == ["start"]
    assert f'kexie_ready{{service="{name}"}} 0.0'.encode() in early.metrics()[2]


def test_a_process_whose_broker_is_away_is_healthy_and_not_ready(start, settings, proxy):
    proxy.refuse()
    process = start(of=replace(settings, amqp_uri=proxy.amqp_uri))
    until(lambda: process.get("/health")[0] == 200)

    status, ready = until(lambda: (answer := process.get("/ready"))[0] == 503 and "start" not in answer[1] and answer)
    assert status == 503
    assert set(json.loads(ready)["missing"]) == {"outreach: rpc", "outreach: events"}
    assert 'kexie_ready{service="outreach"} 0.0' in process.get("/metrics")[1]

    proxy.heal()
    process.ready()


@pytest.mark.rule("X-08")
def test_nothing_of_the_input_is_in_the_log_of_what_was_refused_or_went_wrong(start, running):
    process = start(LOG_LEVEL="DEBUG").ready()
    secret = "王小明 13812345678"
    hall = a_hall(running, name=secret)
    suspend = partial(running.call, "outreach", "suspend_hall", hall_id=hall, reason=secret, roles=["chair"])
    suspend()
    with pytest.raises(RefusedByRule):
        suspend()
    with pytest.raises(RefusedByRule):
        register(running, name=secret)
    with pytest.raises(InvalidInput):
        running.call("outreach", "add_seats", hall_id=hall, seats=secret)
    with pytest.raises(NotAllowed):
        running.call("outreach", "suspend_hall", hall_id=hall, reason=secret, roles=["viewer"])
    for how in ("bug", "surrogate", "object"):
        with pytest.raises(Malfunction):
            running.call("outreach", "break_hall", hall_id=hall, how=how, text=secret, command_id=f"c-{how}")
    with Outsider(running.settings) as outsider:
        outsider.send("outreach.add_seats", secret.encode())
        outsider.send("service_point.completed", json.dumps({"id": secret}).encode(), exchange=exchange("rural"))
        until(lambda: running.database("outreach")["parked"].count_documents({}) == 1)
        until(lambda: outsider.messages_in("rpc-outreach") == 0)

    process.terminate()
    assert process.exit_code() == 0
    faults = [line for line in process.lines if line["event"] == "malfunction"]
    assert [fault["command"] for fault in faults] == ["c-bug", "c-surrogate", "c-object"]
    assert faults[0]["error"] == "RuntimeError"
    assert "break_hall" in faults[0]["at"][-1]
    assert len([line for line in process.lines if line["event"] == "parked"]) == 1
    assert "王小明" not in process.log
    assert "13812345678" not in process.log


@pytest.mark.rule("X-01")
def test_a_process_that_is_told_to_end_answers_what_it_has_and_leaves_the_rest_to_the_next(start, running):
    process = start().ready()
    halls = [a_hall(running) for _ in range(8)]
    calls = [eventlet.spawn(linger, running, hall) for hall in halls]
    until(lambda: running.database("outreach")["lingering"].count_documents({}) == 8)
    with Outsider(running.settings) as outsider:
        process.terminate()
        until(lambda: not outsider.consumers_of("rpc-outreach"))
        late = eventlet.spawn(running.call, "outreach", "add_seats", hall_id=halls[0], seats=1, timeout=20)
        until(lambda: outsider.messages_in("rpc-outreach") == 1)
    running.database("outreach")["let_go"].insert_many({"_id": hall} for hall in halls)

    assert [call.wait()["version"] for call in calls] == [2] * 8
    assert process.exit_code() == 0
    assert not late.dead
    start().ready()
    assert late.wait()["version"] == 3


@pytest.mark.parametrize("trouble", ["refuse", "freeze"])
def test_a_process_ends_with_0_while_the_broker_is_away_and_the_next_one_publishes(start, running, proxy, trouble):
    process = start(of=replace(running.settings, amqp_uri=proxy.amqp_uri)).ready()
    hall = a_hall(running)
    running.database("outreach")["venue"].update_one({"_id": hall}, {"$set": {"pending": True, "published": 0}})
    getattr(proxy, trouble)()

    began = monotonic()
    process.terminate()
    assert process.exit_code() == 0
    assert monotonic() - began < 15
    proxy.heal()
    start().ready()
    until(lambda: held(running, hall)["published"] == 1 and "pending" not in held(running, hall))


def test_a_second_signal_ends_at_once_and_the_next_process_does_the_work(start, running):
    process = start().ready()
    hall = a_hall(running)
    call = eventlet.spawn(linger, running, hall)
    until(running.database("outreach")["lingering"].find_one)
    process.terminate()
    until(lambda: "stopping" in process.log)

    process.terminate()
    assert process.exit_code(within=3.0) == 0
    assert not call.dead
    start().ready()
    running.database("outreach")["let_go"].insert_one({"_id": hall})
    assert call.wait()["version"] == 2
    assert held(running, hall)["version"] == 2


def test_a_process_one_of_whose_services_died_ends_with_1(start, running):
    process = start(TOY, "awards").ready()
    hall = a_hall(running)

    with pytest.raises(Malfunction):
        running.call("outreach", "break_hall", hall_id=hall, how="container", timeout=0.5)
    assert process.exit_code() == 1


def test_wrong_settings_end_a_process_with_2_and_all_of_them_are_named(start):
    process = start(AMQP_URI="rabbit", MONGO_URI="", HEALTH_PORT="many", LOG_LEVEL="LOUD", TOKEN_PUBLIC_KEY="x")

    assert process.exit_code() == 2
    for name in ("AMQP_URI", "MONGO_URI", "HEALTH_PORT", "LOG_LEVEL", "TOKEN_PUBLIC_KEY"):
        assert f"\n{name}: " in process.log
    assert "Traceback" not in process.log


def test_a_service_that_does_not_exist_is_said_to_be_unknown(start):
    process = start("deploy.run", "awards", "payroll")

    assert process.exit_code() == 2
    assert "usage: kexie run SERVICE...  (services: awards, outreach, rural, members, gateway, door)" in process.log


def linger(running, hall):
    return running.call("outreach", "linger_in_hall", hall_id=hall, timeout=25)
