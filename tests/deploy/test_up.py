"""Whole stacks with a real broker and a real database; the six processes are stand-ins."""

import os
import signal
import socket
import subprocess
from pathlib import Path

import jwt
import pika
import pytest
from amqp.exceptions import AccessRefused
from kombu import Connection

from deploy.local.broker import Broker
from deploy.local.home import Home
from deploy.local.home_keys import token_keys
from deploy.local.programs import PROGRAMS
from deploy.secrets.keys import SIGNING
from gateway.operations import broker_status
from services.chassis.provisioning import provision
from services.chassis.settings import Settings
from tests.deploy.running import eventually, fetch, fetch_if_reached, kexie, post, records_of, ups


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    folder = tmp_path_factory.mktemp("two")
    with ups(folder / "left", folder / "right") as both:
        yield both


@pytest.fixture(scope="module")
def one(two):
    return two[0]


def test_two_homes_run_side_by_side_and_share_nothing(two):
    left, right = two
    for up, word in ((left, "left"), (right, "right")):
        post(up, word)
        with records_of(up) as records:
            records.insert_one({"_id": word})

    assert (fetch(left), fetch(right)) == ("left", "right")
    with records_of(left) as records:
        assert list(records.find()) == [{"_id": "left"}]
    assert {part.port for part in left.stack.parts}.isdisjoint(part.port for part in right.stack.parts)
    assert left.stack.addresses.gateway_url != right.stack.addresses.gateway_url


def test_each_thing_that_starts_is_told_in_one_line(one):
    before_the_end = one.said.split("\n\n")[0].splitlines()

    assert [line.split()[0] for line in before_the_end] == ["database", "broker", *PROGRAMS]
    assert one.stack.addresses.gateway_url in one.said


def test_a_second_up_in_the_same_home_is_refused_in_one_line(one):
    second = kexie(one.home, "up")

    assert second.returncode == 1
    assert second.stderr == f"Error: A stack is already running in {one.home}.\n"
    assert one.popen.poll() is None


def test_env_can_be_evaluated_by_bash(one):
    assignments = kexie(one.home, "env").stdout
    script = f'set -eu; {assignments}printf "%s\\n" "$AMQP_URI" "$MONGO_URI" "$GATEWAY_URL" "$KEXIE_TOKEN"'
    done = subprocess.run(("bash", "-c", script), env={}, capture_output=True, text=True, check=True)

    *addresses, token = done.stdout.splitlines()
    told = one.stack.addresses
    assert addresses == [told.amqp_uri, told.mongo_uri, told.gateway_url]
    assert pika.URLParameters(addresses[0]).virtual_host == "/"
    assert Connection(addresses[0]).virtual_host == "/"
    claims = jwt.decode(token, token_keys(Home(one.home)).public, algorithms=["EdDSA"])
    assert (claims["sub"], claims["roles"]) == ("operator", ["operator"])


def test_what_is_secret_is_readable_by_its_owner_only(one):
    broker = ("broker/rabbitmq.conf", "broker/password", "broker/.erlang.cookie")
    secrets = ("stack.json", "token.pem", "database.key", "database.password", *broker)
    modes = {name: (one.home / name).stat().st_mode & 0o777 for name in secrets}

    assert one.home.stat().st_mode & 0o777 == 0o700
    assert modes == dict.fromkeys(secrets, 0o600)


def test_the_broker_has_no_guest(one):
    port = one.stack.part("broker").port

    with Connection(f"amqp://guest:guest@127.0.0.1:{port}//") as guest, pytest.raises(AccessRefused):
        guest.connect()


def test_the_database_ends_a_transaction_after_5_seconds(one):
    with records_of(one) as records:
        told = records.database.client.admin.command("getParameter", transactionLifetimeLimitSeconds=1)

    assert told["transactionLifetimeLimitSeconds"] == 5


def test_only_who_signs_is_told_the_private_key(one):
    told = {
        name: b"TOKEN_PRIVATE_KEY=" in Path(f"/proc/{one.process(name).pid}/environ").read_bytes() for name in PROGRAMS
    }

    assert told == {name: name in SIGNING for name in PROGRAMS}


def test_a_killed_service_starts_again_and_status_tells_so(one):
    killed = one.process("outreach")
    os.kill(killed.pid, signal.SIGKILL)

    eventually(lambda: one.process("outreach") != killed)
    assert "outreach  died (SIGKILL), starts again in 0.2 s" in one.said
    whole = eventually(lambda: (status := kexie(one.home, "status")).returncode == 0 and status)
    assert str(one.process("outreach").pid) in whole.stdout


def test_a_killed_broker_starts_again_at_the_same_address(one):
    post(one, "written before")
    os.kill(one.process("broker").pid, signal.SIGKILL)

    eventually(lambda: "broker    died" in one.said)
    assert eventually(lambda: fetch_if_reached(one), within=40) == "written before"


def test_a_broker_with_an_alarm_says_why_it_takes_nothing(one):
    settings = Settings(amqp_uri=one.stack.addresses.amqp_uri, mongo_uri="", token_public_key="")
    broker = Broker(Home(one.home))
    provision(settings.amqp_uri)
    assert broker_status.look(settings)["blocked"] is None

    broker.control("set_vm_memory_high_watermark", "0.00001")
    try:
        blocked = eventually(lambda: broker_status.look(settings)["blocked"])
    finally:
        broker.control("set_vm_memory_high_watermark", "0.4")

    assert blocked == "low on memory"
    assert eventually(lambda: broker_status.look(settings)["blocked"] is None)


def test_status_shows_what_each_process_tells_and_ends_with_1_when_one_is_not_ready(one):
    frozen = one.process("rural").pid
    os.kill(frozen, signal.SIGSTOP)
    try:
        status = kexie(one.home, "status", COLUMNS="200")
    finally:
        os.kill(frozen, signal.SIGCONT)

    wrong, _, told = status.stdout.partition("\n")
    processes, _, system = told.partition("\n\n")
    ready = {line.split()[0]: line.split()[4:] for line in processes.splitlines()[1:]}
    assert status.returncode == 1
    assert wrong == f"WRONG: rural is not ready; its log is {one.home}/logs/rural.log"
    assert ready["rural"] == ["NO"]
    assert ready["awards"] == ["yes", "4", "2.5", "0"]
    assert ready["broker"] == ["yes"]
    assert "queues: gateway.ledger 3" in system


def test_a_taken_port_is_refused_in_one_line(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        refused = kexie(tmp_path / "home", "up", "--port", str(port))

    assert refused.returncode == 1
    assert refused.stderr == f"Error: Port {port} is taken; name another with --port, or leave it out.\n"


def test_env_says_so_where_nothing_runs(tmp_path):
    nothing = kexie(tmp_path, "env")

    assert (nothing.returncode, nothing.stdout) == (1, "")
    assert nothing.stderr == f"Error: Nothing is running in {tmp_path}; `./kexie up` starts it.\n"
