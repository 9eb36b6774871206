"""A seal: values encrypted (AES-256-GCM) with a site's key and bound to the record that they belong to, and its canary.

The canary is one sealed value beside the records: it shows whether a key is the one with which they were sealed.
Without the framework, so that provisioning and backups may use it.
"""

from __future__ import annotations

import os
from base64 import b64decode, b64encode
from typing import Any, TypeVar

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pymongo.database import Database

NONCE = 12  # bytes
CANARIES, CANARY = "seal", "canary"
"""The collection with the canary, and its id."""
ANY_KEY = "any"
"""In the place of the sealed value: the operator has given the old key up, and the next one is right."""

T = TypeVar("T")


class Unsealable(Exception):
    """A value that was sealed with another key or for another record, or was altered."""


class Seal:
    """Seals and opens values with one key."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    def seal(self, value: Any, *, record: str) -> str:
        """Encrypt a value as a text; the same value twice gives two texts."""
        nonce = os.urandom(NONCE)
        sealed = self._cipher.encrypt(nonce, msgspec.json.encode(value), record.encode())
        return b64encode(nonce + sealed).decode()

    def open(self, sealed: str, of: type[T], *, record: str) -> T:
        """Decrypt the value that was sealed for this record; raises `Unsealable`."""
        encrypted = b64decode(sealed)
        try:
            content = self._cipher.decrypt(encrypted[:NONCE], encrypted[NONCE:], record.encode())
        except InvalidTag:
            raise Unsealable(record) from None
        return msgspec.json.decode(content, type=of)

    def opens(self, sealed: str, *, record: str) -> bool:
        """Return whether this key opens a value."""
        try:
            self.open(sealed, object, record=record)
        except Unsealable:
            return False
        return True

    def canary(self) -> str:
        """Return a new canary of this key."""
        return self.seal(CANARY, record=CANARY)

    def opens_canary(self, canary: str) -> bool:
        """Return whether a canary is of this key, or of any."""
        return canary == ANY_KEY or self.opens(canary, record=CANARY)


def accept_any_key(database: Database[Any]) -> None:
    """Give up what was sealed in this database: the next key that a service has is right."""
    database[CANARIES].replace_one({"_id": CANARY}, {"sealed": ANY_KEY}, upsert=True)
