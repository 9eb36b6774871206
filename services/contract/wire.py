"""JSON as it is sent and as it is hashed: strict, plain, and the same bytes for the same content.

A value is text, a whole number below 2^63, a finite fraction, true, false, null, a list or an object, at most `DEPTH`
deep. A text that looks like another library's type marker (`__type__`) stays a text.
"""

from __future__ import annotations

import json
from typing import Any

import msgspec

DEPTH = 32
LARGEST = 2**63


class BrokenJson(ValueError):
    """Bytes that are not JSON as we accept it; the message says why."""


def decode(body: bytes) -> Any:
    """Decode strictly; raises `BrokenJson`."""
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise BrokenJson(str(error)) from None

    _check(value, depth=0)
    return value


def decode_given(body: bytes) -> Any:
    """Decode what somebody else wrote: as `decode`, and no object has a name twice; raises `BrokenJson`."""
    value = decode(body)
    _read_names(body.decode())
    return value


def encode(value: Any) -> bytes:
    """Encode as UTF-8 JSON without spaces; dates and instants become ISO strings."""
    return msgspec.json.encode(value)


def canonical(value: Any) -> bytes:
    """Encode for hashing: as `encode`, with sorted keys."""
    return msgspec.json.encode(value, order="deterministic")


def _refuse_doubled(pairs: list[tuple[str, Any]]) -> None:
    """Of two values under one name each reader takes another one."""
    if len(dict(pairs)) < len(pairs):
        names = [name for name, _ in pairs]
        doubled = next(name for number, name in enumerate(names) if name in names[:number])
        raise BrokenJson(f"the name {doubled[:60]!r} stands twice in one object")


_read_names = json.JSONDecoder(object_pairs_hook=_refuse_doubled).decode


def _check(value: Any, *, depth: int) -> None:
    if depth > DEPTH:
        raise BrokenJson(f"nested deeper than {DEPTH}")
    match value:
        case bool() | None:
            return
        case int() if not -LARGEST < value < LARGEST:
            raise BrokenJson("a whole number beyond 2^63")
        case list():
            for item in value:
                _check(item, depth=depth + 1)
        case dict():
            for item in value.values():
                _check(item, depth=depth + 1)
