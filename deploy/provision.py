"""`python -m deploy.provision [SITE]`: founds the replica set, and gives each service a user for its own database.

Runs before the services start, and changes nothing where all is there already. Hosts and passwords are those of the
addresses that the services were given. A database in which nobody is yet gets its root from here: on its own machine,
since it lets nobody else do that.
"""

import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError
from pymongo.uri_parser import parse_uri

from services.contract.topology import SOURCES

SECRETS = "/run/secrets"
WITHIN = 120.0  # seconds
WRONG_LOGIN, USER_NOT_FOUND, ALREADY_INITIALIZED = 18, 11, 23

Client = MongoClient[dict[str, Any]]
Address = Mapping[str, Any]
"""As pymongo reads it."""


def main(site: Path) -> int:
    addresses = {service: parse_uri((site / f"{service}_mongo_uri").read_text().strip()) for service in SOURCES}
    root = (site / "mongo_root_password").read_text().strip()
    replica_set = addresses["gateway"]
    if not has_root(replica_set, root):
        with connect(replica_set, host="127.0.0.1") as client:
            until(lambda: is_founded(client, replica_set))
            client.admin.command("createUser", "root", pwd=root, roles=["root"])
    with connect(replica_set, username="root", password=root) as client:
        until(lambda: is_founded(client, replica_set))
        for service, address in addresses.items():
            let_in(client, address)
            sys.stdout.write(f"{service}: may read and write its own database\n")
    return 0


def connect(address: Address, **how: Any) -> Client:
    """To the first member alone."""
    host, port = address["nodelist"][0]
    return MongoClient(
        **{"host": host, "port": port, "directConnection": True, "serverSelectionTimeoutMS": 2_000, **how}
    )


def has_root(address: Address, password: str) -> bool:
    """Whether root can log in; a database that is away, or still starting, is waited for."""
    found: list[bool] = []

    def asked() -> bool:
        try:
            with connect(address, username="root", password=password) as client:
                client.admin.command("connectionStatus")
            found.append(True)
        except OperationFailure as error:
            if error.code != WRONG_LOGIN:
                raise
            found.append(False)
        except PyMongoError as error:
            wait_for(error)
        return bool(found)

    until(asked)
    return found[0]


def is_founded(client: Client, address: Address) -> bool:
    """Whether the replica set takes writes; it is founded on the way."""
    try:
        return bool(client.admin.command("hello")["isWritablePrimary"]) or found(client, address)
    except PyMongoError as error:
        return wait_for(error)


def found(client: Client, address: Address) -> bool:
    members = [
        {"_id": place, "host": f"{host}:{port}", "priority": 1 if place else 2}
        for place, (host, port) in enumerate(address["nodelist"])
    ]
    try:
        client.admin.command("replSetInitiate", {"_id": address["options"]["replicaSet"], "members": members})
    except OperationFailure as error:
        if error.code != ALREADY_INITIALIZED:
            raise
    return False


def let_in(client: Client, address: Address) -> None:
    """The user of this address, with its password, for the database of that service and no other."""
    database = client[address["database"]]
    said: Mapping[str, Any] = {"pwd": address["password"], "roles": [{"role": "readWrite", "db": database.name}]}
    try:
        database.command("updateUser", address["username"], **said)
    except OperationFailure as error:
        if error.code != USER_NOT_FOUND:
            raise
        database.command("createUser", address["username"], **said)


def wait_for(error: PyMongoError) -> bool:
    sys.stderr.write(f"waiting for the database: {type(error).__name__}\n")
    return False


def until(condition: Callable[[], bool]) -> None:
    give_up = time.monotonic() + WITHIN
    while not condition():
        if time.monotonic() > give_up:
            raise SystemExit(f"the database was not ready within {WITHIN:.0f} s")
        time.sleep(0.5)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1] if sys.argv[1:] else SECRETS)))
