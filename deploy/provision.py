"""`python -m deploy.provision [SITE]`: make users and replica set of the database, and the broker's shared queues.

Hosts and passwords are those of the services' addresses: each service is a user of its own database, and `backup` may
read all of them. Runs before the services start, and changes nothing where all of it exists. A database without users
gets `root` from here: on its own machine, since MongoDB allows that from localhost only. Ends with `HALF_RESTORED`, so
that nothing starts, while a restore has begun and not ended.

With `--new-sealing-key` what was sealed is given up: the present key is right from then on.

The broker knows the user `provision` from the site's definitions. A queue or an exchange that was deleted is there
again after another run; `rearm` then has the events published again that it held.
"""

import sys
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from amqp.exceptions import AccessRefused
from pymongo import MongoClient
from pymongo.database import Database
from pymongo.errors import ConnectionFailure, OperationFailure, PyMongoError
from pymongo.uri_parser import parse_uri
from structlog import get_logger

from deploy.backup import SECRETS, trust_authority_of
from deploy.restore import is_half_done
from services.chassis import log, provisioning
from services.chassis.seal import accept_any_key
from services.contract.topology import SOURCES

WITHIN = 120.0  # seconds for each step
AT_WORK = ("PRIMARY", "SECONDARY")
WRONG_LOGIN, USER_NOT_FOUND, NOT_YET_INITIALIZED = 18, 11, 94
USER_EXISTS, NOT_ALLOWED_ANY_MORE = 51_003, 13  # the latter for `root`: localhost may make the first user only
HALF_RESTORED = 3
WRONG_ROOT = (
    "{host} does not accept the password of root in {file}: put back the file with which this database was made, or "
    "name the database of this site"
)
WRONG_RIGHTS = (
    "the broker refuses the user `provision`: it does not know the users and rights of this site; "
    "`rabbitmqctl import_definitions < {site}/definitions.json` tells it, as `./kexie deploy compose up` does"
)

Client = MongoClient[dict[str, Any]]
Address = Mapping[str, Any]
"""An address of the database as pymongo parses it."""

OF_ROOT = "mongo_root_password"
NEW_KEY = "--new-sealing-key"
SEALS = "awards"
"""The service that seals values."""

logger = get_logger()


class WrongRootPassword(Exception):
    """A database that refuses root with the site's password, and in which no first user can be made."""


def main(site: Path, *, gives_up_sealed: bool = False) -> int:
    """Provision the database of a site and return the exit code."""
    log.set_up("INFO", "provision")
    trust_authority_of(site)
    addresses = {user: parse_uri((site / f"{user}_mongo_uri").read_text().strip()) for user in (*SOURCES, "backup")}
    root: dict[str, Any] = {"username": "root", "password": (site / OF_ROOT).read_text().strip()}
    all_ = addresses["gateway"]
    try:
        found_replica_set(all_, root)
    except WrongRootPassword:
        raise SystemExit(WRONG_ROOT.format(host=hosts_of(all_)[0], file=site / OF_ROOT)) from None
    with MongoClient(hosts_of(all_), replicaSet=all_["options"]["replicaSet"], **options(all_), **root) as client:
        wait_until(lambda: has_all(client, hosts_of(all_)))
        databases = {user: client[addresses[user]["database"]] for user in SOURCES}
        set_users(client, addresses, databases)
        if gives_up_sealed:
            accept_any_key(databases[SEALS])
            logger.info("the next sealing key is right")
        if is_half_done(databases):
            logger.error("a restore ended in the middle: run `./kexie deploy restore --replace FILE` again")
            return HALF_RESTORED
    try:
        wait_until(lambda: is_provisioned((site / "provision_amqp_uri").read_text().strip()), what="broker")
    except AccessRefused:
        raise SystemExit(WRONG_RIGHTS.format(site=site)) from None
    return 0


def is_provisioned(amqp_uri: str) -> bool:
    """Make what is missing at the broker; return False where it is away. Raises `AccessRefused`: waiting is no help."""
    try:
        provisioning.provision(amqp_uri)
    except AccessRefused:
        raise
    except provisioning.AWAY as error:
        return not_yet(error)
    logger.info("exchanges and queues of the broker")
    return True


def found_replica_set(address: Address, root: Mapping[str, str]) -> None:
    """Found the replica set of the first member and make `root`, where they are missing; `WrongRootPassword`."""
    if not has_root(address, root):
        make_root(address, root)
    with first_of(address, **root) as client:
        wait_until(lambda: is_founded(client, address))


def make_root(address: Address, root: Mapping[str, str]) -> None:
    """Make the first user, which the database allows on its own machine, once.

    Raises `WrongRootPassword` elsewhere, or where there are users already: then its refusal of root was the last word.
    """
    with first_of(address, host="127.0.0.1") as client:
        if not answers(client):
            raise WrongRootPassword
        wait_until(lambda: is_founded(client, address))
        if not make_user(client.admin, "root", pwd=root["password"], roles=["root"]) and not has_root(address, root):
            raise WrongRootPassword


