"""A site: the files that a deployment is made from. Secrets are invented once and never shown.

site/layout.json        hosts of broker and database, and the names by which others reach the site
site/definitions.json   users of the broker with their rights, and hashes of their passwords
site/<name>_amqp_uri    each service's own address of the broker, and of the database, with its password
site/provision_amqp_uri the address of the user that makes what services share at the broker
site/tls/               certificates, each with its key in one file, and that of their authority (ca.pem)
site/project            the name of the containers and volumes of this site, for compose
site/backup_mongo_uri   the address of the user that makes backups and may only read
site/door/systems.json  what each outside system may call and hear, for the door
site/systems/<name>/    the folder for the bureau of an outside system, see `deploy.deployment.other_systems`
"""

from __future__ import annotations

import json
import os
import re
import secrets
import ssl
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec

from deploy.deployment import broker_rights, system_definitions
from deploy.deployment.addresses import amqp_uri, mongo_uri, servers
from deploy.deployment.broker_rights import Definitions, Rights
from deploy.deployment.compose_variables import ComposeVariables
from deploy.deployment.file_owners import open_to_containers, require_owner
from deploy.deployment.layout import Layout
from deploy.deployment.other_systems import USUAL_ROLES, Folder, System, Systems, check
from deploy.errors import CommandFailed
from deploy.secrets import certificate_authority
from deploy.secrets.certificate_authority import Authority
from deploy.secrets.keys import as_setting, new_private_key, new_sealing_key, of_setting, public_of
from deploy.secrets.private_files import CHECKOUT, write_privately
from gateway.door.systems import FILE
from services.contract.topology import SERVICES, SOURCES

FOLDER = CHECKOUT / "deploy" / "site"
ENVIRONMENT = CHECKOUT / "deploy" / ".env"
VHOST = "/"
DOOR = "door"
AMQPS = 5671
BROKER_USERS: Mapping[str, Callable[[], Rights]] = {
    **{name: partial(broker_rights.of_service, name) for name in SERVICES},
    "gateway": broker_rights.of_gateway,
    "provision": broker_rights.of_provision,
}
IMAGE_USER = 10001  # runs the containers where root has made the site
PROJECT, USER = "COMPOSE_PROJECT_NAME", "KEXIE_USER"
"""Variables of compose: the name of containers and volumes, and the user that containers run as."""
BEFORE_PROJECTS = "kexie"  # the name of all sites of earlier releases
IRREPLACEABLE = {
    "sealing_key": "Nothing that was sealed before can be opened with a new one",
    "token_private_key": "All tokens of systems and operators are refused with a new one",
    "mongo_root_password": "The database keeps the password that it has, and would refuse a new one",
    "mongo_keyfile": "Members that run would not know one that is started with a new one",
    "erlang_cookie": "Brokers that run would not know one that is started with a new one",
}
"""Secrets that are invented for a new site only: what is out there depends on them, and why."""


