"""`kexie deploy backup` and `restore` at the command line, with a Docker that answers as a test says."""

import io
import os
import stat
from base64 import b64decode

import bson
import pytest

from deploy.backup import DATABASES
from deploy.deployment.site_files import Site
from deploy.image.backup_archive import Manifest, Writing
from services.chassis.seal import ANY_KEY, Seal

DOCKER = """#!/bin/sh
echo "$*" >> {folder}/asked
case "$*" in
    *deploy.backup*) cat {folder}/backup; cat {folder}/said >&2; exit "$(cat {folder}/code)" ;;
    *--held*) cat {folder}/held >&2 ;;
esac
"""


def an_archive(databases=DATABASES, canary=None):
    file = io.BytesIO()
    writing = Writing(file)
    if canary:
        content = bson.encode({"_id": "canary", "sealed": canary})
        writing.documents("kexie_awards/seal", [(content, 1)], size=len(content))
    writing.metadata("kexie_awards/edition", b"{}")
    writing.documents("kexie_awards/edition", [(b"\5\0\0\0\0", 1)], size=5)
    told = {"kexie": "0", "point": "2011-05-14T10:00:00+08:00", "cluster_time": (1, 1), "databases": databases}
    writing.end(Manifest(**told, files=writing.files))
    return file.getvalue()


class Docker:
    def __init__(self, folder):
        self.folder = folder
        self.tells(backup=an_archive(), said=b"", code=b"0", asked=b"", held=b'{"held": {}, "is_half_done": false}\n')
        program = folder / "docker"
        program.write_text(DOCKER.format(folder=folder))
        program.chmod(0o700)

    def tells(self, **files):
        for name, content in files.items():
            (self.folder / name).write_bytes(content)

    @property
    def asked(self):
        return (self.folder / "asked").read_text()


@pytest.fixture
def docker(operator, tmp_path):
    folder = tmp_path / "bin"
    folder.mkdir()
    operator.told["PATH"] = f"{folder}{os.pathsep}{os.environ['PATH']}"
    return Docker(folder)


def test_a_backup_is_a_file_that_only_its_owner_may_read_and_replaces_none(operator, docker, tmp_path):
    content = an_archive()
    docker.tells(backup=content)
    file = tmp_path / "a.tar.gz"

    done = operator.gives("deploy", "backup", str(file))
    again = operator.gives("deploy", "backup", str(file))

    assert done.exit_code == 0, done.output
    assert "1 documents as they were at" in done.stdout
    assert file.read_bytes() == content
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert again.exit_code == 1
    assert "overwrites nothing" in again.output


@pytest.mark.parametrize(
    ("told", "says"),
    [
        ({"said": b'{"trouble": "It took longer."}\n', "code": b"1"}, "It took longer."),
        ({"said": b"no such service: provision\n", "code": b"14"}, "no such service: provision"),
        ({"said": b"", "code": b"137"}, "was ended with 137"),
        ({"backup": an_archive()[:-30]}, "no whole backup"),
    ],
)
def test_a_backup_that_fails_leaves_nothing_behind_and_says_why(operator, docker, tmp_path, told, says):
    docker.tells(**told)

    done = operator.gives("deploy", "backup", str(tmp_path / "a.tar.gz"))

    assert done.exit_code == 1
    assert says in done.output
    assert [file.name for file in tmp_path.iterdir() if file.is_file()] == []


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (an_archive()[:-30], "no whole backup"),
        (an_archive(databases=("kexie_awards",)), "are restored together"),
    ],
)
def test_what_is_no_whole_backup_of_all_is_refused_before_anything_is_touched(
    operator, docker, tmp_path, content, says
):
    (tmp_path / "a.tar.gz").write_bytes(content)

    done = operator.gives("deploy", "restore", "--replace", str(tmp_path / "a.tar.gz"))

    assert done.exit_code == 1
    assert says in done.output
    assert docker.asked == ""


def test_a_backup_whose_names_the_sites_key_does_not_open_is_refused_before_anything_is_touched(
    operator, docker, tmp_path, monkeypatch
):
    site = Site(tmp_path / "site", tmp_path / ".env")
    site.make()
    monkeypatch.setattr(Site, "of_the_environment", lambda: site)
    file = tmp_path / "a.tar.gz"

    def restored(canary, *options):
        file.write_bytes(an_archive(canary=canary))
        docker.tells(asked=b"", held=b'{"held": {"kexie_awards": 7}, "is_half_done": false}\n')
        return operator.gives("deploy", "restore", *options, str(file)).output, " run " in docker.asked

    own = Seal(b64decode((site.folder / "sealing_key").read_text())).canary()
    another = Seal(b"t" * 32).canary()
    refused, has_touched = restored(another)
    assert "put the old one there first" in refused
    assert "Nothing was changed" in refused
    assert not has_touched
    for canary, options in ((own, ()), (None, ()), (ANY_KEY, ()), (another, ("--without-key",))):
        said, has_touched = restored(canary, *options)
        assert "or with --replace" in said
        assert has_touched


@pytest.mark.parametrize(
    "held", [b'{"held": {"kexie_awards": 7}, "is_half_done": false}\n', b'{"held": {}, "is_half_done": true}\n']
)
def test_nothing_is_stopped_where_something_is_there_and_nobody_said_that_it_may_go(operator, docker, tmp_path, held):
    docker.tells(held=held)
    (tmp_path / "a.tar.gz").write_bytes(an_archive())

    refused = operator.gives("deploy", "restore", str(tmp_path / "a.tar.gz"))
    said_no = operator.gives("deploy", "restore", "--replace", str(tmp_path / "a.tar.gz"), typed="n\n")

    assert refused.exit_code == said_no.exit_code == 1
    assert "or with --replace" in refused.output
    assert " stop " not in docker.asked
