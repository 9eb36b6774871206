"""The embedded database: a MongoDB replica set, usually of one member, reachable from this machine only.

Whoever else has an account on the machine is refused: there is one user, whose password lies in the home. Members know
each other by a key, with which we found the replica set and make the user, also in a home from before there was one.
"""

import os
import secrets
import shutil
import sysconfig
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError

from deploy.errors import CommandFailed
from deploy.local.home import Home
from deploy.local.ports import Ports, answers
from deploy.local.supervisor import Program

REPLICA_SET = "rs0"
IN_THE_PACKAGE = Path(sysconfig.get_path("purelib"), "fiftyone", "db", "bin", "mongod")
NOT_YET_INITIALIZED, USER_EXISTS = 94, 51_003
USER = "kexie"
MEMBER = {"username": "__system", "authSource": "local"}
"""The login of a member at another one; its password is the key."""

OPTIONS = (
    *("--replSet", REPLICA_SET, "--bind_ip", "127.0.0.1", "--nounixsocket", "--quiet"),
    *("--wiredTigerCacheSizeGB", "0.5", "--oplogSize", "512"),
    *("--setParameter", "transactionLifetimeLimitSeconds=5"),
    *("--setParameter", "diagnosticDataCollectionEnabled=false"),
    *("--setParameter", "enableLocalhostAuthBypass=false"),  # else any account could make the first user
    *("--setParameter", "scramSHA256IterationCount=5000"),  # the least: nobody guesses a password of 128 bits
)

Client = MongoClient[dict[str, Any]]


class Database:
    """A member of a replica set; all members have to take their ports before any of them can become ready."""

    def __init__(
        self, home: Home, *, name: str = "database", members: Sequence[str] = (), options: Sequence[str] = ()
    ) -> None:
        self._home = home
        self.name = name
        self.ports = Ports(home)
        self.folder = home.subfolder(name)
        self._members = members or (name,)
        self._options = options

    @property
    def uri(self) -> str:
        """The address of the whole replica set, with user and password."""
        return f"mongodb://{USER}:{self._password}@{','.join(self._hosts)}/?replicaSet={REPLICA_SET}"

    @property
    def product(self) -> str:
        """Product and address, for people."""
        return f"MongoDB on {self._host_of(self.name)}"

    def program(self) -> Program:
        """Take the port and return how to run the member."""
        port = self.ports.take(self.name)
        here = ("--dbpath", str(self.folder), "--port", str(port), "--keyFile", str(self._key_file()))
        command = (_mongod(), *OPTIONS, *self._options, *here)
        return Program(name=self.name, command=command, environment=os.environ, port=port)

    def is_ready(self) -> bool:
        """Return whether this member is the primary and has our user.

        Found or reconfigure the replica set, and make the user, where that is needed.
        """
        if not answers(self.ports[self.name]):
            return False
        with self.connect(**MEMBER, password=self._key) as client:
            try:
                self._make_member(client)
                return bool(client.admin.command("hello")["isWritablePrimary"]) and self._has_user(client)
            except PyMongoError:
                return False

    def connect(self, **login: Any) -> Client:
        """Return a client of this member alone, be it primary or not; our user logs in where nobody else is named."""
        login = login or {"username": USER, "password": self._password}
        host = self._host_of(self.name)
        return MongoClient(host, directConnection=True, serverSelectionTimeoutMS=2_000, **login)

    def _has_user(self, client: Client) -> bool:
        """Make our user where it is missing."""
        try:
            client.admin.command("createUser", USER, pwd=self._password, roles=["root"])
        except OperationFailure as error:
            if error.code != USER_EXISTS:
                raise
        return True

    def _make_member(self, client: Client) -> None:
        """Found the replica set once, and reconfigure it when its members have moved to other ports."""
        try:
            config = client.admin.command("replSetGetConfig")["config"]
        except OperationFailure as error:
            if error.code != NOT_YET_INITIALIZED:
                raise
            members = [{"_id": number, "host": host} for number, host in enumerate(self._hosts)]
            client.admin.command("replSetInitiate", {"_id": REPLICA_SET, "members": members})
            return

        if [member["host"] for member in config["members"]] != self._hosts:
            for member, host in zip(config["members"], self._hosts, strict=True):
                member["host"] = host
            client.admin.command("replSetReconfig", config | {"version": config["version"] + 1}, force=True)

    @property
    def _password(self) -> str:
        return self._home.secret("database.password", lambda: secrets.token_hex(16))

    @property
    def _key(self) -> str:
        return self._key_file().read_text()

    def _key_file(self) -> Path:
        return self._home.secret_file("database.key", lambda: secrets.token_hex(16))

    @property
    def _hosts(self) -> list[str]:
        return [self._host_of(name) for name in self._members]

    def _host_of(self, name: str) -> str:
        return f"127.0.0.1:{self.ports[name]}"


def _mongod() -> str:
    path = shutil.which("mongod") or shutil.which(str(IN_THE_PACKAGE))
    if path is None:
        raise CommandFailed("There is no mongod here: install MongoDB, or point MONGO_URI at a replica set.")
    return path
