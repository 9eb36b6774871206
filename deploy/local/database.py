"""The embedded database: a MongoDB replica set, usually of one member, reachable from this machine only."""

import os
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
NOT_YET_INITIALIZED = 94

OPTIONS = (
    *("--replSet", REPLICA_SET, "--bind_ip", "127.0.0.1", "--nounixsocket", "--quiet"),
    *("--wiredTigerCacheSizeGB", "0.5", "--oplogSize", "512"),
    *("--setParameter", "transactionLifetimeLimitSeconds=5"),
    *("--setParameter", "diagnosticDataCollectionEnabled=false"),
)


class Database:
    """A member of a replica set; all members have to take their ports before any of them can become ready."""

    def __init__(
        self, home: Home, *, name: str = "database", members: Sequence[str] = (), options: Sequence[str] = ()
    ) -> None:
        self.name = name
        self.ports = Ports(home)
        self.folder = home.subfolder(name)
        self._members = members or (name,)
        self._options = options

    @property
    def uri(self) -> str:
        """The address of the whole replica set."""
        return f"mongodb://{','.join(self._hosts)}/?replicaSet={REPLICA_SET}"

    @property
    def product(self) -> str:
        """Product and address, for people."""
        return f"MongoDB on {self.host}"

    def program(self) -> Program:
        """Take the port and return how to run the member."""
        port = self.ports.take(self.name)
        command = (_mongod(), *OPTIONS, *self._options, "--dbpath", str(self.folder), "--port", str(port))
        return Program(name=self.name, command=command, environment=os.environ, port=port)

    def is_ready(self) -> bool:
        """Return whether this member is the primary; found or reconfigure the replica set where that is needed."""
        if not answers(self.ports[self.name]):
            return False
        client: MongoClient[dict[str, Any]]
        with MongoClient(self.host, directConnection=True, serverSelectionTimeoutMS=2000) as client:
            try:
                self._make_member(client)
                return bool(client.admin.command("hello")["isWritablePrimary"])
            except PyMongoError:
                return False

    def _make_member(self, client: MongoClient[dict[str, Any]]) -> None:
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
    def host(self) -> str:
        """Host and port of this member."""
        return self._host_of(self.name)

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
