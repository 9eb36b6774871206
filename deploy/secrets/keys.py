"""The pair of keys that signs and verifies tokens, whose private one stays with the gateway and the operator; and the
key that seals what only some may read, for the services that keep such things."""

import secrets
from base64 import b64decode, b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from services.chassis import tokens
from services.chassis.settings import SEALING_KEY

SEALING = ("awards",)
"""Services that seal, and are told the key."""


@dataclass(frozen=True)
class Keys:
    private: str  # PEM

    @property
    def public(self) -> str:
        return public_of(self.private)

    def token(self, *, subject: str, roles: Iterable[str], lifetime: timedelta, district: str | None = None) -> str:
        """Signed by this key; ValueError for a role or district that does not exist."""
        return tokens.issue(self.private, subject=subject, roles=roles, district=district, lifetime=lifetime)


def as_setting(pem: str) -> str:
    """A PEM text as the settings carry it: base64 in one line."""
    return b64encode(pem.encode()).decode()


def of_setting(said: str) -> str:
    return b64decode(said).decode()


def public_of(private: str) -> str:
    """The PEM that verifies what this one signs."""
    key = load_pem_private_key(private.encode(), password=None).public_key()
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def new_private_key() -> str:
    key = Ed25519PrivateKey.generate()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def new_sealing_key() -> str:
    """As the settings carry it."""
    return b64encode(secrets.token_bytes(SEALING_KEY)).decode()
