"""Sheets that strangers made are read and marked in processes of their own, where one can only hurt itself.

Such a process has neither our connections nor our secrets, and may use so much memory and time. Whatever ends it before
it is done, the sheet was too large or too slow, and its uploader alone is told so.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Generator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, cast

import eventlet
import msgspec
from structlog import get_logger

import gateway
from gateway.imports.sheets import BrokenSheet, CellError, Column
from gateway.imports.sheets.jobs import Broken, Done, Frame, Job, read_frame
from gateway.imports.sheets.portions import Portion

COMMAND = (sys.executable, "-m", "gateway.imports.sheets")
ROWS = 500  # in a portion, as many as a service takes in one call
WITHIN = 90.0  # seconds until the next portion is read, or the whole copy is marked
MEMORY = 384 * 2**20  # bytes of addresses: 200,000 rows of a dozen columns take half of it
CPU_SECONDS = 60
TOO_MUCH = (
    "表格过大，或处理时间过长；请拆成几个较小的文件，或另存为 .csv 后重新上传。",
    "The sheet is too large or takes too long; divide it, or save it as .csv, and upload it again.",
)

log = get_logger()


def read(path: Path, filename: str, columns: Sequence[Column]) -> Generator[Portion, None, None]:
    """Yield the rows of a sheet in portions; raises `BrokenSheet`. Whoever stops before the end has to close it."""
    yield from _answers(_job(path, filename, columns))


def mark(
    path: Path, filename: str, columns: Sequence[Column], errors: Mapping[int, list[CellError]], out: Path
) -> None:
    """Write the sheet with the errors beside each row to `out`; raises `BrokenSheet`."""
    for _ in _answers(_job(path, filename, columns, errors=dict(errors), out=str(out))):
        pass


def _job(path: Path, filename: str, columns: Sequence[Column], **marking: Any) -> Job:
    return Job(str(path), filename, tuple(columns), ROWS, MEMORY, CPU_SECONDS, **marking)


def _answers(job: Job) -> Iterator[Portion]:
    with _started(job) as process:
        try:
            while not isinstance(frame := _next(process), Done):
                if isinstance(frame, Broken):
                    raise BrokenSheet(frame.zh, frame.en, wrongs=frame.wrongs)
                yield frame
        finally:
            _end(process)


def _started(job: Job) -> subprocess.Popen[bytes]:
    with tempfile.TemporaryFile() as told:
        told.write(msgspec.msgpack.encode(job))
        told.seek(0)
        return subprocess.Popen(  # noqa: S603 - our own program; what it is told is on its standard input
            COMMAND, stdin=told, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=_environment()
        )


def _next(process: subprocess.Popen[bytes]) -> Frame:
    """The next frame; raises `BrokenSheet` where none comes."""
    with eventlet.Timeout(WITHIN, False):
        if (frame := read_frame(cast("BinaryIO", process.stdout))) is not None:
            return frame
    _end(process)
    log.warning("sheet too large or too slow", ended=process.returncode)
    raise BrokenSheet(*TOO_MUCH)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill it and wait for its end, which is near: whoever stops us meanwhile would leave it behind."""
    process.kill()
    if process.returncode is None:
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        process.poll()


def _environment() -> dict[str, str]:
    """Nothing of ours but the place of the program."""
    return {
        "PATH": os.defpath,
        "PYTHONPATH": str(Path(gateway.__file__).parents[1]),
        "PYTHONUTF8": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