@dataclass(frozen=True)
class Site:
    """The folder of a site, and the file from which compose reads variables."""

    folder: Path = FOLDER
    environment: Path = ENVIRONMENT

    @classmethod
    def of_the_environment(cls) -> Site:
        """Return the site of `KEXIE_SITE` where it is set, as compose reads it, else the checkout's own."""
        return cls(FOLDER.parent / (os.environ.get("KEXIE_SITE") or FOLDER))

    @property
    def is_made(self) -> bool:
        """True once a site was made here, whatever is missing of it now."""
        return (self.folder / "layout.json").exists() or (self.folder / "definitions.json").exists()

    @property
    def project(self) -> str:
        """The name of the site's containers and volumes."""
        file = self.folder / "project"
        return file.read_text() if file.exists() else BEFORE_PROJECTS

    def make(self, layout: Layout | None = None, *, anew: Collection[str] = ()) -> tuple[str, ...]:
        """Make the files that are missing or differ in this layout; return servers with a new certificate.

        Passwords, keys and certificates of other authorities stay. Fails before anything is written where a secret is
        gone on which stored data or given tokens depend, unless it is among `anew`.
        """
        layout = layout or self.layout()
        self.require_files(anew=anew)
        self._secret("project", self._new_project)
        self._keep("layout.json", msgspec.json.encode(layout).decode())
        replaced = tuple(self._certify(layout))
        private = self._secret("token_private_key", lambda: as_setting(new_private_key()))
        self._keep("token_public_key", as_setting(public_of(of_setting(private))))
        self._secret("sealing_key", new_sealing_key)
        self._secret("mongo_keyfile", lambda: secrets.token_hex(96))
        for name in ("mongo_root_password", "erlang_cookie", "grafana_password"):
            self._secret(name, lambda: secrets.token_hex(24))
        for name in (*BROKER_USERS, DOOR):
            self._keep(f"{name}_amqp_uri", amqp_uri(name, self._password(f"{name}_amqp_uri"), layout))
        for name in (*SOURCES, "backup"):
            self._keep(f"{name}_mongo_uri", mongo_uri(name, self._password(f"{name}_mongo_uri"), layout))
        self.systems().update(ca=self.folder / "tls" / "ca.pem")
        self._write_definitions()
        if layout.is_in_containers:
            self._write_environment()
        self._give_to_image_user()
        return replaced

    def amqp_uri(self, name: str) -> str:
        """Return a service's address of the broker's first node."""
        return (self.folder / f"{name}_amqp_uri").read_text().partition(";")[0]

    def layout(self) -> Layout:
        """Return the layout of the site, or that of one machine where none is made yet."""
        file = self.folder / "layout.json"
        return msgspec.json.decode(file.read_bytes(), type=Layout) if file.exists() else Layout()

    def certificates(self) -> Iterator[tuple[Path, datetime]]:
        """Yield each certificate's file and the instant at which it ends."""
        for file in sorted((self.folder / "tls").glob("*.pem")):
            yield file, certificate_authority.end(file.read_text())

    def add(self, name: str, system: System, *, host: str = "", **token: Any) -> Folder:
        """Let an outside system in, or change its rights; return the folder for its bureau. `host` may have a port.

        Password and token stay as `Systems.add` says, whose further arguments these are.
        """
        systems = self.systems()  # fails where no site is made
        check(name, system, roles=token.get("roles", USUAL_ROLES))
        host = host or self._public_host()
        server = f"amqps://{host if re.search(r':[0-9]+$', host) else f'{host}:{AMQPS}'}"
        folder = systems.add(name, system, server=server, ca=self.folder / "tls" / "ca.pem", **token)
        self._write_definitions()
        self._give_to_image_user()
        return folder

    def remove(self, name: str) -> None:
        """Remove a system's files and rights; the broker has to be told besides: an import removes nothing."""
        self.systems().remove(name)
        self._write_definitions()
        self._give_to_image_user()

    def systems(self) -> Systems:
        """Return the outside systems of the site."""
        return Systems(self.folder, self.private_key())

    def outdated_systems(self) -> tuple[str, ...]:
        """Return the systems of an earlier release, whose folders `make` writes anew: they have another address."""
        is_there = all((self.folder / name).exists() for name in ("systems", "token_private_key"))
        return self.systems().outdated() if is_there else ()

    def private_key(self) -> str:
        """Return the key that signs tokens, PEM; fail where no site is made."""
        file = self.folder / "token_private_key"
        if not file.exists():
            raise CommandFailed(f"There is no site in {self.folder}; `./kexie deploy init` makes one.")
        return of_setting(file.read_text())

    def trust(self) -> ssl.SSLContext:
        """Return a TLS context that trusts the authorities of the system and of the site."""
        context = ssl.create_default_context()
        context.load_verify_locations(self.folder / "tls/ca.pem")
        return context

    def _public_host(self) -> str:
        """The name by which other bureaus reach the broker."""
        named = [host for host in self.layout().hosts if host not in Layout().hosts]
        if not named:
            raise CommandFailed(
                "By which name do others reach the site? Name it once: `./kexie deploy init --host NAME`."
            )
        return named[0]

    def _write_definitions(self) -> None:
        systems = self.systems().all()
        users = {name: (self._password(f"{name}_amqp_uri"), rights()) for name, rights in BROKER_USERS.items()}
        granted = (method for system in systems.values() for method in system.may)
        users[DOOR] = (self._password(f"{DOOR}_amqp_uri"), broker_rights.of_door(granted))
        all_ = system_definitions.together(
            broker_rights.definitions(VHOST, users),
            system_definitions.of_systems(systems, vhost=VHOST, door=DOOR),
            system_definitions.closed(VHOST, systems, before=self._definitions()),
        )
        self._keep("definitions.json", json.dumps(all_, indent=1))

    def _definitions(self) -> Definitions:
        """The definitions as they were written last."""
        file = self.folder / "definitions.json"
        return json.loads(file.read_text()) if file.exists() else {}

    def _password(self, uri: str) -> str:
        """The password of the address in a file, or a new one where there is no file."""
        file = self.folder / uri
        return (urlsplit(file.read_text()).password if file.exists() else None) or secrets.token_hex(24)

    def authority(self) -> Authority | None:
        """Return the site's own authority, made once; None where ca.pem holds only others."""
        key, certificate = self.folder / "tls/ca.key", self.folder / "tls/ca.pem"
        if not certificate.exists():
            made = Authority.new()
            write_privately(key, made.key)
            write_privately(certificate, made.certificate)
        return Authority.among(key.read_text(), certificate.read_text()) if key.exists() else None

    def _certify(self, layout: Layout) -> Iterator[str]:
        """Issue certificates that are missing or due for renewal; yield the servers that had one before."""
        if (authority := self.authority()) is None:
            return
        for server, (names, valid_for) in servers(layout).items():
            file = self.folder / f"tls/{server}.pem"
            if not file.exists() or authority.would_renew(file.read_text(), names):
                if file.exists():
                    yield server
                write_privately(file, authority.issue(names, valid_for))

    def require_files(self, *, anew: Collection[str] = ()) -> None:
        """Fail where a site was made and an irreplaceable secret is gone, or where containers could not read a file."""
        gone = [name for name in IRREPLACEABLE if name not in anew and not (self.folder / name).exists()]
        if self.is_made and gone:
            raise CommandFailed(
                f"{self.folder / gone[0]} is gone. {IRREPLACEABLE[gone[0]]}: put its copy back, or, where there is "
                f"none, `./kexie deploy init --anew {gone[0]}`. Nothing was changed."
            )
        if not (self.folder / "tls/ca.pem").exists() and any(self.folder.glob("tls/*.pem")):
            raise CommandFailed(
                f"{self.folder / 'tls/ca.pem'} is gone, and nobody trusts the certificates of a new authority: put its "
                f"copy back, or remove {self.folder / 'tls'} for new certificates of all, and hand out the new ca.pem. "
                "Nothing was changed."
            )
        if os.getuid() and self.layout().is_in_containers:
            require_owner(self._read_by_containers(), os.getuid())

    def prepare_start(self) -> None:
        """Let containers read what they need, or fail and name it: files may have come from a backup, or from root."""
        if not self.is_made:
            raise CommandFailed(f"There is no site in {self.folder}; `./kexie deploy init` makes one.")
        self.require_files()
        open_to_containers(CHECKOUT / "deploy")
        if os.getuid() == 0:
            user, _, group = self._user().partition(":")
            self._give_to(int(user), int(group or user))

    def _new_project(self) -> str:
        """The name that the operator chose, that of earlier releases, or one that no other checkout has."""
        chosen = os.environ.get(PROJECT) or (self._variables.get(PROJECT) if self._has_variables else "")
        if chosen or self.is_made:
            return chosen or BEFORE_PROJECTS
        digest = sha256(bytes(self.folder.resolve())).hexdigest()
        return f"kexie-{digest[:6]}"

    def _write_environment(self) -> None:
        """Set the user that the containers run as, and their name where the operator has not."""
        if self._has_variables and not self._variables.get(PROJECT):
            self._variables.set(PROJECT, self.project)
        self._variables.set(USER, self._owner())

    @property
    def _variables(self) -> ComposeVariables:
        return ComposeVariables(self.environment)

    @property
    def _has_variables(self) -> bool:
        """True where the variables of compose are of this site: not of another one in the same checkout."""
        return self.folder.parent == self.environment.parent

    def _user(self) -> str:
        """User and group of the containers, as compose finds them."""
        return os.environ.get(USER) or self._variables.get(USER) or self._owner()

    def _secret(self, name: str, invent: Callable[[], str]) -> str:
        file = self.folder / name
        if not file.exists():
            write_privately(file, invent())
        return file.read_text()

    def _keep(self, name: str, text: str) -> None:
        write_privately(self.folder / name, text)

    def _owner(self) -> str:
        return f"{IMAGE_USER}:{IMAGE_USER}" if os.getuid() == 0 else f"{os.getuid()}:{os.getgid()}"

    def _give_to_image_user(self) -> None:
        """Change the owner of root's files, which the containers could not read, and open those of the checkout."""
        if self.layout().is_in_containers:
            open_to_containers(CHECKOUT / "deploy")
            if os.getuid() == 0:
                self._give_to(IMAGE_USER, IMAGE_USER)

    def _give_to(self, user: int, group: int) -> None:
        for file in self._read_by_containers():
            os.chown(file, user, group)

    def _read_by_containers(self) -> list[Path]:
        files = (*self.folder.glob("*"), *self.folder.glob("tls/*.pem"), self.folder / FILE)
        return [file for file in files if file.exists()]