def answers(client: Client) -> bool:
    """Return whether a database is there at all."""
    try:
        client.admin.command("hello")
    except ConnectionFailure:
        return False
    return True


def set_users(client: Client, addresses: Mapping[str, Address], databases: Mapping[str, Database[Any]]) -> None:
    """Let each service write its own database, and `backup` read all of them."""
    for user, database in databases.items():
        set_user(client, addresses[user], {"role": "readWrite", "db": database.name})
        logger.info("user of its own database", user=user)
    readable = ({"role": "read", "db": database.name} for database in databases.values())
    set_user(client, addresses["backup"], *readable)


def options(address: Address) -> dict[str, Any]:
    """Return the options of a client for this address."""
    return {"tls": address["options"].get("tls", False), "serverSelectionTimeoutMS": 2_000}


def hosts_of(address: Address) -> list[str]:
    """Return the members of the address as `host:port`."""
    return [f"{host}:{port}" for host, port in address["nodelist"]]


def first_of(address: Address, *, host: str = "", **root: Any) -> Client:
    """Return a client of the first member alone, under another name of its host where one is given."""
    name, port = address["nodelist"][0]
    return MongoClient(host or name, port, directConnection=True, **options(address), **root)


def has_root(address: Address, root: Mapping[str, str]) -> bool:
    """Return whether root can log in; wait for a database that is away or still starting."""
    logged_in: list[bool] = []

    def has_answered() -> bool:
        try:
            with first_of(address, **root) as client:
                client.admin.command("connectionStatus")
            logged_in.append(True)
        except OperationFailure as error:
            if error.code != WRONG_LOGIN:
                raise
            logged_in.append(False)
        except PyMongoError as error:
            return not_yet(error)
        return True

    wait_until(has_answered)
    return logged_in[0]


def is_founded(client: Client, address: Address) -> bool:
    """Return whether this member's replica set has a primary; found a set where there is none."""
    try:
        return bool(client.admin.command("hello").get("primary")) or found(client, address)
    except PyMongoError as error:
        return not_yet(error)


def found(client: Client, address: Address) -> bool:
    """Found a replica set of the first member; `has_all` adds the others. Return False: it has no primary yet."""
    try:
        client.admin.command("replSetGetStatus")
    except OperationFailure as error:
        if error.code != NOT_YET_INITIALIZED:
            raise
        first = {"_id": 0, "host": hosts_of(address)[0]}
        client.admin.command("replSetInitiate", {"_id": address["options"]["replicaSet"], "members": [first]})
    return False


def has_all(client: Client, hosts: Iterable[str]) -> bool:
    """Return whether these hosts are members and at work; add one that is missing, one at a time."""
    try:
        members = client.admin.command("replSetGetStatus")["members"]
        states = {member["name"]: member["stateStr"] for member in members}
        if missing := next((host for host in hosts if host not in states), None):
            config = client.admin.command("replSetGetConfig")["config"]
            number = 1 + max(member["_id"] for member in config["members"])
            config["members"].append({"_id": number, "host": missing})
            config["version"] += 1
            client.admin.command("replSetReconfig", config)
            return False
        return all(states[host] in AT_WORK for host in hosts)
    except PyMongoError as error:
        return not_yet(error)


def set_user(client: Client, address: Address, *roles: Mapping[str, str]) -> None:
    """Make or update the user of an address, with its password and exactly these roles."""
    database = client[address["database"]]
    user: Mapping[str, Any] = {"pwd": address["password"], "roles": roles}
    try:
        database.command("updateUser", address["username"], **user)
    except OperationFailure as error:
        if error.code != USER_NOT_FOUND:
            raise
        if not make_user(database, address["username"], **user):
            database.command("updateUser", address["username"], **user)


def make_user(database: Database[Any], name: str, **user: Any) -> bool:
    """Make a user; return False where another provisioning made it at this moment."""
    try:
        database.command("createUser", name, **user)
    except OperationFailure as error:
        if error.code not in (USER_EXISTS, NOT_ALLOWED_ANY_MORE):
            raise
        return False
    return True


def not_yet(error: Exception) -> bool:
    """Log an error that may pass, and return False."""
    logger.info("waiting", error=type(error).__name__, why=str(error)[:200])
    return False


def wait_until(condition: Callable[[], bool], what: str = "database") -> None:
    """Wait until a condition holds; end the process where it does not within two minutes."""
    deadline = time.monotonic() + WITHIN
    while not condition():
        if time.monotonic() > deadline:
            raise SystemExit(f"the {what} was not ready within {WITHIN:.0f} s")
        time.sleep(0.5)


if __name__ == "__main__":
    paths = [word for word in sys.argv[1:] if word != NEW_KEY]
    sys.exit(main(Path(*paths[:1] or [SECRETS]), gives_up_sealed=NEW_KEY in sys.argv))
