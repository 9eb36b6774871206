"""A site: the files that a deployment with containers is made from. Secrets are invented once and never shown.

site/definitions.json   users of the broker with what they may, and hashes of their passwords
site/<name>_amqp_uri    each service's own address of the broker, and of the database, with its password
site/backup_mongo_uri   the address of whoever makes backups, who may only read
site/systems/<name>     outside systems: what was granted to them, and their passwords
"""

from __future__ import annotations

import json
import os
import re
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

import msgspec

from deploy import rights
from deploy.home import CHECKOUT, write_privately
from deploy.keys import as_setting, new_private_key, of_setting, public_of
from deploy.rights import Rights
from deploy.trouble import Trouble
from services.contract import KINDS
from services.contract.topology import SERVICES, SOURCES

FOLDER = CHECKOUT / "deploy" / "site"
ENVIRONMENT = CHECKOUT / "deploy" / ".env"
VHOST = "/"
NOBODY = 10001  # whom the image runs as where root has made the site


class System(msgspec.Struct, frozen=True):
    """Another bureau's program: the methods that it may call, and the events that it may hear."""

    may: tuple[str, ...]
    hears: tuple[str, ...]
    password: str


@dataclass(frozen=True)
class Site:
    folder: Path = FOLDER
    environment: Path = ENVIRONMENT

    @classmethod
    def of_the_environment(cls) -> Site:
        """`KEXIE_SITE` where it is set, as compose reads it, else the checkout's own."""
        return cls(FOLDER.parent / (os.environ.get("KEXIE_SITE") or FOLDER))

    def make(self) -> None:
        """Whatever is missing; what is there stays, but for the rights, which are written anew."""
        private = self._secret("token_private_key", lambda: as_setting(new_private_key()))
        self._keep("token_public_key", as_setting(public_of(of_setting(private))))
        self._secret("mongo_keyfile", lambda: secrets.token_hex(96))
        self._secret("mongo_root_password", lambda: secrets.token_hex(24))
        for name in SOURCES:
            self._secret(f"{name}_amqp_uri", lambda: f"amqp://{name}:{secrets.token_hex(24)}@rabbitmq:5672//")  # noqa: B023
            self._secret(f"{name}_mongo_uri", lambda: _mongo_uri(name))  # noqa: B023 - each is invented at once
        self._secret("backup_mongo_uri", lambda: _mongo_uri("backup"))
        self._write_definitions()
        self.environment.write_text(f"KEXIE_USER={self._owner()}\n")
        self._hand_over()

    def add(self, name: str, system: System) -> None:
        """An outside system, or other rights of one that is there; its password stays."""
        _check(name, system)
        held = dict(self.systems()).get(name)
        kept = msgspec.structs.replace(system, password=held.password) if held else system
        self._keep(f"systems/{name}", msgspec.json.encode(kept).decode())
        self._write_definitions()
        self._hand_over()

    def systems(self) -> Iterator[tuple[str, System]]:
        folder = self.folder / "systems"
        for file in sorted(folder.iterdir()) if folder.exists() else ():
            yield file.name, msgspec.json.decode(file.read_bytes(), type=System)

    def private_key(self) -> str:
        """Signs the operator's own token."""
        file = self.folder / "token_private_key"
        if not file.exists():
            raise Trouble(f"There is no site in {self.folder}; `./kexie deploy init` makes one.")
        return of_setting(file.read_text())

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

    def _keep(self, name: str, text: str) -> None:
        write_privately(self.folder / name, text)

    def _owner(self) -> str:
        return f"{NOBODY}:{NOBODY}" if os.getuid() == 0 else f"{os.getuid()}:{os.getgid()}"

    def _hand_over(self) -> None:
        """Root's files would be closed to whom the image runs as."""
        if os.getuid() == 0:
            for file in self.folder.glob("*"):
                os.chown(file, NOBODY, NOBODY)


def _check(name: str, system: System) -> None:
    """What is misspelt would be granted and never used."""
    if not re.fullmatch("[a-z][a-z0-9_]{1,40}", name) or name in SOURCES:
        raise Trouble(f"{name}: a name of small letters, digits and _, that is none of {', '.join(SOURCES)}.")
    methods = rf"({'|'.join(SERVICES)})\.[a-z_]+"
    if wrong := [one for one in system.may if not re.fullmatch(methods, one)]:
        raise Trouble(f"{', '.join(wrong)}: a method is written like rural.list_associations.")
    events = [f"{kind.service}.{kind.routing_key(one)}" for kind in KINDS.values() for one in kind.happenings]
    if wrong := [one for one in system.hears if not any(fnmatchcase(event, one) for event in events)]:
        raise Trouble(f"{', '.join(wrong)}: no such event; there are {', '.join(events)}.")


def rights_of(name: str) -> Rights:
    return rights.of_service(name) if name in SERVICES else rights.of_gateway()


def _mongo_uri(name: str) -> str:
    database = f"kexie_{name}"
    return f"mongodb://{name}:{secrets.token_hex(24)}@mongo:27017/{database}?replicaSet=rs0&authSource={database}"
