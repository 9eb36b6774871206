"""Measures sheets made to hurt: each is read and marked as an uploaded one is, or refused by name, within bounds.

The gateway must outlive each, its process for sheets may not: what wants too much is refused as too large or too slow.
"""

import deploy.image.greenthreads  # noqa: F401, I001 - before anything else

import os
import sys
import tempfile
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter

import eventlet
from rich.console import Console
from rich.table import Table

from gateway.imports import sheet_process
from gateway.imports.sheets import BrokenSheet, CellError
from tests.gateway.imports.sheets import hostile
from tests.gateway.imports.sheets.examples import COUNTS

SHEETS, SEED = 500, 2011
WIDTH = 100  # characters: the names of the kinds are long
LOOK = 0.005  # seconds between two looks at the memory of a process
WRONG = {2: [CellError("E2", "person_times", "太多了", "too many")]}
HEADINGS = ("kind", "sheets", "done", "refused", "too much", "worst, s", "worst, MB")


@dataclass
class Figures:
    """The sheets of a kind: how many jobs ended in which way, and the longest and the largest of them."""

    sheets: int = 0
    ends: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    memory: int = 0  # bytes that the process had in memory at once

    @property
    def is_good(self) -> bool:
        """Whether every job ended in a way that its uploader is told, within the bounds."""
        is_named = self.ends.total() == self.ends["done"] + self.ends["refused"] + self.ends["too much"]
        return is_named and self.seconds <= sheet_process.WITHIN and self.memory <= sheet_process.MEMORY


def main() -> int:
    """Read and mark all of them and print the table; 1 where one ended in another way or passed a bound."""
    warnings.filterwarnings("ignore", message="Duplicate name")
    names = list(hostile.KINDS)
    figures = {name: Figures() for name in names}
    for number in range(SHEETS):
        name = names[number % len(names)]
        measure(name, SEED + number, figures[name])
        sys.stderr.write(f"\r{number + 1} of {SHEETS}: {name:<40}")
    show(figures)
    return 0 if all(each.is_good for each in figures.values()) else 1


def measure(name: str, seed: int, figures: Figures) -> None:
    """Make a sheet, read it, and mark it."""
    with tempfile.TemporaryDirectory() as folder:
        path = hostile.made(name, seed, Path(folder))
        out = Path(folder, "marked")
        figures.sheets += 1
        for job in (
            lambda: list(sheet_process.read(path, path.name, COUNTS)),
            lambda: sheet_process.mark(path, path.name, COUNTS, WRONG, out),
        ):
            started = perf_counter()
            with _memory_of_children(figures):
                figures.ends[_end_of(job)] += 1
            figures.seconds = max(figures.seconds, perf_counter() - started)


def _end_of(job: Callable[[], object]) -> str:
    try:
        job()
    except BrokenSheet as broken:
        return "too much" if broken.en == sheet_process.TOO_MUCH[1] else "refused"
    except Exception as error:  # noqa: BLE001 - it is counted, and fails the measurement
        return repr(error)
    return "done"


@contextmanager
def _memory_of_children(figures: Figures) -> Iterator[None]:
    """Note the most memory that a child of this process has in the block."""
    watching = eventlet.spawn(_watch, figures)
    try:
        yield
    finally:
        watching.kill()


def _watch(figures: Figures) -> None:
    while True:
        for child in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split():
            with suppress(OSError, StopIteration):
                lines = Path(f"/proc/{child}/status").read_text().splitlines()
                peak = next(line for line in lines if line.startswith("VmHWM:"))
                figures.memory = max(figures.memory, int(peak.split()[1]) * 1024)
        eventlet.sleep(LOOK)


def show(figures: dict[str, Figures]) -> None:
    """Print a row for each kind, the worst first, and the sum."""
    table = Table(title="Sheets made to hurt, each read and marked")
    for heading in HEADINGS:
        table.add_column(heading, justify="left" if heading == "kind" else "right")
    for name, each in sorted(figures.items(), key=lambda item: -item[1].seconds):
        table.add_row(name, *_cells(each))
    table.add_section()
    table.add_row("all", *_cells(_together(figures.values())))
    Console(width=WIDTH).print(table)
    for name, each in figures.items():
        for end in each.ends.keys() - {"done", "refused", "too much"}:
            Console().print(f"{name}: {end}")


def _together(figures: Iterable[Figures]) -> Figures:
    """Add the counts up, and take the worst of all."""
    whole = Figures()
    for each in figures:
        whole.sheets += each.sheets
        whole.ends += each.ends
        whole.seconds, whole.memory = max(whole.seconds, each.seconds), max(whole.memory, each.memory)
    return whole


def _cells(each: Figures) -> tuple[str, ...]:
    counts = (each.sheets, each.ends["done"], each.ends["refused"], each.ends["too much"])
    return (*map(str, counts), f"{each.seconds:.1f}", f"{each.memory / 2**20:.0f}")


if __name__ == "__main__":
    sys.exit(main())
