"""Checks of a running site: networks that are kept apart, and secrets that appear nowhere."""

from __future__ import annotations

import re

from services.contract.topology import SOURCES
from tests.containers.clerks import say
from tests.containers.containers import Containers, run

NO_SECRETS = ("ca.pem", "token_public_key", "layout.json")

LOOK_ELSEWHERE = """
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


def keeps_apart(containers: Containers) -> None:
    """The database lets each service into its own part, and refuses it every other."""
    elsewhere = " ".join([*(f"kexie_{name}" for name in SOURCES), "kexie_backup", "admin", "local", "config"])
    for name in SOURCES:
        containers.inside(f"{name}-1", LOOK_ELSEWHERE, elsewhere)
    say(f"each of {len(SOURCES)} users was refused every database but its own")


def tells_nothing(containers: Containers) -> None:
    """No secret is in a log, nor in what can be inspected of a container or of an image."""
    ids = containers.compose("ps", "--all", "--quiet").split()
    images = run("docker", "inspect", "--format", "{{.Image}}", *ids).split()
    told = containers.compose("logs", "--no-color") + run("docker", "inspect", *ids, *images)
    told += "".join(run("docker", "history", "--no-trunc", image) for image in set(images))
    secrets = {
        word: file.name
        for file in containers.site.rglob("*")
        if file.is_file() and file.name not in NO_SECRETS
        for word in re.findall("[A-Za-z0-9+/]{32,}", file.read_text())
    }
    if found := {name for word, name in secrets.items() if word in told}:
        raise SystemExit(f"somebody told what is in {', '.join(sorted(found))}")
    say(f"none of {len(secrets)} secrets is in {len(told):,} characters of logs and inspections")
