"""`python -m deploy.provision`: founds the replica set, and gives each service a user for its own database.

Runs before the services start, and changes nothing where all is there already. Passwords are those of the addresses
that the services were given.
"""

import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError
from structlog import get_logger

from services.chassis import log
from services.contract.topology import SOURCES

SECRETS = Path("/run/secrets")
HOST = "mongo:27017"
REPLICA_SET = "rs0"
WITHIN = 120.0  # seconds
NOT_YET_INITIALIZED, USER_NOT_FOUND = 94, 11

Client = MongoClient[dict[str, Any]]

logger = get_logger()


def main() -> int:
    log.set_up("INFO", "provision")
    root = (SECRETS / "mongo_root_password").read_text().strip()
    client: Client
    with MongoClient(
        HOST, username="root", password=root, directConnection=True, serverSelectionTimeoutMS=2_000
    ) as client:
        until(lambda: is_founded(client))
        for service in SOURCES:
            let_in(client, service, (SECRETS / f"{service}_mongo_uri").read_text().strip())
            logger.info("let in to its own database", whom=service)
    return 0


def is_founded(client: Client) -> bool:
    """Whether the replica set takes writes; it is founded on the way."""
    try:
        return bool(client.admin.command("hello")["isWritablePrimary"]) or found(client)
    except PyMongoError as error:
        logger.info("waiting for the database", error=type(error).__name__)
        return False


def found(client: Client) -> bool:
    try:
        client.admin.command("replSetGetStatus")
    except OperationFailure as error:
        if error.code != NOT_YET_INITIALIZED:
            raise
        client.admin.command("replSetInitiate", {"_id": REPLICA_SET, "members": [{"_id": 0, "host": HOST}]})
    return False


def let_in(client: Client, service: str, uri: str) -> None:
    """The user of this address, with its password, for the database of that service and no other."""
    address = urlsplit(uri)
    name, password = unquote(address.username or ""), unquote(address.password or "")
    database = client[f"kexie_{service}"]
    said: Mapping[str, Any] = {"pwd": password, "roles": [{"role": "readWrite", "db": database.name}]}
    try:
        database.command("updateUser", name, **said)
    except OperationFailure as error:
        if error.code != USER_NOT_FOUND:
            raise
        database.command("createUser", name, **said)


def until(condition: Callable[[], bool]) -> None:
    give_up = time.monotonic() + WITHIN
    while not condition():
        if time.monotonic() > give_up:
            raise SystemExit(f"the database was not ready within {WITHIN:.0f} s")
        time.sleep(0.5)


if __name__ == "__main__":
    sys.exit(main())
