"""`python -m deploy.provision`: founds the replica set, and lets in its members and the services.

Each service is a user of its own database, with the password of the address that it was given, and whoever makes
backups may read all of them. Runs before the services start, and changes nothing where all is there already. Ends with
`HALF_RESTORED`, so that nothing starts, while a restore that was begun has not come to its end.
"""

import sys
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError
from pymongo.uri_parser import parse_uri
from structlog import get_logger

from deploy.restore import is_half_done
from services.chassis import log
from services.contract.topology import SOURCES

SECRETS = Path("/run/secrets")
REPLICA_SET = "rs0"
WITHIN = 120.0  # seconds
AT_WORK = ("PRIMARY", "SECONDARY")
NOT_YET_INITIALIZED, USER_NOT_FOUND = 94, 11
HALF_RESTORED = 3

Client = MongoClient[dict[str, Any]]

logger = get_logger()


def main() -> int:
    log.set_up("INFO", "provision")
    root = (SECRETS / "mongo_root_password").read_text().strip()
    options = parse_uri(address("gateway"))
    first, *others = [f"{host}:{port}" for host, port in options["nodelist"]]
    said = {"username": "root", "password": root, "tls": options["options"].get("tls", False)}
    client: Client
    with MongoClient(first, directConnection=True, serverSelectionTimeoutMS=2_000, **said) as client:
        until(lambda: is_founded(client, first))
    with MongoClient([first, *others], replicaSet=REPLICA_SET, serverSelectionTimeoutMS=2_000, **said) as client:
        until(lambda: has_all(client, others))
        for service in SOURCES:
            let_in(client, service, {"role": "readWrite", "db": database_of(service)})
            logger.info("let in to its own database", whom=service)
        let_in(client, "backup", *({"role": "read", "db": database_of(service)} for service in SOURCES))
        if is_half_done({service: client[database_of(service)] for service in SOURCES}):
            logger.error("a restore ended in the middle: give `./kexie deploy restore --replace FILE` again")
            return HALF_RESTORED
    return 0


def is_founded(client: Client, host: str) -> bool:
    """Whether this member belongs to a replica set that has a primary; it founds one where there is none."""
    try:
        return bool(client.admin.command("hello").get("primary")) or found(client, host)
    except PyMongoError as error:
        return waits(error)


def found(client: Client, host: str) -> bool:
    try:
        client.admin.command("replSetGetStatus")
    except OperationFailure as error:
        if error.code != NOT_YET_INITIALIZED:
            raise
        client.admin.command("replSetInitiate", {"_id": REPLICA_SET, "members": [{"_id": 0, "host": host}]})
    return False


def has_all(client: Client, others: Iterable[str]) -> bool:
    """Whether these are members, too, and at work; one that is missing is let in, one at a time."""
    try:
        states = {one["name"]: one["stateStr"] for one in client.admin.command("replSetGetStatus")["members"]}
        if missing := next((host for host in others if host not in states), None):
            config = client.admin.command("replSetGetConfig")["config"]
            number = 1 + max(one["_id"] for one in config["members"])
            config["members"].append({"_id": number, "host": missing})
            config["version"] += 1
            client.admin.command("replSetReconfig", config)
            return False
        return all(states[host] in AT_WORK for host in others)
    except PyMongoError as error:
        return waits(error)


def waits(error: PyMongoError) -> bool:
    logger.info("waiting for the database", error=type(error).__name__)
    return False


def let_in(client: Client, who: str, *roles: Mapping[str, str]) -> None:
    """The user of its address, with its password, in these roles and no other."""
    held = urlsplit(address(who))
    name, password = unquote(held.username or ""), unquote(held.password or "")
    database = client[database_of(who)]
    said: Mapping[str, Any] = {"pwd": password, "roles": roles}
    try:
        database.command("updateUser", name, **said)
    except OperationFailure as error:
        if error.code != USER_NOT_FOUND:
            raise
        database.command("createUser", name, **said)


def address(who: str) -> str:
    return (SECRETS / f"{who}_mongo_uri").read_text().strip()


def database_of(who: str) -> str:
    return f"kexie_{who}"


def until(condition: Callable[[], bool]) -> None:
    give_up = time.monotonic() + WITHIN
    while not condition():
        if time.monotonic() > give_up:
            raise SystemExit(f"the database was not ready within {WITHIN:.0f} s")
        time.sleep(0.5)


if __name__ == "__main__":
    sys.exit(main())
