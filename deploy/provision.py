"""`python -m deploy.provision [SITE]`: founds the replica set, and lets in its members and the services.

Hosts and passwords are those of the addresses that the services were given: each of them is a user of its own database,
and whoever makes backups may read all of them. Runs before the services start, and changes nothing where all is there
already. A database in which nobody is yet gets its root from here: on its own machine, since it lets nobody else do
that. Ends with `HALF_RESTORED`, so that nothing starts, while a restore that was begun has not come to its end.
"""

import sys
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError
from pymongo.uri_parser import parse_uri
from structlog import get_logger

from deploy.backup import SECRETS, believe
from deploy.restore import is_half_done
from services.chassis import log
from services.contract.topology import SOURCES

WITHIN = 120.0  # seconds
AT_WORK = ("PRIMARY", "SECONDARY")
WRONG_LOGIN, USER_NOT_FOUND, NOT_YET_INITIALIZED = 18, 11, 94
HALF_RESTORED = 3

Client = MongoClient[dict[str, Any]]
Address = Mapping[str, Any]
"""As pymongo reads it."""

logger = get_logger()


def main(site: Path) -> int:
    log.set_up("INFO", "provision")
    believe(site)
    addresses = {who: parse_uri((site / f"{who}_mongo_uri").read_text().strip()) for who in (*SOURCES, "backup")}
    all_ = addresses["gateway"]
    root: dict[str, Any] = {"username": "root", "password": (site / "mongo_root_password").read_text().strip()}
    if not has_root(all_, root):
        with first_of(all_, host="127.0.0.1") as client:
            until(lambda: is_founded(client, all_))
            client.admin.command("createUser", "root", pwd=root["password"], roles=["root"])
    with first_of(all_, **root) as client:
        until(lambda: is_founded(client, all_))
    with MongoClient(names(all_), replicaSet=all_["options"]["replicaSet"], **how(all_), **root) as client:
        until(lambda: has_all(client, names(all_)))
        databases = {who: client[addresses[who]["database"]] for who in SOURCES}
        for who, database in databases.items():
            let_in(client, addresses[who], {"role": "readWrite", "db": database.name})
            logger.info("let in to its own database", whom=who)
        let_in(client, addresses["backup"], *({"role": "read", "db": one.name} for one in databases.values()))
        if is_half_done(databases):
            logger.error("a restore ended in the middle: give `./kexie deploy restore --replace FILE` again")
            return HALF_RESTORED
    return 0


def how(address: Address) -> dict[str, Any]:
    return {"tls": address["options"].get("tls", False), "serverSelectionTimeoutMS": 2_000}


def names(address: Address) -> list[str]:
    return [f"{host}:{port}" for host, port in address["nodelist"]]


def first_of(address: Address, *, host: str = "", **root: Any) -> Client:
    """To the first member alone, by this name of it."""
    name, port = address["nodelist"][0]
    return MongoClient(host or name, port, directConnection=True, **how(address), **root)


def has_root(address: Address, root: Mapping[str, str]) -> bool:
    """Whether root can log in; a database that is away, or still starting, is waited for."""
    found: list[bool] = []

    def asked() -> bool:
        try:
            with first_of(address, **root) as client:
                client.admin.command("connectionStatus")
            found.append(True)
        except OperationFailure as error:
            if error.code != WRONG_LOGIN:
                raise
            found.append(False)
        except PyMongoError as error:
            return waits(error)
        return True

    until(asked)
    return found[0]


def is_founded(client: Client, address: Address) -> bool:
    """Whether this member belongs to a replica set that has a primary; it founds one where there is none."""
    try:
        return bool(client.admin.command("hello").get("primary")) or found(client, address)
    except PyMongoError as error:
        return waits(error)


def found(client: Client, address: Address) -> bool:
    """Of the first member; the others come later, as they do in one that grows."""
    try:
        client.admin.command("replSetGetStatus")
    except OperationFailure as error:
        if error.code != NOT_YET_INITIALIZED:
            raise
        first = {"_id": 0, "host": names(address)[0]}
        client.admin.command("replSetInitiate", {"_id": address["options"]["replicaSet"], "members": [first]})
    return False


def has_all(client: Client, hosts: Iterable[str]) -> bool:
    """Whether these are members and at work; one that is missing is let in, one at a time."""
    try:
        states = {one["name"]: one["stateStr"] for one in client.admin.command("replSetGetStatus")["members"]}
        if missing := next((host for host in hosts if host not in states), None):
            config = client.admin.command("replSetGetConfig")["config"]
            number = 1 + max(one["_id"] for one in config["members"])
            config["members"].append({"_id": number, "host": missing})
            config["version"] += 1
            client.admin.command("replSetReconfig", config)
            return False
        return all(states[host] in AT_WORK for host in hosts)
    except PyMongoError as error:
        return waits(error)


def let_in(client: Client, address: Address, *roles: Mapping[str, str]) -> None:
    """The user of this address, with its password, in these roles and no other."""
    database = client[address["database"]]
    said: Mapping[str, Any] = {"pwd": address["password"], "roles": roles}
    try:
        database.command("updateUser", address["username"], **said)
    except OperationFailure as error:
        if error.code != USER_NOT_FOUND:
            raise
        database.command("createUser", address["username"], **said)


def waits(error: PyMongoError) -> bool:
    logger.info("waiting for the database", error=type(error).__name__, why=str(error)[:200])
    return False


def until(condition: Callable[[], bool]) -> None:
    give_up = time.monotonic() + WITHIN
    while not condition():
        if time.monotonic() > give_up:
            raise SystemExit(f"the database was not ready within {WITHIN:.0f} s")
        time.sleep(0.5)


if __name__ == "__main__":
    sys.exit(main(Path(*sys.argv[1:2] or [SECRETS])))
