"""Outside systems: checking what may be granted to one, and the folder that its bureau is handed.

amqp_uri      the broker's address, with user and password and the system's own virtual host
token         goes with its calls
ca.pem        the authority of the broker's certificate
granted.json  the methods that it may call and the events that it may hear
example.py    a program to begin with; README.md explains all files
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from difflib import get_close_matches
from pathlib import Path
from string import Template
from urllib.parse import urlsplit

import msgspec

from deploy.errors import CommandFailed
from deploy.secrets.keys import public_of
from deploy.secrets.private_files import write_privately
from gateway.door.systems import FILE, NAME, Grant, fits, write
from services.chassis.problem import NotAuthenticated
from services.chassis.tokens import Tokens, Verified, issue
from services.contract import KINDS
from services.contract.topology import SOURCES
from services.kernel.calendar import day_of, end_of

HANDOVER = Path(__file__).parent / "handover"
USUAL_ROLES = ("system", "viewer")
TOKEN_HOLDS = timedelta(days=180)  # no longer than a revocation is kept, see `gateway.identity.api_tokens`
SOON = timedelta(days=30)
TAKEN = (*SOURCES, "door", "provision", "backup", "root", "guest", "kexie")
"""Names of users of ours."""


class System(msgspec.Struct, frozen=True):
    """Another bureau's program: methods that it may call, events that it may hear, and its password at the broker."""

    may: tuple[str, ...]
    hears: tuple[str, ...]
    password: str


def check(name: str, system: System, *, roles: Collection[str]) -> None:
    """Fail for a wrong name, an unknown method, or one that these roles may not call: it could never be used."""
    if not re.fullmatch(NAME, name) or name in TAKEN:
        raise CommandFailed(f"{name}: a name of small letters, digits and _, that is none of {', '.join(TAKEN)}.")
    from deploy.image import service_classes  # noqa: PLC0415 (it loads the whole framework)

    known = service_classes.methods()
    for method in system.may:
        if method not in known:
            raise CommandFailed(f"{method}: no such method; {_alternatives(method, known)}")
        needs = getattr(known[method], "roles", None)
        if needs and not needs & set(roles):
            raise CommandFailed(f"{method} is for {' or '.join(sorted(needs))}: name it with --role.")


def understood(hears: Iterable[str]) -> tuple[str, ...]:
    """Expand `awards.*` and `external_result.*` to `service.kind.happening`, in which words may be `*`.

    Fails for an event that no service publishes.
    """
    return tuple(dict.fromkeys(event for pattern in hears for event in _expand(pattern)))


def _expand(pattern: str) -> list[str]:
    words = pattern.split(".")
    kinds = [kind for kind in KINDS.values() if kind.name == words[0]]
    if len(words) == 2 and words[0] in SOURCES and words[1] == "*":
        candidates = [f"{words[0]}.*.*"]
    elif len(words) == 2:
        candidates = [f"{kind.service}.{pattern}" for kind in kinds]
    else:
        candidates = [pattern]
    published = [event for event in candidates if any(fits(known, event) for known in _events())]
    if not published:
        raise CommandFailed(f"{pattern}: no such event; {_alternatives(pattern, _events())}")
    return published


def _events() -> list[str]:
    return [f"{kind.service}.{kind.routing_key(happening)}" for kind in KINDS.values() for happening in kind.happenings]


def _alternatives(name: str, known: Collection[str]) -> str:
    """Names that are alike, or all of that service, or all."""
    of_service = [other for other in known if other.partition(".")[0] == name.partition(".")[0]]
    return f"there are {', '.join(get_close_matches(name, known, cutoff=0.8) or of_service or known)}."


