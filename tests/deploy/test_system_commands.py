"""`deploy system add` and `remove` at a site of containers: the running broker is told, or the command says so."""

import os

import pytest
from click.testing import CliRunner

from deploy.__main__ import kexie
from deploy.deployment.site_files import Site

DOCKER = """#!/bin/sh
case "$*" in
    *" ps --format json rabbitmq") cat {folder}/containers ;;
    *rabbitmqctl*)
        echo "$*" >> {folder}/asked
        cat > {folder}/told
        cat {folder}/words >&2
        exit "$(cat {folder}/code)" ;;
esac
"""
HEALTHY, STARTING = '{"Health": "healthy"}\n', '{"Health": "starting"}\n'


@pytest.fixture
def site(tmp_path, monkeypatch):
    made = Site(tmp_path / "site", tmp_path / ".env")
    made.make()
    monkeypatch.setattr(Site, "of_the_environment", lambda: made)
    return made


@pytest.fixture
def docker(site, monkeypatch):
    """A Docker at this site that answers as a test says, and keeps what its rabbitmqctl was asked and given."""
    folder = site.folder.parent / "bin"
    folder.mkdir()
    (folder / "docker").write_text(DOCKER.format(folder=folder))
    (folder / "docker").chmod(0o700)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")

    def says(**files):
        for name, text in ({"containers": HEALTHY, "words": "", "code": "0", "asked": "", "told": ""} | files).items():
            (folder / name).write_text(text)

    says()
    return says


def system(*words):
    return CliRunner().invoke(kexie, ("deploy", "system", *words))


def add():
    return system("add", "bureau", "--may", "rural.list_associations", "--host", "broker.example")


def asked(tmp_path):
    return [line.partition("rabbitmqctl --quiet ")[2] for line in (tmp_path / "bin/asked").read_text().splitlines()]


def test_a_running_broker_is_told_at_once(site, docker, tmp_path):
    docker(containers=HEALTHY)

    done = add()

    assert (done.exit_code, asked(tmp_path)) == (0, ["import_definitions"]), done.output
    assert (tmp_path / "bin/told").read_text() == (site.folder / "definitions.json").read_text()
    assert "The broker knows of it." in done.output


@pytest.mark.parametrize("containers", ["", STARTING, "[]"])
def test_a_broker_that_does_not_run_yet_is_told_at_its_start(docker, containers, tmp_path):
    docker(containers=containers)

    done = add()

    assert (done.exit_code, asked(tmp_path)) == (0, [])
    assert "is not running; `./kexie deploy compose up -d --wait` tells it" in done.output


def test_a_broker_that_refuses_is_no_success(docker):
    docker(words="Error: no such node", code="69")

    done = add()

    assert done.exit_code == 1
    assert "no such node" in done.output


def test_a_removed_system_is_gone_at_the_broker_first_and_what_was_never_there_is_no_error(site, docker, tmp_path):
    add()
    docker(words="Error:\nQueue not found", code="64")

    done = system("remove", "bureau")

    assert done.exit_code == 0, done.output
    assert asked(tmp_path) == ["delete_user bureau", "delete_vhost bureau", "delete_queue door.bureau --vhost /"]
    assert "from the broker" in done.output
    assert site.systems().all() == {}


@pytest.mark.parametrize(
    ("says", "why"),
    [
        ({"containers": ""}, "`./kexie deploy compose up -d --wait rabbitmq` first. Nothing was changed."),
        ({"words": "Error: no such node", "code": "69"}, "no such node"),
    ],
)
def test_a_system_is_not_removed_here_where_the_broker_would_still_let_it_in(site, docker, says, why):
    add()
    docker(**says)

    done = system("remove", "bureau")

    assert done.exit_code == 1
    assert why in done.output
    assert list(site.systems().all()) == ["bureau"]
