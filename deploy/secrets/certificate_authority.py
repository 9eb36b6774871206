"""A private certificate authority, for a site that has no certificates of its own."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import cast

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

AUTHORITY = "Kexie private authority"
VALID_FOR = timedelta(days=3650)
BROWSERS_ACCEPT = timedelta(days=820)  # some refuse certificates that are valid for longer
RENEWED_BEFORE_END = timedelta(days=60)


@dataclass(frozen=True)
class Authority:
    """A certificate authority: its key and its certificate, PEM."""

    key: str
    certificate: str

    @classmethod
    def new(cls) -> Authority:
        """Make a new authority, valid for ten years."""
        key = ec.generate_private_key(ec.SECP256R1())
        made = (
            _begun(_name(AUTHORITY), _name(AUTHORITY), key, key, VALID_FOR)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(signs_certificates=True), critical=True)
            .sign(key, SHA256())
        )
        return cls(_private(key), _public(made))

    @classmethod
    def among(cls, key: str, certificates: str) -> Authority | None:
        """Return the authority among these certificates that has this key; None where no certificate belongs to it."""
        ours = load_pem_private_key(key.encode(), None).public_key()
        for certificate in x509.load_pem_x509_certificates(certificates.encode()):
            if certificate.public_key() == ours:
                return cls(key, _public(certificate))
        return None

    def issue(self, names: Iterable[str], valid_for: timedelta = VALID_FOR) -> str:
        """Return a new key and its certificate for a server with these names or addresses, PEM, in one text."""
        key, signer, names = ec.generate_private_key(ec.SECP256R1()), self._signer, list(names)
        made = (
            _begun(_name(names[0]), self._loaded.subject, key, signer, valid_for)
            .add_extension(x509.SubjectAlternativeName([_alternative(name) for name in names]), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(signs_certificates=False), critical=True)
            .add_extension(
                x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]),
                critical=False,  # both: members of a replica set call each other
            )
            .sign(signer, SHA256())
        )
        return _private(key) + _public(made)

    def would_renew(self, pem: str, names: Iterable[str]) -> bool:
        """Return whether a certificate is of this authority, and ends soon or has other names."""
        certificate = x509.load_pem_x509_certificate(pem.encode())
        try:
            certificate.verify_directly_issued_by(self._loaded)
        except (ValueError, InvalidSignature):
            return False
        named = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        return (
            set(named) != set(map(_alternative, names))
            or certificate.not_valid_after_utc < datetime.now(UTC) + RENEWED_BEFORE_END
        )

    @property
    def _signer(self) -> ec.EllipticCurvePrivateKey:
        return cast("ec.EllipticCurvePrivateKey", load_pem_private_key(self.key.encode(), None))

    @property
    def _loaded(self) -> x509.Certificate:
        return x509.load_pem_x509_certificate(self.certificate.encode())


def end(pem: str) -> datetime:
    """Return the instant at which a certificate ends to be valid."""
    return x509.load_pem_x509_certificate(pem.encode()).not_valid_after_utc


def _begun(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    signer: ec.EllipticCurvePrivateKey,
    valid_for: timedelta,
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + valid_for)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates, key_cert_sign=signs_certificates, crl_sign=signs_certificates,
        content_commitment=False, key_encipherment=False, data_encipherment=False, key_agreement=False,
        encipher_only=False, decipher_only=False,
    )  # fmt: skip


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common[:64])])


def _alternative(name: str) -> x509.GeneralName:
    with suppress(ValueError):
        return x509.IPAddress(ip_address(name))
    return x509.DNSName(name)


def _private(key: ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def _public(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(Encoding.PEM).decode()
