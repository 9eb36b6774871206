"""A small disk of its own for a folder, so that it can be full without the machine's being full."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

MEGABYTE = 2**20


def is_possible() -> bool:
    return os.geteuid() == 0 and all(map(shutil.which, ("mount", "umount")))


@contextmanager
def mounted(folder: Path, *, megabytes: int) -> Iterator[None]:
    """The folder is a disk of this size, in memory; what lies on it is gone with the end of the block."""
    if folder.is_mount():  # by a campaign that was killed
        _run("umount", "--lazy", str(folder))
    _run("mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=700", "kexie-chaos", str(folder))
    try:
        yield
    finally:
        _run("umount", "--lazy", str(folder))


@contextmanager
def full(folder: Path, *, but: int = 0) -> Iterator[None]:
    """Meanwhile nothing more can be written there, `but` so many megabytes."""
    filler = folder / "filler"
    try:
        with filler.open("wb") as file, suppress(OSError):
            while (free := shutil.disk_usage(folder).free - but * MEGABYTE) > 0:
                os.posix_fallocate(file.fileno(), file.seek(0, os.SEEK_END), min(free, 16 * MEGABYTE))
        yield
    finally:
        filler.unlink()


def _run(*command: str) -> None:
    subprocess.run(command, check=True)
