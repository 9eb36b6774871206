"""Webhooks: where they may go, how they are signed and when they are tried again (Standard Webhooks, CloudEvents 1.0).

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
from datetime import datetime, timedelta
from functools import cache
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlsplit

import eventlet
from eventlet import tpool

WITHIN = 10.0  # seconds that a receiver has for its answer
LONGEST = 500  # characters of an address
SECRET = "whsec_"  # noqa: S105 - what a secret begins with
PORTS = {"https": 443, "http": 80}

SOON = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=30), timedelta(minutes=120))
LATER = timedelta(hours=6)
GIVEN_UP = timedelta(days=3)


class Undelivered(Exception):
    """The receiver did not take it; the message says in a few words why."""


def origin(address: str) -> str | None:
    """Scheme, host and port of an address that a webhook can have; None where it can have none."""
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
    """The origins that a setting allows: `host`, `host:port`, with `http://` before it where that is meant."""
    words = [word.strip() for word in (allowed or "").split(",") if word.strip()]
    return frozenset(found for word in words if (found := origin(word if "://" in word else f"https://{word}")))


def a_new_secret() -> str:
    return SECRET + base64.b64encode(secrets.token_bytes(32)).decode()


def sign(secret: str, *, id_: str, timestamp: int, body: bytes) -> str:
    """`v1,` and the HMAC-SHA256 of `id.timestamp.body` in base64."""
    key = base64.b64decode(secret.removeprefix(SECRET))
    signed = hmac.new(key, f"{id_}.{timestamp}.".encode() + body, hashlib.sha256)
    return f"v1,{base64.b64encode(signed.digest()).decode()}"


def next_try(failed: int, *, since: datetime, now: datetime) -> datetime | None:
    """When it is tried again after so many failures; None where it is given up."""
    at = now + (SOON[failed - 1] if failed <= len(SOON) else LATER)
    return at if at <= since + GIVEN_UP else None


def send(address: str, body: bytes, *, id_: str, secret: str, now: datetime) -> int:
    """The status of an answer that takes it; raises `Undelivered`. No redirect is followed, no answer is read."""
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
        with eventlet.Timeout(WITHIN, Undelivered("no answer in time")):
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
    """Its name is looked up beside the hub, which would stand still meanwhile."""
    found = tpool.execute(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
    return socket.create_connection(found[0][4][:2], WITHIN)


def _secured(plain: socket.socket, host: str) -> ssl.SSLSocket:
    """Without the handshake: where it fails, the connection has the socket and closes it."""
    return _trust().wrap_socket(plain, server_hostname=host, do_handshake_on_connect=False)


@cache
def _trust() -> ssl.SSLContext:
    return ssl.create_default_context()
