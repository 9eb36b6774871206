"""`python -m deploy.provision`: founds the replica set, and gives each service a user for its own database.

Runs before the services start, and changes nothing where all is there already. Passwords are those of the addresses
that the services were given. Whoever makes backups may read all databases. Ends with `HALF_RESTORED`, so that nothing
starts, while a restore that was begun has not come to its end.
"""

import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError

from deploy.restore import is_half_done
from services.contract.topology import SOURCES

SECRETS = Path("/run/secrets")
HOST = "mongo:27017"
REPLICA_SET = "rs0"
WITHIN = 120.0  # seconds
NOT_YET_INITIALIZED, USER_NOT_FOUND = 94, 11
HALF_RESTORED = 3

Client = MongoClient[dict[str, Any]]


def main() -> int:
    root = (SECRETS / "mongo_root_password").read_text().strip()
    client: Client
    with MongoClient(
        HOST, username="root", password=root, directConnection=True, serverSelectionTimeoutMS=2_000
    ) as client:
        until(lambda: is_founded(client))
        for service in SOURCES:
            let_in(client, service, {"role": "readWrite", "db": database_of(service)})
            sys.stdout.write(f"{service}: may read and write its own database\n")
        let_in(client, "backup", *({"role": "read", "db": database_of(service)} for service in SOURCES))
        if is_half_done({service: client[database_of(service)] for service in SOURCES}):
            sys.stderr.write("a restore ended in the middle: give `./kexie deploy restore --replace FILE` again\n")
            return HALF_RESTORED
    return 0


def is_founded(client: Client) -> bool:
    """Whether the replica set takes writes; it is founded on the way."""
    try:
        return bool(client.admin.command("hello")["isWritablePrimary"]) or found(client)
    except PyMongoError as error:
        sys.stderr.write(f"waiting for the database: {type(error).__name__}\n")
        return False


def found(client: Client) -> bool:
    try:
        client.admin.command("replSetGetStatus")
    except OperationFailure as error:
        if error.code != NOT_YET_INITIALIZED:
            raise
        client.admin.command("replSetInitiate", {"_id": REPLICA_SET, "members": [{"_id": 0, "host": HOST}]})
    return False


def let_in(client: Client, who: str, *roles: Mapping[str, str]) -> None:
    """The user of its address, with its password, in these roles and no other."""
    address = urlsplit((SECRETS / f"{who}_mongo_uri").read_text().strip())
    name, password = unquote(address.username or ""), unquote(address.password or "")
    database = client[database_of(who)]
    said: Mapping[str, Any] = {"pwd": password, "roles": roles}
    try:
        database.command("updateUser", name, **said)
    except OperationFailure as error:
        if error.code != USER_NOT_FOUND:
            raise
        database.command("createUser", name, **said)


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
