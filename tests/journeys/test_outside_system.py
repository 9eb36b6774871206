"""What another bureau is handed works as it is: its example calls and hears what was granted, over TLS, and tells what
is refused."""

import json
import os
import shutil
import subprocess
import sys
from contextlib import contextmanager

import pytest

from deploy.deployment.other_systems import System
from deploy.deployment.site_files import Site
from deploy.local.broker import USER
from deploy.local.home_keys import token_keys
from deploy.local.ports import Ports
from deploy.secrets.keys import as_setting
from gateway.door.systems import FILE
from tests.deploy.running import eventually

LISTEN = """
    {ok, _} = application:ensure_all_started(ssl),
    Files = [{certfile, "%(file)s"}, {keyfile, "%(file)s"}],
    ok = rabbit_networking:start_ssl_listener({"127.0.0.1", %(port)s, inet}, Files, 2).
"""
BUREAU = "audit_office"
GRANTED = System(may=("rural.list_associations",), hears=("external_result.*",), password="p")
RESULT = {
    "series": "youth_contest", "level": "province", "edition_no": 26, "category": "science_idea",
    "award_kind": "graded", "grade": "second", "title": "月球车", "first_entrant": "e-1",
    "awarded_on": "2011-04-10", "document_sha256": "b" * 64,
}  # fmt: skip


@pytest.fixture(scope="module")
def site(whole, tmp_path_factory):
    """Of the key that the stack has."""
    folder = tmp_path_factory.mktemp("site")
    (folder / "token_private_key").write_text(as_setting(token_keys(whole.home).private))
    made = Site(folder, folder / ".env")
    made.make()
    return made


@pytest.fixture(scope="module")
def speaks_tls(whole, site, tmp_path_factory):
    """Has the broker speak TLS, too, as a host of that name; the port."""

    def speak_tls(host):
        file, port = tmp_path_factory.mktemp("tls") / "server.pem", Ports(whole.home).take(f"broker as {host}")
        file.write_text(site.authority().issue([host]))
        whole.broker("eval", LISTEN % {"file": file, "port": port})
        return port

    return speak_tls


@pytest.fixture(scope="module")
def port(speaks_tls):
    return speaks_tls("localhost")


@pytest.fixture
def hand_over(whole, site, port, tmp_path):
    """Gives the folder as a bureau gets it, and has broker and door told of it."""

    def to(bureau):
        folder = site.add(bureau, GRANTED, host=f"localhost:{port}")
        whole.broker("import_definitions", str(site.folder / "definitions.json"))
        whole.broker("set_permissions", "-p", bureau, USER, ".*", ".*", ".*")  # as whom the door runs here
        (whole.home.folder / "door").mkdir(exist_ok=True)
        shutil.copy(site.folder / FILE, whole.home.folder / FILE)
        eventually(lambda: "rural.*" in whole.broker("list_bindings", "-p", bureau, "routing_key"))
        return shutil.copytree(folder.path, tmp_path / "handed")

    return to


@pytest.fixture
def handed(hand_over):
    return hand_over(BUREAU)


@contextmanager
def program(folder):
    """The example, run by somebody who has nothing of ours; the lines that it has printed so far."""
    said = folder / "said"
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    with said.open("w") as output:
        running = subprocess.Popen(
            (sys.executable, "example.py"), cwd=folder, env=environment, stdout=output, stderr=subprocess.STDOUT
        )
    running.said = lambda: said.read_text().splitlines()
    try:
        yield running
    finally:
        running.kill()
        running.wait()


def line(running, beginning):
    """What it tells after these words, once it does."""
    found = eventually(lambda: [one for one in running.said() if one.startswith(beginning)] or ended(running))
    return json.loads(found[-1].removeprefix(beginning))


def ended(running):
    assert running.poll() is None, running.said()


def report(whole, entrant):
    status, told = whole.post(
        "/api/v1/awards/report_external_result", RESULT | {"first_entrant": entrant}, whole.token()
    )
    assert status == 200, told
    return told["id"]


@pytest.mark.timeout(120)
def test_the_example_calls_and_hears_what_was_granted_and_finds_back_to_the_broker(whole, handed):
    with program(handed) as running:
        told = line(running, "rural.list_associations ")
        assert told.get("items") == [], told
        first = report(whole, "e-1")
        eventually(lambda: f'"subject": "{first}"' in "\n".join(running.said()))

        whole.broker("close_all_user_connections", BUREAU, "a test")
        eventually(lambda: any(one.startswith("no connection") for one in running.said()))
        second = report(whole, "e-2")

        eventually(lambda: line(running, "heard ")["subject"] == second)
        told = line(running, "heard ")
        assert told["type"] == "external_result.reported"
        assert sum(one.startswith("rural.list_associations") for one in running.said()) == 1


def test_what_was_not_granted_is_refused_and_told(handed):
    (handed / "granted.json").write_text(
        json.dumps({"may": ["rural.approve_grant", "rural.list_associations"], "hears": ["rural.fund_grant.*"]})
    )

    with program(handed) as running:
        refused = line(running, "rural.approve_grant ")["error"]
        assert (refused["exc_type"], refused["exc_args"][0]["involved"]) == (
            "NotAllowed",
            {"method": "rural.approve_grant"},
        )
        told = line(running, "rural.list_associations ")
        assert told.get("items") == [], told


def test_a_token_that_was_signed_without_the_gateway_is_revoked_by_its_id(whole, site, hand_over):
    handed = hand_over("bureau_that_leaves")
    done = whole.kexie("token", "revoke", site.systems().handed("bureau_that_leaves").token().id, "--why", "试验结束")
    assert done.returncode == 0, done.stderr

    with program(handed) as running:
        said = eventually(lambda: [one for one in running.said() if "rural.list_associations" in one])
    assert "revoked" in said[0]


def test_a_system_is_let_in_and_removed_on_this_machine_by_a_command(whole):
    name, folder = "town_museum", whole.home.folder / "systems" / "town_museum"
    let_in = ("system", "add", name, "--may", "rural.list_associations", "--hears", "external_result.*")
    done = whole.kexie(*let_in)
    assert done.returncode == 0, done.stderr
    assert str(folder) in done.stdout
    assert "rural.list_associations" in whole.kexie("system", "list").stdout
    eventually(lambda: "rural.*" in whole.broker("list_bindings", "-p", name, "routing_key"))

    with program(folder) as running:
        assert line(running, "rural.list_associations ").get("items") == []
        told = report(whole, "e-3")
        eventually(lambda: f'"subject": "{told}"' in "\n".join(running.said()))

        done = whole.kexie("system", "remove", name)
        assert done.returncode == 0, done.stderr
        assert eventually(running.poll) == 1  # its user is gone
    assert name not in whole.broker("list_vhosts")
    assert f"door.{name}" not in whole.broker("list_queues", "name")
    assert not folder.exists()


def test_the_example_goes_away_from_a_broker_with_another_name(speaks_tls, handed):
    (handed / "amqp_uri").write_text(f"amqps://{BUREAU}:p@localhost:{speaks_tls('elsewhere.example')}/{BUREAU}")

    with program(handed) as running:
        assert eventually(running.poll) == 1
        assert "CERTIFICATE_VERIFY_FAILED" in running.said()[-1]
