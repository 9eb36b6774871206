"""Webhooks: which addresses are allowed, signatures and retries (Standard Webhooks, CloudEvents 1.0).

`send` reaches the receiver; the rest is pure.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
import socket
import ssl
from contextlib import suppress
from datetime import datetime, timedelta
from functools import cache
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlsplit

import eventlet
from eventlet import tpool

TIMEOUT = 10.0  # seconds until a receiver has to respond
LONGEST = 500  # characters of an address
SECRET = "whsec_"  # noqa: S105 - only the prefix of every secret
PORTS = {"https": 443, "http": 80}

FIRST_PAUSES = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=30), timedelta(minutes=120))
LATER_PAUSE = timedelta(hours=6)
GIVEN_UP_AFTER = timedelta(days=3)


class Undelivered(Exception):
    """A failed attempt to deliver; its message says why in a few words."""


def origin(address: str) -> str | None:
    """Scheme, host and port of a webhook's address; None where a webhook cannot have this address."""
    if not re.fullmatch(r"[!-~]+", address) or len(address) > LONGEST:
        return None
    try:
        parts = urlsplit(address)
        port = parts.port or PORTS.get(parts.scheme)
    except ValueError:
        return None
    if port is None or not parts.hostname or "@" in parts.netloc or "#" in address:
        return None
    return f"{parts.scheme}://{parts.hostname}:{port}"


def origins(allowed: str | None) -> frozenset[str]:
    """Read the setting: origins, separated by commas, as `host` or `host:port`; `http://` has to be written out."""
    words = [word.strip() for word in (allowed or "").split(",") if word.strip()]
    candidates = [origin(word if "://" in word else f"https://{word}") for word in words]
    return frozenset(candidate for candidate in candidates if candidate)


def make_secret() -> str:
    """Make a random secret of 32 bytes, as Standard Webhooks write it."""
    return SECRET + base64.b64encode(secrets.token_bytes(32)).decode()


def sign(secret: str, *, id_: str, timestamp: int, body: bytes) -> str:
    """Sign a webhook: `v1,` and the HMAC-SHA256 of `id.timestamp.body` in base64."""
    key = base64.b64decode(secret.removeprefix(SECRET))
    signature = hmac.new(key, f"{id_}.{timestamp}.".encode() + body, hashlib.sha256)
    return f"v1,{base64.b64encode(signature.digest()).decode()}"


def next_try(failed: int, *, since: datetime, now: datetime) -> datetime | None:
    """The instant of the next attempt after so many failures; None where the delivery is given up."""
    at = now + (FIRST_PAUSES[failed - 1] if failed <= len(FIRST_PAUSES) else LATER_PAUSE)
    return at if at <= since + GIVEN_UP_AFTER else None


def send(address: str, body: bytes, *, id_: str, secret: str, now: datetime) -> int:
    """Post a webhook; the status, from 200 to 299, or `Undelivered`. Follows no redirect and reads no response body."""
    timestamp = int(now.timestamp())
    headers = {
        "Content-Type": "application/cloudevents+json; charset=utf-8",
        "User-Agent": "Kexie",
        "Connection": "close",
        "Webhook-Id": id_,
        "Webhook-Timestamp": str(timestamp),
        "Webhook-Signature": sign(secret, id_=id_, timestamp=timestamp, body=body),
    }
    try:
        with eventlet.Timeout(TIMEOUT, Undelivered("no answer in time")):
            status = _post(address, body, headers)
    except (OSError, HTTPException) as error:
        raise Undelivered(type(error).__name__) from None
    if not 200 <= status < 300:
        raise Undelivered(f"status {status}")
    return status


def _post(address: str, body: bytes, headers: dict[str, str]) -> int:
    parts = urlsplit(address)
    host, port = parts.hostname or "", parts.port or PORTS[parts.scheme]
    connection = HTTPConnection(host, port)
    try:
        connection.sock = _reach(host, port)
        if parts.scheme == "https":
            connection.sock = _secured(connection.sock, host)
            connection.sock.do_handshake()
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request("POST", target, body, {"Host": parts.netloc, **headers})
        return connection.getresponse().status
    finally:
        connection.close()


def _reach(host: str, port: int) -> socket.socket:
    """Connect to the first address of the name that answers; the rest of the time is for the one that does.

    The name is looked up once, in a thread, since the lookup would block the hub.
    """
    found = tpool.execute(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
    addresses = list(dict.fromkeys(address[:2] for *_, address in found))
    for address in addresses[:-1]:
        with suppress(OSError):
            return _connected(address, TIMEOUT / (len(addresses) + 1))
    return _connected(addresses[-1], TIMEOUT)


def _connected(address: tuple[str, int], seconds: float) -> socket.socket:
    sock = socket.create_connection(address, seconds)
    sock.settimeout(TIMEOUT)
    return sock


def _secured(plain: socket.socket, host: str) -> ssl.SSLSocket:
    """Wrap a socket for TLS; the handshake comes later, when the connection has the socket and closes it on failure."""
    return _trust().wrap_socket(plain, server_hostname=host, do_handshake_on_connect=False)


@cache
def _trust() -> ssl.SSLContext:
    return ssl.create_default_context()
