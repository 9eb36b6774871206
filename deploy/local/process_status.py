"""The processes of a stack as `./kexie status` shows them."""

from rich.table import Table

from deploy.local.health import gauges, is_ready
from deploy.local.stack_file import Stack

GAUGES = {
    "kexie_pending_records": "unpublished",
    "kexie_oldest_pending_seconds": "oldest, s",
    "kexie_parked_messages": "parked",
}


def status_table(stack: Stack) -> tuple[Table, bool]:
    """Return a table with a row for each part, and whether all of them are ready."""
    table = Table("part", "pid", "up since", "ready", *GAUGES.values(), box=None)
    all_ready = True
    for part in stack.parts:
        ready = part.process.is_alive and is_ready(part)
        all_ready = all_ready and ready
        numbers = gauges(part)
        table.add_row(
            part.name,
            str(part.process.pid),
            part.since.astimezone().strftime("%Y-%m-%d %H:%M:%S"),
            "yes" if ready else "NO",
            *(f"{numbers[name]:g}" if name in numbers else "" for name in GAUGES),
        )
    return table, all_ready
