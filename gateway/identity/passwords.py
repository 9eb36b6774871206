"""Passwords: hashed with argon2id beside the hub, few at a time: each takes 64 MB and a tenth of a second."""

from __future__ import annotations

import secrets
import unicodedata
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError
from eventlet import tpool
from eventlet.semaphore import Semaphore

from gateway.http.admission import Bulkhead
from services.chassis import fields

SHORTEST, LONGEST = 10, 200  # characters
AT_ONCE = 2
WAITING = 16  # with those at work; whoever comes then is told to come again


class Password(fields.Text):
    """A new password."""

    says = (f"A password of {SHORTEST} to {{max}} characters.", f"密码须为 {SHORTEST} 至 {{max}} 个字符。")

    def __init__(self) -> None:
        super().__init__(max=LONGEST)

    def json_schema(self) -> dict[str, Any]:
        return super().json_schema() | {"minLength": SHORTEST}

    def _matches(self, value: str) -> bool:
        return len(_plain(value)) >= SHORTEST


class Passwords:
    """Makes and compares hashes; both raise `Overloaded` where too many wait."""

    def __init__(self) -> None:
        self._hasher = PasswordHasher()
        self._turn, self._room = Semaphore(AT_ONCE), Bulkhead(WAITING)
        self._nobodys = ""

    def prepare(self) -> None:
        """For logins that nobody has: to refuse them takes as long."""
        self._nobodys = self.hash(secrets.token_hex())

    def hash(self, password: str) -> str:
        return str(self._beside(self._hasher.hash, _plain(password)))

    def is_right(self, password: str, hash_: str | None) -> bool:
        """Is it the one of this hash? None is nobody's."""
        try:
            self._beside(self._hasher.verify, hash_ or self._nobodys, _plain(password))
        except VerificationError:
            return False
        return hash_ is not None

    def is_outdated(self, hash_: str) -> bool:
        """Was it made with less effort than today's?"""
        return self._hasher.check_needs_rehash(hash_)

    def _beside(self, work: Any, *given: str) -> Any:
        with self._room.place("login"), self._turn:
            return tpool.execute(work, *given)


def _plain(password: str) -> str:
    """The same for the same keys, whether they were typed full-width or half-width."""
    return unicodedata.normalize("NFKC", password)
