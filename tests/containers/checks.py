"""Checks of a running site: each service is kept to its own database, and secrets appear nowhere."""

from __future__ import annotations

import re
from pathlib import Path

from deploy.errors import CommandFailed
from services.contract.topology import SOURCES
from tests.containers.clerks import say
from tests.containers.containers import Containers, run

PUBLIC = ("ca.pem", "token_public_key", "layout.json")

TRY_DATABASES = """
from os import environ; from sys import argv
from pymongo import MongoClient; from pymongo.errors import OperationFailure
client = MongoClient(open(environ["MONGO_URI_FILE"]).read())
def refuses(name, act):
    try: act(client[name])
    except OperationFailure as error: assert error.code == 13, error; return True
own = client.get_default_database().name
assert not refuses(own, lambda database: database.list_collection_names()), own
for name in argv[1].split():
    assert name == own or refuses(name, lambda database: database.list_collection_names()), name
    assert name == own or refuses(name, lambda database: database.x.insert_one({})), name
"""


class SecretShown(CommandFailed):
    """A secret appears where others can read it."""


def check_databases(containers: Containers) -> None:
    """Let each service try every database: it must get into its own and be refused by all others; CommandFailed."""
    databases = " ".join([*(f"kexie_{name}" for name in SOURCES), "kexie_backup", "admin", "local", "config"])
    for name in SOURCES:
        containers.inside(f"{name}-1", TRY_DATABASES, databases)
    say(f"each of {len(SOURCES)} users was refused every database but its own")


def check_secrets(containers: Containers) -> None:
    """Look for every secret of the site in all logs, and in what shows of containers and images; SecretShown."""
    ids = containers.compose("ps", "--all", "--quiet").split()
    images = run("docker", "inspect", "--format", "{{.Image}}", *ids).split()
    text = containers.compose("logs", "--no-color") + run("docker", "inspect", *ids, *images)
    text += "".join(run("docker", "history", "--no-trunc", image) for image in set(images))
    secrets = _secrets(containers.site)
    if shown := {file for secret, file in secrets.items() if secret in text}:
        raise SecretShown(f"Logs or inspections show secrets of {', '.join(sorted(shown))}.")
    say(f"none of {len(secrets)} secrets is in {len(text):,} characters of logs and inspections")


def _secrets(site: Path) -> dict[str, str]:
    """Every secret of the site's files, with the name of its file."""
    files = [file for file in site.rglob("*") if file.is_file() and file.name not in PUBLIC]
    return {secret: file.name for file in files for secret in re.findall("[A-Za-z0-9+/]{32,}", file.read_text())}
