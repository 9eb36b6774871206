"""`deploy init` at a site that is there already does nothing that its data, its users or another site would miss."""

import os
import re
import shutil
import stat
from pathlib import Path

import pytest
from click.testing import CliRunner
from cryptography import x509

from deploy.__main__ import kexie
from deploy.cli import compose
from deploy.deployment.file_owners import open_to_containers, require_owner
from deploy.deployment.layout import CLUSTER, Layout, check_change, with_hosts
from deploy.deployment.site_files import IRREPLACEABLE, Site
from deploy.errors import CommandFailed
from deploy.secrets.private_files import CHECKOUT

OWN = Layout(("10.0.0.1",), ("10.0.0.2",))


@pytest.fixture
def site(tmp_path):
    made = Site(tmp_path / "site", tmp_path / ".env")
    made.make()
    return made


@pytest.fixture
def init(tmp_path, monkeypatch):
    """`deploy init` in a folder of the test."""
    monkeypatch.setattr(Site, "of_the_environment", lambda: Site(tmp_path / "site", tmp_path / ".env"))
    return lambda *options: CliRunner().invoke(kexie, ("deploy", "init", *options))


def contents(folder):
    return {file: file.read_bytes() for file in folder.rglob("*") if file.is_file()}


# --- secrets ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", IRREPLACEABLE)
def test_a_secret_on_which_data_depend_is_never_invented_again_by_itself(site, name):
    (site.folder / name).unlink()
    before = contents(site.folder)

    with pytest.raises(CommandFailed, match=rf"{name} is gone.*put its copy back.*--anew {name}"):
        site.make()

    assert contents(site.folder) == before
    site.make(anew=(name,))
    assert (site.folder / name).exists()


def test_no_new_authority_is_made_beside_certificates_that_it_did_not_issue(site):
    (site.folder / "tls/ca.pem").unlink()
    before = contents(site.folder)

    with pytest.raises(CommandFailed, match="nobody trusts the certificates of a new authority"):
        site.make()

    assert contents(site.folder) == before
    shutil.rmtree(site.folder / "tls")
    site.make()
    assert (site.folder / "tls/rabbitmq.pem").exists()


def test_a_new_site_takes_the_sealing_key_that_was_put_there(tmp_path):
    folder = tmp_path / "site"
    folder.mkdir()
    (folder / "sealing_key").write_text("of the site before")

    Site(folder, tmp_path / ".env").make()

    assert (folder / "sealing_key").read_text() == "of the site before"


# --- names ------------------------------------------------------------------------------------------------------------


def test_a_new_name_joins_the_earlier_ones_and_one_goes_when_that_is_said(init, tmp_path):
    def names():
        pem = (tmp_path / "site/tls/proxy.pem").read_bytes()
        (found,) = [
            extension.value.get_values_for_type(x509.DNSName)
            for extension in x509.load_pem_x509_certificate(pem).extensions
            if isinstance(extension.value, x509.SubjectAlternativeName)
        ]
        return found

    init("--host", "kexie.example")
    added = init("--host", "kexie.example.cn")
    assert names() == ["kexie.example", "kexie.example.cn", "localhost"]
    assert "Others reach it as kexie.example, kexie.example.cn, localhost, 127.0.0.1." in added.output

    init("--drop-host", "kexie.example")
    assert names() == ["kexie.example.cn", "localhost"]


@pytest.mark.parametrize("dropped", ["localhost", "unknown.example"])
def test_a_name_that_it_does_not_have_or_always_has_is_not_dropped(dropped):
    with pytest.raises(CommandFailed, match=f"{dropped} cannot be dropped; names that can: a.example"):
        with_hosts(("a.example", "localhost"), (), (dropped,))


# --- layouts ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "after", "why"),
    [
        (CLUSTER, Layout(), "is a cluster"),
        (Layout(), OWN, "are in containers"),
        (OWN, Layout(), "are at 10.0.0.2"),
        (OWN, CLUSTER, "are at 10.0.0.2"),
    ],
)
def test_a_change_that_would_leave_the_data_behind_is_refused_with_the_way_to_move_them(before, after, why):
    with pytest.raises(CommandFailed, match=rf"{why}.*deploy backup.*restore"):
        check_change(before, after)


