"""One job on a sheet in a process of its own: `python -m gateway.imports.sheets`.

It takes a `Job` on standard input and answers frames on standard output: the portions of the rows that it reads, and
at last whether it is done. Memory and processor time are limited before a byte of the sheet is looked at, so the end of
the process without that last frame says that the sheet wants more.
"""

from __future__ import annotations

import resource
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec

from gateway.imports.sheets import BrokenSheet, marked, read
from gateway.imports.sheets.jobs import Broken, Done, Frame, Job, write_frame
from gateway.imports.sheets.portions import Portion, portions


def main() -> None:
    """Do the job on standard input."""
    job = msgspec.msgpack.decode(sys.stdin.buffer.read(), type=Job)
    limits = {resource.RLIMIT_AS: job.memory, resource.RLIMIT_CPU: job.cpu_seconds, resource.RLIMIT_CORE: 0}
    for what, most in limits.items():
        resource.setrlimit(what, (most, most))
    for frame in _frames(job):
        write_frame(sys.stdout.buffer, frame)


def _frames(job: Job) -> Iterator[Frame]:
    try:
        yield from _do(job)
    except BrokenSheet as broken:
        yield Broken(broken.zh, broken.en, broken.wrongs)
    else:
        yield Done()


def _do(job: Job) -> Iterator[Portion]:
    if job.out is None:
        yield from portions(read(Path(job.path), job.filename, job.columns), job.rows)
    else:
        marked(Path(job.path), job.filename, job.columns, job.errors, Path(job.out))


if __name__ == "__main__":
    main()
