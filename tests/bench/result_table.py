"""The table of a benchmark: each figure beside its target."""

from collections.abc import Iterable
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

HEADINGS = ("what", "ours", "beside", "figure", "target", "")


@dataclass(frozen=True)
class Row:
    """One figure of the table: what was measured, beside what, and the target that it has to meet."""

    name: str
    ours: str
    beside: str
    figure: float
    target: float
    at_most: bool = False

    @property
    def is_met(self) -> bool:
        """Whether the figure is on the right side of its target, or equal to it."""
        return self.figure <= self.target if self.at_most else self.figure >= self.target


def at_most(name: str, ours: str, figure: float, target: float, *, beside: str = "-") -> Row:
    """A figure that must not be larger than its target."""
    return Row(name, ours, beside, figure, target, at_most=True)


def show(rows: Iterable[Row], title: str) -> None:
    """Print the rows, each with a tick where its target is met."""
    table = Table(title=title)
    for heading in HEADINGS:
        table.add_column(heading, justify="left" if heading == "what" else "right")
    for row in rows:
        target = f"{'≤' if row.at_most else '≥'} {row.target:g}"
        table.add_row(row.name, row.ours, row.beside, f"{row.figure:,.2f}", target, "✓" if row.is_met else "missed")
    Console().print(table)


def exit_code(rows: Iterable[Row]) -> int:
    """0 where every target is met, else 1."""
    return 0 if all(row.is_met for row in rows) else 1
