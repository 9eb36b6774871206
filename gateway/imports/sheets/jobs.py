"""Jobs on sheets as they are given to a process of their own, and the frames that it answers."""

from __future__ import annotations

from typing import BinaryIO

import msgspec

from gateway.imports.sheets.columns import Column
from gateway.imports.sheets.errors import CellError
from gateway.imports.sheets.portions import Portion

LONGEST = 64 * 2**20  # bytes of a frame: a portion of rows each of which has many errors is far below


class Job(msgspec.Struct, frozen=True):
    """Read the rows of a sheet, so many at a time; or, where `out` is a path, write the marked copy of it there."""

    path: str
    filename: str
    columns: tuple[Column, ...]
    rows: int
    memory: int  # bytes of addresses that the process may use
    cpu_seconds: int
    errors: dict[int, list[CellError]] = {}
    out: str | None = None


class Broken(msgspec.Struct, frozen=True, tag="broken"):
    """The sheet cannot be read, as `BrokenSheet` says."""

    zh: str
    en: str
    wrongs: tuple[CellError, ...]


class Done(msgspec.Struct, frozen=True, tag="done"):
    """The job is done."""


Frame = Portion | Broken | Done


def write_frame(file: BinaryIO, frame: Frame) -> None:
    """Write a frame after its length."""
    data = msgspec.msgpack.encode(frame)
    file.write(len(data).to_bytes(4, "big") + data)
    file.flush()


def read_frame(file: BinaryIO) -> Frame | None:
    """Read a frame; None where none comes: the file ends before it does, or it is none of ours."""
    length = int.from_bytes(_read(file, 4), "big")
    if not 0 < length <= LONGEST:
        return None
    try:
        return msgspec.msgpack.decode(_read(file, length), type=Frame)
    except msgspec.DecodeError:
        return None


def _read(file: BinaryIO, length: int) -> bytes:
    """Read on where a pipe holds less for the moment; less than that many bytes only at its end."""
    data = bytearray()
    while len(data) < length and (piece := file.read(length - len(data))):
        data += piece
    return bytes(data)
