"""The processes of a stack as `./kexie status` shows them."""

from collections.abc import Sequence

from rich.table import Table

from deploy.local.health import gauges, is_ready
from deploy.local.stack_file import Part, Stack

GAUGES = {
    "kexie_pending_records": "unpublished",
    "kexie_oldest_pending_seconds": "oldest, s",
    "kexie_parked_messages": "parked",
}


def causes(unready: Sequence[Part]) -> list[Part]:
    """Return those of the parts that are not ready on which no other one waits: the earliest stage."""
    return [part for part in unready if part.stage == min(one.stage for one in unready)]


def status_table(stack: Stack) -> tuple[Table, list[Part]]:
    """Return a table with a row for each part, and the parts that are not ready."""
    table = Table("part", "pid", "up since", "ready", *GAUGES.values(), box=None)
    unready = []
    for part in stack.parts:
        ready = part.process.is_alive and is_ready(part)
        if not ready:
            unready.append(part)
        numbers = gauges(part)
        table.add_row(
            part.name,
            str(part.process.pid),
            part.since.astimezone().strftime("%Y-%m-%d %H:%M:%S"),
            "yes" if ready else "NO",
            *(f"{numbers[name]:g}" if name in numbers else "" for name in GAUGES),
        )
    return table, unready
