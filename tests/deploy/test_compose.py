"""The compose files as compose itself understands them: who is given what, what is limited, and who knows whom."""

import json
import os
import re
import subprocess
import sys
from dataclasses import fields

import pytest
import yaml

from deploy.cli import compose
from deploy.cli.compose import program
from deploy.deployment.layout import CLUSTER
from deploy.errors import CommandFailed
from deploy.local.programs import PROGRAMS
from deploy.secrets.private_files import CHECKOUT
from services.chassis.settings import Settings
from services.contract.topology import MESSAGE_LIMIT

FOLDER = CHECKOUT / "deploy"
ENGINES = {*CLUSTER.brokers, *CLUSTER.databases}
TOLD = {"KEXIE_USER": "10001:10001", "PATH": os.environ["PATH"]}


def understood(*files):
    """All of it as one file, without what an operator might have said in deploy/.env."""
    named = [word for file in files for word in ("-f", FOLDER / file)]
    command = (*program(), "--env-file", os.devnull, *named, "--profile", "*", "config")
    done = subprocess.run(command, env=TOLD, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert not done.stderr, done.stderr
    return done.stdout


@pytest.fixture(scope="module", params=[("compose.yml",), ("compose.yml", "compose.cluster.yml")], ids=["one", "three"])
def text(request):
    return understood(*request.param)


@pytest.fixture(scope="module")
def services(text):
    return yaml.safe_load(text)["services"]


@pytest.fixture(scope="module")
def cluster():
    return yaml.safe_load(understood("compose.yml", "compose.cluster.yml"))["services"]


def test_the_broker_takes_every_request_and_has_room_for_messages_that_come_before_it_looks_at_its_memory(services):
    lines = (line.partition(" = ") for line in (FOLDER / "rabbitmq.conf").read_text().splitlines())
    conf = {name: value for name, _, value in lines}
    watermark = int(conf["vm_memory_high_watermark.absolute"].removesuffix("MB")) * 1_000_000
    request_limit = next(field for field in fields(Settings) if field.name == "request_limit").default

    assert int(conf["max_message_size"]) == MESSAGE_LIMIT > request_limit
    for name in set(services) & set(CLUSTER.brokers):
        assert int(services[name]["mem_limit"]) - watermark > 30 * MESSAGE_LIMIT


def test_every_container_is_limited_and_can_do_no_more_than_it_has_to(services):
    for name, service in services.items():
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert {"mem_limit", "pids_limit"} <= set(service), name
        assert service["logging"]["options"]["max-size"], name
        assert service.get("read_only") or name.startswith("rabbitmq"), name
        assert not {"privileged", "network_mode", "pid", "ipc", "devices"} & set(service), name
        assert name in ENGINES | {"mongo_key", "prometheus"} or service["user"] == TOLD["KEXIE_USER"], name


def test_nothing_of_a_secret_is_in_what_everybody_may_inspect(services):
    for name, service in services.items():
        for variable, value in (service.get("environment") or {}).items():
            secret = re.search("PASSWORD|KEY|URI|SECRET|TOKEN|COOKIE", variable)
            assert not secret or value.startswith("/run/secrets/"), (name, variable)


def test_no_service_starts_before_the_running_broker_was_told_its_users_and_everything_shared_is_there(services):
    def waits_for(name):
        return {other: one["condition"] for other, one in services[name]["depends_on"].items()}

    assert waits_for("provision")["rights"] == "service_completed_successfully"
    assert {one["source"] for one in services["rights"]["secrets"]} == {"definitions", "erlang_cookie"}
    for name in PROGRAMS:
        assert waits_for(name)["provision"] == "service_completed_successfully", name


def test_only_who_founds_the_replica_set_has_the_password_of_root(services):
    holders = {
        name
        for name, one in services.items()
        if "mongo_root_password" in [it["source"] for it in one.get("secrets") or ()]
    }

    assert holders == {"mongo", "provision"}


def test_the_nodes_of_a_cluster_are_those_that_everybody_knows(cluster):
    told = (FOLDER / "rabbitmq.cluster.conf").read_text()
    proxy = (FOLDER / "proxy" / "haproxy.cfg").read_text()
    (watched,) = yaml.safe_load((FOLDER / "watching" / "brokers.cluster.yml").read_text())

    assert set(cluster) >= ENGINES
    assert all(cluster[name]["hostname"] == name for name in ENGINES)
    assert tuple(re.findall(r"rabbit@(\w+)", told)) == CLUSTER.brokers
    assert tuple(re.findall(r"server \w+ (\w+):5671", proxy)) == CLUSTER.brokers
    assert tuple(one.partition(":")[0] for one in watched["targets"]) == CLUSTER.brokers
    assert {name: cluster[name]["deploy"]["replicas"] for name in PROGRAMS} == dict.fromkeys(PROGRAMS, 2)


def test_the_proxy_waits_for_slow_requests_and_holds_each_address_to_less_than_it_has():
    proxy = (FOLDER / "proxy" / "haproxy.cfg").read_text()
    https = proxy.partition("frontend https")[2].partition("\nbackend ")[0]

    limits = dict(re.findall(r"\{ sc[01]_(\w+) gt (\d+) \}", https))
    (most,) = re.findall(r"^ +maxconn (\d+)", proxy, re.MULTILINE)
    assert set(limits) == {"conn_cur", "http_req_rate"}
    assert all(10 * int(number) <= int(most) for number in re.findall(r"conn_cur gt (\d+)", https))
    assert "option http-buffer-request" in https
    assert https.index("tcp-request connection reject") < https.index("http-request track-sc1")
    assert https.count("src,ipmask(32,64)") == 2
    assert {json.loads(body)["status"] for body in re.findall(r"string '(\{.*\})'", https)} == {408, 429}
    assert not re.search("server.* maxconn", proxy)


def test_a_linter_finds_nothing_that_is_not_explained(text, tmp_path):
    file = tmp_path / "compose.yml"
    file.write_text(text)
    lint = (sys.executable, "-m", "compose_lint", "check", "--config", FOLDER / ".compose-lint.yml", "--fail-on", "low")

    done = subprocess.run((*lint, file), cwd=tmp_path, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout


# --- the program ------------------------------------------------------------------------------------------------------

DOCKER = """#!/bin/sh
case "$*" in
    "compose version") exit {code} ;;
esac
echo "unknown flag: $2" >&2
exit 1
"""


@pytest.fixture
def docker(tmp_path, monkeypatch):
    """A Docker whose compose plugin ends with this code when its version is asked for; `None`: no Docker at all."""

    def install(code):
        monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin" if code is not None else str(tmp_path))
        if code is not None:
            (tmp_path / "docker").write_text(DOCKER.format(code=code))
            (tmp_path / "docker").chmod(0o700)

    return install


def test_docker_s_own_plugin_is_used_where_it_answers(docker):
    docker(0)

    assert program() == ("docker", "compose")


@pytest.mark.parametrize("code", [1, None])
def test_without_the_plugin_the_packaged_program_is_used(docker, code):
    docker(code)

    (path,) = program()
    done = subprocess.run((path, "version"), capture_output=True, text=True, check=False)
    assert (done.returncode, "Docker Compose" in done.stdout) == (0, True)


@pytest.mark.parametrize(
    ("log", "last"),
    [
        ('{"event": "waiting"}\nthe broker was not ready within 120 s\n', "the broker was not ready within 120 s"),
        ('{"event": "waiting"}\n{"event": "a restore ended"}\n', "a restore ended"),
        ("", "it said nothing"),
    ],
)
def test_the_last_words_of_a_program_are_told_where_it_failed(log, last):
    assert compose.words(log) == last


def test_where_there_is_neither_the_command_says_so(docker, monkeypatch):
    docker(None)
    monkeypatch.setattr(compose, "PACKAGE", "no_such_package")

    with pytest.raises(CommandFailed, match="Docker's compose plugin is not there"):
        program()
