"""A small disk for a folder, which can be full while the disk of the machine is not."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

MEGABYTE = 2**20


def is_possible() -> bool:
    """Whether this process may mount disks."""
    return os.geteuid() == 0 and all(map(shutil.which, ("mount", "umount")))


@contextmanager
def mounted(folder: Path, *, megabytes: int) -> Iterator[None]:
    """Mount a disk of this size, in memory, on the folder; its files are gone at the end of the block."""
    if folder.is_mount():  # by a campaign that was killed
        _run("umount", "--lazy", str(folder))
    _run("mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=700", "kexie-chaos", str(folder))
    try:
        yield
    finally:
        _run("umount", "--lazy", str(folder))


@contextmanager
def full(folder: Path) -> Iterator[None]:
    """Fill the folder's disk for the time of the block, so that nothing more can be written there."""
    filler = folder / "filler"
    try:
        _fill(filler)
        yield
    finally:
        filler.unlink()


def _fill(filler: Path) -> None:
    with filler.open("wb") as file, suppress(OSError):
        while (free := shutil.disk_usage(filler.parent).free) > 0:
            os.posix_fallocate(file.fileno(), file.seek(0, os.SEEK_END), min(free, 16 * MEGABYTE))


def _run(*command: str) -> None:
    subprocess.run(command, check=True)