@dataclass(frozen=True)
class Folder:
    """The folder of one system, and the public key that verifies its token."""

    path: Path
    public_key: str

    def system(self) -> System:
        """Read the rights and the password from the folder."""
        granted = msgspec.json.decode((self.path / "granted.json").read_bytes())
        return msgspec.convert({**granted, "password": urlsplit(self._address()).password}, System)

    def write(self, system: System, *, server: str, ca: Path | None) -> None:
        """Write all files but the token and the page; `server` is the broker's address without user and path."""
        scheme, _, host = server.partition("://")
        name = self.path.name
        write_privately(self.path / "amqp_uri", f"{scheme}://{name}:{system.password}@{host}/{name}")
        granted = msgspec.json.encode({"may": system.may, "hears": system.hears})
        write_privately(self.path / "granted.json", msgspec.json.format(granted).decode() + "\n")
        write_privately(self.path / "example.py", (HANDOVER / "example.py").read_text())
        if ca:
            write_privately(self.path / "ca.pem", ca.read_text())

    @property
    def server(self) -> str:
        """The broker's address that was handed over, without user and path."""
        address = urlsplit(self._address())
        return f"{address.scheme}://{address.netloc.rpartition('@')[2]}"

    @property
    def is_outdated(self) -> bool:
        """True for an address of a release in which systems had no virtual host of their own."""
        return urlsplit(self._address()).path != f"/{self.path.name}"

    def write_readme(self) -> None:
        """Write the page for the bureau, with the name, the host and the token's last day."""
        address, token = urlsplit(self._address()), self.token()
        values = {
            "name": self.path.name,
            "until": last_day(token).isoformat() if token else "-",
            "host": address.hostname or "",
        }
        write_privately(self.path / "README.md", Template((HANDOVER / "README.md").read_text()).substitute(values))

    def token(self) -> Verified | None:
        """Return the verified token of the folder; None where it is missing or no longer valid."""
        file = self.path / "token"
        try:
            return Tokens(self.public_key).read(file.read_text().strip()) if file.exists() else None
        except NotAuthenticated:
            return None

    def issue_token(self, private_key: str, *, roles: Collection[str], district: str | None, now: datetime) -> None:
        """Sign a token here, so that no gateway has to run; its id is enough to revoke it."""
        lifetime = end_of(day_of(now) + TOKEN_HOLDS) - now
        text = issue(private_key, subject=self.path.name, roles=roles, district=district, lifetime=lifetime)
        write_privately(self.path / "token", text + "\n")

    def remove(self) -> None:
        """Delete the folder."""
        shutil.rmtree(self.path)

    def _address(self) -> str:
        return (self.path / "amqp_uri").read_text().strip()


@dataclass(frozen=True)
class Systems:
    """The outside systems of a site, or of a stack on this machine: their folders, and the list for the door."""

    folder: Path  # of the site or the stack
    private_key: str  # PEM; signs their tokens

    def add(
        self,
        name: str,
        system: System,
        *,
        server: str,
        ca: Path | None = None,
        roles: Collection[str] = USUAL_ROLES,
        district: str | None = None,
        renew: bool = False,
    ) -> Folder:
        """Let an outside system in, or change the rights of one that is known; return the folder for its bureau.

        Its password stays; so does a token of the same roles that is valid for 30 more days, unless `renew`.
        """
        check(name, system, roles=roles)
        granted = msgspec.structs.replace(system, hears=understood(system.hears))
        now, folder = datetime.now(UTC), self.handed(name)
        if folder.path.exists():
            granted = msgspec.structs.replace(granted, password=folder.system().password)
        folder.write(granted, server=server, ca=ca)
        if renew or not is_good(folder.token(), roles=roles, district=district, now=now):
            folder.issue_token(self.private_key, roles=roles, district=district, now=now)
        folder.write_readme()
        self.write_list()
        return folder

    def remove(self, name: str) -> None:
        """Remove a system's folder, and its name from the list: the door serves it no more."""
        self.require(name)
        self.handed(name).remove()
        self.write_list()

    def require(self, name: str) -> None:
        """Fail where no system has this name."""
        if not self.handed(name).path.exists():
            raise CommandFailed(f"There is no system {name}; there are {', '.join(self.all()) or 'none'}.")

    def handed(self, name: str) -> Folder:
        """Return the folder of a system, whether or not it exists."""
        return Folder(self.folder / "systems" / name, public_of(self.private_key))

    def all(self) -> dict[str, System]:
        """Return the systems that were let in, by their names."""
        folder = self.folder / "systems"
        names = sorted(path.name for path in folder.iterdir()) if folder.exists() else []
        return {name: self.handed(name).system() for name in names}

    def outdated(self) -> tuple[str, ...]:
        """Return the systems whose folder is that of an earlier release, and has to be handed over anew."""
        return tuple(name for name in self.all() if self.handed(name).is_outdated)

    def update(self, *, ca: Path) -> None:
        """Write everything anew that was made by an earlier release; passwords and tokens stay."""
        for name in self.outdated():
            folder = self.handed(name)
            folder.write(folder.system(), server=folder.server, ca=ca)
            folder.write_readme()
        self.write_list()

    def write_list(self) -> None:
        """Write the list that the door reads."""
        grants = {name: Grant(system.may, system.hears) for name, system in self.all().items()}
        write_privately(self.folder / FILE, write(grants))


def last_day(token: Verified) -> date:
    """Return the last day on which a token is valid."""
    return day_of(datetime.fromtimestamp(token.expires - 1, UTC))


def is_good(token: Verified | None, *, roles: Collection[str], district: str | None, now: datetime) -> bool:
    """Return whether a token has these roles and this district, and is valid for 30 more days."""
    if token is None or now + SOON > datetime.fromtimestamp(token.expires, UTC):
        return False
    return token.actor.roles == frozenset(roles) and token.actor.district == district
