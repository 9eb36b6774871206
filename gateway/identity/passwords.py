"""Passwords: hashed with argon2id in threads beside the hub, few at once: each takes 64 MB and a tenth of a second."""

from __future__ import annotations

import secrets
import string
import unicodedata
from functools import cache
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError
from eventlet import tpool
from eventlet.semaphore import Semaphore

from gateway.http.admission import Bulkhead
from services.chassis import fields

SHORTEST, LONGEST = 10, 200  # characters
FEW = 3  # different characters
AROUND = string.digits + string.punctuation + " "
AT_ONCE = 2
WAITING = 16  # with those at work; further ones are told to come again


class Password(fields.Verbatim):
    """A new password."""

    says = (f"A password of {SHORTEST} to {{max}} characters.", f"密码须为 {SHORTEST} 至 {{max}} 个字符。")

    def __init__(self) -> None:
        super().__init__(max=LONGEST)

    def json_schema(self) -> dict[str, Any]:
        """The schema of a text, with the shortest length."""
        return super().json_schema() | {"minLength": SHORTEST}

    def _matches(self, value: str) -> bool:
        return len(_normalised(value)) >= SHORTEST


def is_common(password: str) -> bool:
    """Would it be among the first to be tried: one of the most common passwords, with or without digits around it?

    A password of three different characters is, too. The list is that of zxcvbn, whose estimate of any password is not
    used: it takes seconds for some.
    """
    text = _normalised(password).lower()
    return len(set(text)) <= FEW or not {text, text.strip(AROUND)}.isdisjoint(_common_passwords())


@cache
def _common_passwords() -> frozenset[str]:
    """30,000 passwords, read with the first one that is set."""
    from zxcvbn.frequency_lists import FREQUENCY_LISTS  # noqa: PLC0415 (13 MB)

    return frozenset(FREQUENCY_LISTS["passwords"])


class Passwords:
    """Makes and verifies hashes; both raise `Overloaded` where too many wait."""

    def __init__(self) -> None:
        self._hasher = PasswordHasher()
        self._turn, self._bulkhead = Semaphore(AT_ONCE), Bulkhead(WAITING)

    def prepare(self) -> None:
        """Make a dummy hash, so that to refuse an unknown login takes as long as to refuse a wrong password."""
        self._in_thread(_dummy_hash)

    def hash(self, password: str) -> str:
        """Hash a password with a new salt."""
        return str(self._in_thread(self._hasher.hash, _normalised(password)))

    def is_right(self, password: str, hash_: str | None) -> bool:
        """Verify a password; False, after the same time, where there is no hash."""
        try:
            self._in_thread(self._hasher.verify, hash_ or _dummy_hash(), _normalised(password))
        except VerificationError:
            return False
        return hash_ is not None

    def is_outdated(self, hash_: str) -> bool:
        """Was the hash made with less effort than new ones?"""
        return self._hasher.check_needs_rehash(hash_)

    def _in_thread(self, work: Any, *arguments: str) -> Any:
        with self._bulkhead.place("login"), self._turn:
            return tpool.execute(work, *arguments)


def _normalised(password: str) -> str:
    """The same text for the same keys, typed full-width or half-width."""
    return unicodedata.normalize("NFKC", password)


@cache
def _dummy_hash() -> str:
    """A hash that no password has, made once in a process."""
    return PasswordHasher().hash(secrets.token_hex())
