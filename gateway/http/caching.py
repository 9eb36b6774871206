"""Delivery: what every answer is given on its way out: an entity tag, gzip where it is wanted, headers that protect.

Whoever names the tag of what it has already gets 304 and no body. A stream goes out as it is.
"""

from __future__ import annotations

import gzip
import hashlib

from eventlet import tpool
from werkzeug.http import quote_etag

from gateway.http.messages import PROBLEM, Request, Response

LEAST = 1_024  # bytes that are worth packing
MOST = 65_536  # bytes that are packed here; more of them beside the hub, so that nobody else waits
LEVEL = 5
TEXTS = ("application/json", PROBLEM, "image/svg+xml")

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
}


def finish(response: Response, request: Request, *, public: bool) -> None:
    """What the answer says itself stays; only what is read and well can be kept by its reader."""
    is_read = request.method in ("GET", "HEAD") and response.status_code == 200
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers.setdefault("Cache-Control", _kept(public) if is_read else "no-store")
    response.headers.setdefault("Vary", _varies(response, public))
    if not response.is_sequence:
        return

    will_be_packed = _will_be_packed(response, request)
    if is_read:
        _tag(response, will_be_packed)
        if request.if_none_match.contains_weak(response.get_etag()[0] or ""):
            response.status_code = 304
            response.set_data(b"")
            return
    if will_be_packed:
        response.set_data(_packed(response))
        response.headers["Content-Encoding"] = "gzip"


def _kept(public: bool) -> str:
    return f"{'public' if public else 'private'}, no-cache"


def _varies(response: Response, public: bool) -> str:
    """With what the caller sends; a problem is told in the caller's language."""
    caller = "" if public else ", Authorization, Cookie"
    language = ", Accept-Language" if response.content_type == PROBLEM else ""
    return f"Accept-Encoding{caller}{language}"


def _tag(response: Response, will_be_packed: bool) -> None:
    """Strong, over the bytes; one that is set already says more (a record's version) and stays."""
    if "ETag" not in response.headers:
        digest = hashlib.blake2b(response.get_data(), digest_size=12).hexdigest()
        response.headers["ETag"] = quote_etag(f"{digest}-gzip" if will_be_packed else digest)


def _will_be_packed(response: Response, request: Request) -> bool:
    """A tag that was set already stands for the bytes as they are."""
    return (
        request.accept_encodings.quality("gzip") > 0
        and (response.calculate_content_length() or 0) > LEAST
        and _is_text(response.mimetype or "")
        and not {"ETag", "Content-Encoding"} & set(response.headers.keys())
    )


def _is_text(mimetype: str) -> bool:
    return mimetype.startswith("text/") or mimetype in TEXTS


def _packed(response: Response) -> bytes:
    body = response.get_data()
    if response.packed is not None:
        return response.packed
    return tpool.execute(pack, body) if len(body) > MOST else pack(body)


def pack(body: bytes) -> bytes:
    """The same bytes for the same body."""
    return gzip.compress(body, LEVEL, mtime=0)
