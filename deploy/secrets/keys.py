"""Keys: the pair that signs and verifies tokens, and the one that seals what only some may read.

The private key stays with the gateway, the door and the operator, the sealing key with the services that seal.
"""

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
"""Services that seal, and get the key."""
SIGNING = ("gateway", "door")
"""Programs that sign tokens, and get the private key."""


@dataclass(frozen=True)
class Keys:
    """The private key that signs tokens, with its public one."""

    private: str  # PEM

    @property
    def public(self) -> str:
        """The key that verifies tokens, PEM."""
        return public_of(self.private)

    def token(self, *, subject: str, roles: Iterable[str], lifetime: timedelta, district: str | None = None) -> str:
        """Issue a token signed by this key; raise ValueError for a role or district that does not exist."""
        return tokens.issue(self.private, subject=subject, roles=roles, district=district, lifetime=lifetime)


def as_setting(pem: str) -> str:
    """Encode a PEM text as the settings carry it: base64 in one line."""
    return b64encode(pem.encode()).decode()


def of_setting(value: str) -> str:
    """Decode a PEM text from a setting."""
    return b64decode(value).decode()


def public_of(private: str) -> str:
    """Return the public key of a private one, both PEM."""
    key = load_pem_private_key(private.encode(), password=None).public_key()
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def new_private_key() -> str:
    """Return a new Ed25519 key, PEM."""
    key = Ed25519PrivateKey.generate()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def new_sealing_key() -> str:
    """Return a new random key as the settings carry it."""
    return b64encode(secrets.token_bytes(SEALING_KEY)).decode()
