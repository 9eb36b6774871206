"""A site: the files that a deployment is made from. Secrets are invented once and never shown.

site/definitions.json   users of the broker with what they may, and hashes of their passwords
site/<name>_amqp_uri    each service's own address of the broker, and of the database, with its password
site/systems/<name>/    what the bureau of an outside system is handed, see `deploy.systems`
site/host               under which name outside systems reach the broker
"""

from __future__ import annotations

import json
import os
import re
import secrets
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from deploy import rights, systems
from deploy.home import CHECKOUT, write_privately
from deploy.keys import as_setting, new_private_key, of_setting, public_of
from deploy.rights import Rights
from deploy.systems import USUAL_ROLES, Folder, System
from deploy.trouble import Trouble
from services.contract.topology import SERVICES, SOURCES

FOLDER = CHECKOUT / "deploy" / "site"
ENVIRONMENT = CHECKOUT / "deploy" / ".env"
VHOST = "/"
BROKER, DATABASE = "rabbitmq:5672", "mongo:27017"  # in containers
NOBODY = 10001  # whom the image runs as where root has made the site


@dataclass(frozen=True)
class Site:
    """`KEXIE_SITE` where it is set, from the folder of the compose file, which reads it, too."""

    folder: Path = field(default_factory=lambda: FOLDER.parent / os.environ.get("KEXIE_SITE", FOLDER))
    environment: Path = ENVIRONMENT

    def make(self, *, broker: str = "", database: str = "") -> None:
        """Whatever is missing; what is there stays, but for the rights, which are written anew, and for the places of
        a broker and a database of one's own, where they are said: hosts and ports, several databases with ","."""
        private = self._secret("token_private_key", lambda: as_setting(new_private_key()))
        self._keep("token_public_key", as_setting(public_of(of_setting(private))))
        self._secret("mongo_keyfile", lambda: secrets.token_hex(96))
        self._secret("mongo_root_password", lambda: secrets.token_hex(24))
        for name in SOURCES:
            self._secret(f"{name}_amqp_uri", lambda: f"amqp://{name}:{secrets.token_hex(24)}@{BROKER}//")  # noqa: B023
            self._secret(f"{name}_mongo_uri", lambda: _mongo_uri(name))  # noqa: B023 - each is invented at once
            self._move(f"{name}_amqp_uri", broker, port=5672)
            self._move(f"{name}_mongo_uri", database, port=27017)
        self._write_definitions()
        if self.is_in_containers:
            self.environment.write_text(f"KEXIE_USER={self._owner()}\n")
        self._hand_over()

    @property
    def is_in_containers(self) -> bool:
        """Not where it was made for a broker of one's own."""
        return f"@{BROKER}/" in (self.folder / "awards_amqp_uri").read_text()

    def add(
        self,
        name: str,
        system: System,
        *,
        host: str = "",
        roles: Collection[str] = USUAL_ROLES,
        district: str | None = None,
        renew: bool = False,
    ) -> Folder:
        """An outside system, or other rights of one that is there: its password stays, and so does its token where it
        says the same and holds for some time yet, unless it is to be renewed."""
        systems.check(name, system, roles=roles)
        granted = msgspec.structs.replace(system, hears=systems.understood(system.hears))
        private_key, now, folder = self.private_key(), datetime.now(UTC), self.handed(name)
        if folder.path.exists():
            granted = msgspec.structs.replace(granted, password=folder.system().password)
        folder.write(granted, host=self._outside(host), ca=self.folder / "tls" / "ca.pem")
        if renew or not systems.is_good(folder.token(), roles=roles, district=district, now=now):
            folder.issue_token(private_key, roles=roles, district=district, now=now)
        folder.write_readme()
        self._write_definitions()
        self._hand_over()
        return folder

    def remove(self, name: str) -> None:
        """Its files and its rights; the broker has to be told besides, since what it imports removes no user."""
        folder = self.handed(name)
        if not folder.path.exists():
            raise Trouble(f"There is no system {name}; there are {', '.join(dict(self.systems())) or 'none'}.")
        folder.remove()
        self._write_definitions()

    def handed(self, name: str) -> Folder:
        """What the bureau of this system is handed."""
        return Folder(self.folder / "systems" / name, public_of(self.private_key()))

    def systems(self) -> Iterator[tuple[str, System]]:
        folder = self.folder / "systems"
        for one in sorted(folder.iterdir()) if folder.exists() else ():
            yield one.name, self.handed(one.name).system()

    def private_key(self) -> str:
        """Signs the operator's own token."""
        file = self.folder / "token_private_key"
        if not file.exists():
            raise Trouble(f"There is no site in {self.folder}; `./kexie deploy init` makes one.")
        return of_setting(file.read_text())

    def _outside(self, host: str) -> str:
        """Under which name outside systems reach the broker: as said now, or before."""
        if host:
            self._keep("host", host)
        file = self.folder / "host"
        if not file.exists():
            raise Trouble("Under which name do other bureaus reach the broker? Say --host HOST, once.")
        return file.read_text()

    def _write_definitions(self) -> None:
        users = {name: (self._broker_password(name), rights_of(name)) for name in SOURCES}
        users |= {
            name: (one.password, rights.of_system(name, may=one.may, hears=one.hears)) for name, one in self.systems()
        }
        self._keep("definitions.json", json.dumps(rights.definitions(VHOST, users), indent=1))

    def _broker_password(self, name: str) -> str:
        return (self.folder / f"{name}_amqp_uri").read_text().partition(f"{name}:")[2].partition("@")[0]

    def _secret(self, name: str, invent: Callable[[], str]) -> str:
        file = self.folder / name
        if not file.exists():
            write_privately(file, invent())
        return file.read_text()

    def _move(self, name: str, hosts: str, *, port: int) -> None:
        """The address names these hosts from now on; user and password stay."""
        if hosts:
            there = ",".join(one if re.search(r":\d+$", one) else f"{one}:{port}" for one in hosts.split(","))
            self._keep(name, re.sub("@[^/]+", f"@{there}", (self.folder / name).read_text(), count=1))

    def _keep(self, name: str, text: str) -> None:
        write_privately(self.folder / name, text)

    def _owner(self) -> str:
        return f"{NOBODY}:{NOBODY}" if os.getuid() == 0 else f"{os.getuid()}:{os.getgid()}"

    def _hand_over(self) -> None:
        """Root's files would be closed to whom the image runs as."""
        if os.getuid() == 0 and self.is_in_containers:
            for file in self.folder.glob("*"):
                os.chown(file, NOBODY, NOBODY)


def rights_of(name: str) -> Rights:
    return rights.of_service(name) if name in SERVICES else rights.of_gateway()


def _mongo_uri(name: str) -> str:
    database = f"kexie_{name}"
    return f"mongodb://{name}:{secrets.token_hex(24)}@{DATABASE}/{database}?replicaSet=rs0&authSource={database}"
