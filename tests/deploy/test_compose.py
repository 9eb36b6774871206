"""The compose files as compose itself understands them: who is given what, what is limited, and who knows whom."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from deploy.deployment.site_files import CLUSTER
from deploy.secrets.private_files import CHECKOUT
from services.contract.topology import SOURCES

FOLDER = CHECKOUT / "deploy"
ENGINES = {*CLUSTER.brokers, *CLUSTER.databases}
TOLD = {"KEXIE_USER": "10001:10001", "PATH": os.environ["PATH"]}


def compose():
    """Docker's own where it is there, else the same program from the package."""
    if shutil.which("docker"):
        return ("docker", "compose")
    import compose as package  # noqa: PLC0415 - on machines for which it is made

    return (str(Path(package.__file__).with_name("docker-compose")),)


def understood(*files):
    """All of it as one file, without what an operator might have said in deploy/.env."""
    named = [word for file in files for word in ("-f", FOLDER / file)]
    command = (*compose(), "--env-file", os.devnull, *named, "--profile", "*", "config")
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
    assert {name: cluster[name]["deploy"]["replicas"] for name in SOURCES} == dict.fromkeys(SOURCES, 2)


def test_a_linter_finds_nothing_that_is_not_explained(text, tmp_path):
    file = tmp_path / "compose.yml"
    file.write_text(text)
    lint = (sys.executable, "-m", "compose_lint", "check", "--config", FOLDER / ".compose-lint.yml", "--fail-on", "low")

    done = subprocess.run((*lint, file), cwd=tmp_path, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout
