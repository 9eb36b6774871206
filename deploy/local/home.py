"""The home of a stack: the folder with all its data, which one stack at a time may use."""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.errors import CommandFailed
from deploy.secrets.private_files import CHECKOUT, write_privately


class InUse(CommandFailed):
    """A home in which another stack runs."""


@dataclass(frozen=True)
class Home:
    """A folder with the data, logs, ports and secrets of one stack."""

    folder: Path

    @classmethod
    def of_the_environment(cls) -> "Home":
        """Return `KEXIE_HOME` where it is set, else `.kexie` in the checkout."""
        return cls(Path(os.environ.get("KEXIE_HOME") or CHECKOUT / ".kexie").absolute())

    def make(self) -> None:
        """Make the folder, open to its owner only."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o700)

    def subfolder(self, name: str) -> Path:
        """Return a folder of the home that only its owner may open, made where it is missing."""
        folder = self.folder / name
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return folder

    def log(self, name: str) -> Path:
        """Return the log file of a program."""
        return self.subfolder("logs") / f"{name}.log"

    def secret(self, name: str, invent: Callable[[], str]) -> str:
        """Return the content of a file that only its owner may read, invented at the first call."""
        return self.secret_file(name, invent).read_text()

    def secret_file(self, name: str, invent: Callable[[], str]) -> Path:
        """Return such a file."""
        file = self.folder / name
        if not file.exists():
            write_privately(file, invent())
        return file

    @contextmanager
    def claimed(self) -> Iterator[None]:
        """Lock the home, or raise `InUse`; the kernel unlocks it when this process ends, however it ends."""
        self.make()
        with (self.folder / "lock").open("a") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise InUse(f"A stack is already running in {self.folder}.") from None
            yield