@pytest.mark.parametrize(("before", "after"), [(Layout(), CLUSTER), (OWN, Layout(("10.0.0.3",), ("10.0.0.2",)))])
def test_a_site_grows_and_its_own_servers_move(before, after):
    check_change(before, after)


def test_a_site_that_becomes_a_cluster_is_told_of_its_queues_once(init):
    init()

    assert "rabbitmq-queues grow rabbit@rabbitmq3 all" in init("--cluster").output
    assert "rabbitmq-queues grow" not in init("--cluster").output


def test_init_refuses_before_it_writes_anything(init, tmp_path):
    init("--cluster")
    before = contents(tmp_path)

    refused = init("--single", "--host", "new.example")

    assert (refused.exit_code, contents(tmp_path) == before) == (1, True)
    assert "is a cluster" in refused.output


# --- containers -------------------------------------------------------------------------------------------------------


def test_two_checkouts_name_their_containers_differently_and_a_site_of_before_keeps_its_name(tmp_path):
    one, other = (Site(tmp_path / name / "site", tmp_path / name / ".env") for name in ("one", "other"))
    one.make()
    other.make()
    assert one.project != other.project

    (one.folder / "project").unlink()
    one.environment.write_text("")
    one.make()
    assert one.project == "kexie"
    assert "COMPOSE_PROJECT_NAME=kexie\n" in one.environment.read_text()


def test_the_operators_name_is_kept(tmp_path):
    site = Site(tmp_path / "site", tmp_path / ".env")
    site.environment.write_text("COMPOSE_PROJECT_NAME=ours\n")

    site.make()

    assert site.project == "ours"
    assert site.environment.read_text().count("COMPOSE_PROJECT_NAME") == 1


def test_a_second_site_of_one_checkout_does_not_take_the_name_of_the_first(site, tmp_path):
    second = Site(tmp_path / "elsewhere/site", site.environment)

    second.make()

    assert second.project != site.project
    assert f"COMPOSE_PROJECT_NAME={site.project}\n" in site.environment.read_text()


def test_nothing_is_started_over_the_containers_of_another_checkout(site, tmp_path, monkeypatch):
    docker = tmp_path / "docker"
    docker.write_text("#!/bin/sh\necho /opt/other/deploy\n")
    docker.chmod(0o700)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")

    with pytest.raises(CommandFailed, match=f"named {site.project} are those of /opt/other/deploy"):
        compose.check_start(site)

    docker.write_text(f"#!/bin/sh\necho {CHECKOUT / 'deploy'}\n")
    compose.check_start(site)


# --- owners and modes -------------------------------------------------------------------------------------------------


def test_every_mounted_file_is_readable_whatever_the_umask_was(tmp_path):
    folder = tmp_path / "deploy"
    shutil.copytree(CHECKOUT / "deploy", folder, ignore=shutil.ignore_patterns("site"))
    for path in folder.rglob("*"):
        path.chmod(0o700 if path.is_dir() else 0o600)

    open_to_containers(folder)

    for path in mounted(folder):
        wanted = 0o555 if path.is_dir() else 0o444
        assert stat.S_IMODE(path.stat().st_mode) & wanted == wanted, path


def mounted(folder):
    """The files and folders of the checkout that compose mounts."""
    text = "".join((folder / file).read_text() for file in ("compose.yml", "compose.cluster.yml"))
    paths = [folder / name for name in re.findall(r"\./([\w./]+):/", text)]
    return {inner for path in paths for inner in (path, *path.rglob("*"))}


def test_the_test_above_sees_what_is_mounted():
    assert {"rabbitmq.conf", "rabbitmq.cluster.conf", "watching"} <= {
        path.name for path in mounted(CHECKOUT / "deploy")
    }


def test_a_file_of_another_owner_is_named_with_what_to_do(tmp_path):
    file = tmp_path / "sealing_key"
    file.write_text("k")

    with pytest.raises(CommandFailed, match=rf"{file} belongs to user {os.getuid()}, and .* as 999: `sudo chown 999"):
        require_owner([file], 999)
    require_owner([file], os.getuid())


@pytest.mark.skipif(os.getuid() != 0, reason="only root gives files to others")
def test_root_gives_a_key_that_it_put_there_to_the_user_of_the_containers(site):
    key = site.folder / "sealing_key"
    os.chown(key, 0, 0)

    site.prepare_start()

    assert f"{key.stat().st_uid}:{key.stat().st_gid}" in Path(site.environment).read_text()
