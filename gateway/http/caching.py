"""Caching and compression: the entity tag, gzip and protective headers that every response is given on its way out.

A client that sends the tag of the bytes it has gets 304 and no body. A stream goes out as it is.
"""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from eventlet import tpool
from werkzeug.http import quote_etag

from gateway.http.messages import PROBLEM, Reply, Request, Response

SMALLEST = 1_024  # bytes that are worth compressing
LARGEST_AT_ONCE = 65_536  # bytes compressed in the hub's own thread; more go to another, so that no request waits
LEVEL = 5
TEXTS = ("application/json", PROBLEM, "image/svg+xml")

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
}


@dataclass(frozen=True)
class PrecompressedDocument:
    """A document that is sent often and compressed once."""

    content: bytes
    content_type: str
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """Twelve hex digits that change with the content."""
        return hashlib.blake2b(self.content, digest_size=6).hexdigest()

    @cached_property
    def compressed(self) -> bytes:
        """The content in gzip."""
        return tpool.execute(compress, self.content)

    def reply(self) -> Reply:
        """Answer with the document, compressed for those who accept it."""
        return Reply(self.content, 200, self.headers, self.content_type, self.compressed)


def finish(response: Response, request: Request, *, public: bool) -> None:
    """Add headers, tag and compression; a header that the response has already stays as it is.

    Only a successful read of a public address may be stored: a browser keeps what it stores on a disk that others use.
    """
    is_read = request.method in ("GET", "HEAD") and response.status_code == 200
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers.setdefault("Cache-Control", "public, no-cache" if is_read and public else "no-store")
    response.headers.setdefault("Vary", _vary(response, public))
    if not response.is_sequence:
        return

    will_be_compressed = _will_be_compressed(response, request)
    if is_read:
        _tag(response, will_be_compressed)
        if request.if_none_match.contains_weak(response.get_etag()[0] or ""):
            response.status_code = 304
            response.set_data(b"")
            return
    if will_be_compressed:
        response.set_data(_compressed(response))
        response.headers["Content-Encoding"] = "gzip"


def compress(body: bytes) -> bytes:
    """Compress with gzip; the same body gives the same bytes."""
    return gzip.compress(body, LEVEL, mtime=0)


def _vary(response: Response, public: bool) -> str:
    """The request headers that change the response; a problem also depends on the caller's language."""
    caller = "" if public else ", Authorization, Cookie"
    language = ", Accept-Language" if response.content_type == PROBLEM else ""
    return f"Accept-Encoding{caller}{language}"


def _tag(response: Response, will_be_compressed: bool) -> None:
    """Set a strong tag over the bytes; one that is set already says more (a record's version) and stays.

    The tag of an answer that tells its moment is weak, and over the rest.
    """
    if "ETag" not in response.headers:
        content = response.get_data() if response.lasting is None else response.lasting
        digest = hashlib.blake2b(content, digest_size=12).hexdigest()
        tag = f"{digest}-gzip" if will_be_compressed else digest
        response.headers["ETag"] = quote_etag(tag, weak=response.lasting is not None)


def _will_be_compressed(response: Response, request: Request) -> bool:
    """A tag that is set already stands for the bytes as they are, so these are not compressed."""
    return (
        request.accept_encodings.quality("gzip") > 0
        and (response.calculate_content_length() or 0) > SMALLEST
        and _is_text(response.mimetype or "")
        and not {"ETag", "Content-Encoding"} & set(response.headers.keys())
    )


def _is_text(mimetype: str) -> bool:
    return mimetype.startswith("text/") or mimetype in TEXTS


def _compressed(response: Response) -> bytes:
    if response.compressed is not None:
        return response.compressed
    body = response.get_data()
    return tpool.execute(compress, body) if len(body) > LARGEST_AT_ONCE else compress(body)
