"""Outside systems: what may be granted to one, and the folder that its bureau is handed, whole.

amqp_uri      the broker's address, with user and password
token         goes with its calls
ca.pem        who signed the broker's certificate
granted.json  what it may call and hear
example.py    a program to begin with; README.md tells about all of it
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

from deploy.errors import Trouble
from deploy.secrets.private_files import write_privately
from services.chassis.problem import NotAuthenticated
from services.chassis.tokens import Tokens, Verified, issue
from services.contract import KINDS
from services.contract.topology import SOURCES
from services.kernel.calendar import day_of, end_of

HANDOVER = Path(__file__).parent / "handover"
USUAL_ROLES = ("system", "viewer")
TOKEN_HOLDS = timedelta(days=180)  # no longer than a revocation is kept, see `issued.MOST_DAYS`
SOON = timedelta(days=30)
PORT = 5671


class System(msgspec.Struct, frozen=True):
    """Another bureau's program: the methods that it may call, and the events that it may hear."""

    may: tuple[str, ...]
    hears: tuple[str, ...]
    password: str


def check(name: str, system: System, *, roles: Collection[str]) -> None:
    """What is misspelt would be granted and never used."""
    if not re.fullmatch("[a-z][a-z0-9_]{1,40}", name) or name in SOURCES:
        raise Trouble(f"{name}: a name of small letters, digits and _, that is none of {', '.join(SOURCES)}.")
    from deploy.image import service_classes  # noqa: PLC0415 (it loads the whole framework)

    known = service_classes.methods()
    for method in system.may:
        if method not in known:
            raise Trouble(f"{method}: no such method; {_instead(method, known)}")
        needs = getattr(known[method], "roles", None)
        if needs and not needs & set(roles):
            raise Trouble(f"{method} is for {' or '.join(sorted(needs))}: name it with --role.")


def understood(hears: Iterable[str]) -> tuple[str, ...]:
    """Events as `service.kind.happening`, each word may be `*`: `awards.*` and `external_result.*` are made whole."""
    return tuple(dict.fromkeys(whole for said in hears for whole in _whole(said)))


def _whole(said: str) -> list[str]:
    words = said.split(".")
    kinds = [kind for kind in KINDS.values() if kind.name == words[0]]
    if len(words) == 2 and words[0] in SOURCES and words[1] == "*":
        candidates = [f"{words[0]}.*.*"]
    elif len(words) == 2:
        candidates = [f"{kind.service}.{said}" for kind in kinds]
    else:
        candidates = [said]
    found = [one for one in candidates if any(_fits(event, one) for event in _events())]
    if not found:
        raise Trouble(f"{said}: no such event; {_instead(said, _events())}")
    return found


def _fits(event: str, pattern: str) -> bool:
    there, asked = event.split("."), pattern.split(".")
    return len(there) == len(asked) and all(word in ("*", it) for it, word in zip(there, asked, strict=True))


def _events() -> list[str]:
    return [f"{kind.service}.{kind.routing_key(one)}" for kind in KINDS.values() for one in kind.happenings]


def _instead(said: str, known: Collection[str]) -> str:
    """What is alike, or all there is of that service, or all."""
    of_service = [one for one in known if one.partition(".")[0] == said.partition(".")[0]]
    return f"there are {', '.join(get_close_matches(said, known, cutoff=0.8) or of_service or known)}."


@dataclass(frozen=True)
class Folder:
    """The folder of one system, and the key by which its token is known."""

    path: Path
    public_key: str

    def system(self) -> System:
        granted = msgspec.json.decode((self.path / "granted.json").read_bytes())
        return msgspec.convert({**granted, "password": urlsplit(self._address()).password}, System)

    def write(self, system: System, *, host: str, ca: Path) -> None:
        """All but the token; `host` may have a port."""
        at = host if re.search(r":\d+$", host) else f"{host}:{PORT}"
        write_privately(self.path / "amqp_uri", f"amqps://{self.path.name}:{system.password}@{at}/%2F")
        granted = msgspec.json.encode({"may": system.may, "hears": system.hears})
        write_privately(self.path / "granted.json", msgspec.json.format(granted).decode() + "\n")
        write_privately(self.path / "example.py", (HANDOVER / "example.py").read_text())
        write_privately(self.path / "ca.pem", ca.read_text())

    def write_readme(self) -> None:
        address, token = urlsplit(self._address()), self.token()
        told = {
            "name": self.path.name,
            "until": last_day(token).isoformat() if token else "-",
            "host": address.hostname or "",
        }
        write_privately(self.path / "README.md", Template((HANDOVER / "README.md").read_text()).substitute(told))

    def token(self) -> Verified | None:
        """What its token says; none where there is none, or one that holds no longer."""
        file = self.path / "token"
        try:
            return Tokens(self.public_key).read(file.read_text().strip()) if file.exists() else None
        except NotAuthenticated:
            return None

    def issue_token(self, private_key: str, *, roles: Collection[str], district: str | None, now: datetime) -> None:
        """Signed here, so that it needs no gateway that runs; its id is enough to revoke it."""
        lifetime = end_of(day_of(now) + TOKEN_HOLDS) - now
        text = issue(private_key, subject=self.path.name, roles=roles, district=district, lifetime=lifetime)
        write_privately(self.path / "token", text + "\n")

    def remove(self) -> None:
        shutil.rmtree(self.path)

    def _address(self) -> str:
        return (self.path / "amqp_uri").read_text().strip()


def last_day(token: Verified) -> date:
    """On which it still holds."""
    return day_of(datetime.fromtimestamp(token.expires - 1, UTC))


def is_good(token: Verified | None, *, roles: Collection[str], district: str | None, now: datetime) -> bool:
    """Says what a new one would say, and holds for some time yet."""
    if token is None or now + SOON > datetime.fromtimestamp(token.expires, UTC):
        return False
    return token.actor.roles == frozenset(roles) and token.actor.district == district
