"""Sealing: restricted values are stored encrypted (AES-256-GCM), bound to the record that they belong to.

The database without the key reveals nothing, and a value moved to another record no longer opens.
"""

from __future__ import annotations

import os
from base64 import b64decode, b64encode
from typing import Any, TypeVar

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from services.chassis.provider import Provider
from services.chassis.settings import WrongSettings

NONCE = 12  # bytes

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


class SealProvider(Provider[Seal]):
    """Gives a service the seal of its site; a service that needs it does not start without a key."""

    def bind(self, container: Any, attr_name: str) -> Any:
        """Make the seal at once, so that a missing key ends the start; raises `WrongSettings`."""
        bound = super().bind(container, attr_name)
        key = container.config["SETTINGS"].sealing_key
        if key is None:
            raise WrongSettings(f"SEALING_KEY: {container.service_name} needs it")
        bound.seal = Seal(key)
        return bound

    def provide(self) -> Seal:
        """Return the seal."""
        return self.seal
