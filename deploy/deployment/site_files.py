"""A site: the files that a deployment is made from. Secrets are invented once and never shown.

site/layout.json        where broker and database are, and the names by which others reach the site
site/definitions.json   users of the broker with what they may, and hashes of their passwords
site/<name>_amqp_uri    each service's own address of the broker, and of the database, with its password
site/tls/               certificates, each with its key in one file, and that of who signed them (ca.pem)
site/backup_mongo_uri   the address of whoever makes backups, who may only read
site/systems/<name>/    what the bureau of an outside system is handed, see `deploy.deployment.other_systems`
"""

from __future__ import annotations

import json
import os
import secrets
import ssl
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import chain
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from deploy.deployment import broker_rights
from deploy.deployment import other_systems as systems
from deploy.deployment.broker_rights import Rights
from deploy.deployment.other_systems import USUAL_ROLES, Folder, System
from deploy.errors import Trouble
from deploy.secrets import certificate_authority as certificates
from deploy.secrets.certificate_authority import Authority
from deploy.secrets.keys import as_setting, new_private_key, new_sealing_key, of_setting, public_of
from deploy.secrets.private_files import CHECKOUT, write_privately
from services.contract.topology import SERVICES, SOURCES

FOLDER = CHECKOUT / "deploy" / "site"
ENVIRONMENT = CHECKOUT / "deploy" / ".env"
VHOST = "/"
AT_HOME = ("127.0.0.1", "localhost")
NOBODY = 10001  # whom the image runs as where root has made the site


class Layout(msgspec.Struct, frozen=True):
    """Hosts of the broker and of the database as the services know them, and of the site as everybody else does."""

    brokers: tuple[str, ...] = ("rabbitmq",)
    databases: tuple[str, ...] = ("mongo",)
    hosts: tuple[str, ...] = ("localhost", "127.0.0.1")

    @property
    def is_in_containers(self) -> bool:
        """Not where broker and database are somebody's own."""
        return set(self.brokers) <= set(CLUSTER.brokers)

    @property
    def is_cluster(self) -> bool:
        return len(self.brokers) > 1

    @property
    def is_at_home(self) -> bool:
        """What is said to broker and database does not leave the machine, and needs no TLS."""
        return all(urlsplit(f"//{one}").hostname in AT_HOME for one in (*self.brokers, *self.databases))


CLUSTER = Layout(brokers=("rabbitmq", "rabbitmq2", "rabbitmq3"), databases=("mongo", "mongo2", "mongo3"))


