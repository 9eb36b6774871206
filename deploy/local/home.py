"""The home of a stack: the folder that holds all it keeps, and that only one stack at a time may use."""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.errors import Trouble
from deploy.secrets.private_files import CHECKOUT, write_privately


class InUse(Trouble):
    """Another stack runs in this home."""


@dataclass(frozen=True)
class Home:
    folder: Path

    @classmethod
    def of_the_environment(cls) -> "Home":
        """`KEXIE_HOME` where it is set, else `.kexie` in the checkout."""
        return cls(Path(os.environ.get("KEXIE_HOME") or CHECKOUT / ".kexie").absolute())

    def make(self) -> None:
        """Make the folder, open to its owner only."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o700)

    def subfolder(self, name: str) -> Path:
        folder = self.folder / name
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return folder

    def log(self, name: str) -> Path:
        return self.subfolder("logs") / f"{name}.log"

    def secret(self, name: str, invent: Callable[[], str]) -> str:
        """What the file holds; invented once, when it is first asked for."""
        file = self.folder / name
        if not file.exists():
            write_privately(file, invent())
        return file.read_text()

    @contextmanager
    def claimed(self) -> Iterator[None]:
        """Hold the home. The system lets go of it when this process ends, however it ends."""
        self.make()
        with (self.folder / "lock").open("a") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise InUse(f"A stack is already running in {self.folder}.") from None
            yield