@dataclass(frozen=True)
class Site:
    folder: Path = FOLDER
    environment: Path = ENVIRONMENT

    @classmethod
    def of_the_environment(cls) -> Site:
        """`KEXIE_SITE` where it is set, as compose reads it, else the checkout's own."""
        return cls(FOLDER.parent / (os.environ.get("KEXIE_SITE") or FOLDER))

    def make(self, layout: Layout | None = None) -> tuple[str, ...]:
        """Whatever is missing, or differs in this layout; passwords, keys and others' certificates stay.

        The servers whose certificates were replaced.
        """
        layout = self._laid_out(layout)
        replaced = tuple(self._certify(layout))
        private = self._secret("token_private_key", lambda: as_setting(new_private_key()))
        self._keep("token_public_key", as_setting(public_of(of_setting(private))))
        self._secret("sealing_key", new_sealing_key)
        self._secret("mongo_keyfile", lambda: secrets.token_hex(96))
        for name in ("mongo_root_password", "erlang_cookie", "grafana_password"):
            self._secret(name, lambda: secrets.token_hex(24))
        for name in SOURCES:
            self._keep(f"{name}_amqp_uri", _amqp_uri(name, self._password(f"{name}_amqp_uri"), layout))
        for name in (*SOURCES, "backup"):
            self._keep(f"{name}_mongo_uri", _mongo_uri(name, self._password(f"{name}_mongo_uri"), layout))
        self._write_definitions()
        if layout.is_in_containers:
            self._tell_the_engine()
        self._hand_over()
        return replaced

    def amqp_uri(self, name: str) -> str:
        """Of the first node."""
        return (self.folder / f"{name}_amqp_uri").read_text().partition(";")[0]

    def layout(self) -> Layout:
        file = self.folder / "layout.json"
        return msgspec.json.decode(file.read_bytes(), type=Layout) if file.exists() else Layout()

    def certificates(self) -> Iterator[tuple[Path, datetime]]:
        """Each file, and when what is in it ends."""
        for file in sorted((self.folder / "tls").glob("*.pem")):
            yield file, certificates.end(file.read_text())

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
        folder.write(granted, host=host or self._outside(), ca=self.folder / "tls" / "ca.pem")
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

    def trust(self) -> ssl.SSLContext:
        """Believes whom the system's authorities or the site's own have signed."""
        made = ssl.create_default_context()
        made.load_verify_locations(self.folder / "tls/ca.pem")
        return made

    def _outside(self) -> str:
        """The name by which other bureaus reach the broker."""
        named = [host for host in self.layout().hosts if host not in Layout().hosts]
        if not named:
            raise Trouble("By which name do others reach the site? Say `./kexie deploy init --host NAME`, once.")
        return named[0]

    def _write_definitions(self) -> None:
        users = {name: (self._password(f"{name}_amqp_uri"), rights_of(name)) for name in SOURCES}
        users |= {
            name: (one.password, broker_rights.of_system(name, may=one.may, hears=one.hears))
            for name, one in self.systems()
        }
        self._keep("definitions.json", json.dumps(broker_rights.definitions(VHOST, users), indent=1))

    def _password(self, uri: str) -> str:
        """That of the address in this file; a new one where there is none."""
        file = self.folder / uri
        return (urlsplit(file.read_text()).password if file.exists() else None) or secrets.token_hex(24)

    def _laid_out(self, layout: Layout | None) -> Layout:
        self._keep("layout.json", msgspec.json.encode(layout := layout or self.layout()).decode())
        return layout

    def authority(self) -> Authority | None:
        """Its own, made once; none where ca.pem holds only others'."""
        key, certificate = self.folder / "tls/ca.key", self.folder / "tls/ca.pem"
        if not certificate.exists():
            made = Authority.new()
            write_privately(key, made.key)
            write_privately(certificate, made.certificate)
        return Authority.among(key.read_text(), certificate.read_text()) if key.exists() else None

    def _certify(self, layout: Layout) -> Iterator[str]:
        """What is missing, or ours and no longer good; whose certificate there was before."""
        if (authority := self.authority()) is None:
            return
        for server, (names, holds) in _servers(layout).items():
            file = self.folder / f"tls/{server}.pem"
            if not file.exists() or authority.would_renew(file.read_text(), names):
                if file.exists():
                    yield server
                write_privately(file, authority.issue(names, holds))

    def _tell_the_engine(self) -> None:
        """Whom the containers run as; other lines of the file are the operator's."""
        file = self.environment
        lines = file.read_text().splitlines() if file.exists() else []
        kept = [line for line in lines if not line.startswith("KEXIE_USER=")]
        file.write_text("\n".join([*kept, f"KEXIE_USER={self._owner()}", ""]))

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
        if os.getuid() == 0 and self.layout().is_in_containers:
            for file in (*self.folder.glob("*"), *self.folder.glob("tls/*.pem")):
                os.chown(file, NOBODY, NOBODY)


def rights_of(name: str) -> Rights:
    return broker_rights.of_service(name) if name in SERVICES else broker_rights.of_gateway()


def _amqp_uri(name: str, password: str, layout: Layout) -> str:
    scheme, port = ("amqp", 5672) if layout.is_at_home else ("amqps", 5671)
    return ";".join(f"{scheme}://{name}:{password}@{_at(host, port)}//" for host in layout.brokers)


def _mongo_uri(name: str, password: str, layout: Layout) -> str:
    members, database = ",".join(_at(host, 27017) for host in layout.databases), f"kexie_{name}"
    tls = "" if layout.is_at_home else "&tls=true"
    return f"mongodb://{name}:{password}@{members}/{database}?replicaSet=rs0&authSource={database}{tls}"


def _at(host: str, port: int) -> str:
    """With that port, where no other is said."""
    return host if urlsplit(f"//{host}").port else f"{host}:{port}"


def _servers(layout: Layout) -> dict[str, tuple[tuple[str, ...], timedelta]]:
    """The names that each kind of server is called by, and for how long its certificate holds."""
    return {
        "rabbitmq": (_names(CLUSTER.brokers, layout.brokers, layout.hosts), certificates.HOLDS),
        "mongo": (_names(CLUSTER.databases, layout.databases, AT_HOME), certificates.HOLDS),
        "proxy": (_names(layout.hosts), certificates.BROWSERS_TAKE),
    }


def _names(*hosts: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(urlsplit(f"//{one}").hostname or one for one in chain(*hosts)))
