"""Imports of sheets: begun, followed to their end, and what was wrong with them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from deploy.cli.client import Gateway, NotReached
from deploy.cli.jobs import LOOK, PATIENCE, Rate
from deploy.cli.output import console, plain, table

AT_WORK = ("waiting", "running")

Import = dict[str, Any]


def begin(gateway: Gateway, service: str, command: str, file: Path, *, import_id: str, dry_run: bool) -> Import:
    """Upload it; one that was judged before, and is to be written now, is confirmed."""
    told: Import = gateway.at("imports").upload(file, service, command, key=import_id, dry_run=str(dry_run).lower())
    if told["state"] in ("checked", "stopped") and not dry_run:
        told = gateway.at("imports").post(import_id, "confirm")
    return told


def follow(gateway: Gateway, told: Import) -> Import:
    """Show how far it is until it ends; the import as it ended."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), Rate())
    with Progress(*columns, console=console(err=True), transient=True) as progress:
        bar = progress.add_task(told["phase"])
        for now in _looks(gateway, told):
            told = now
            progress.update(bar, completed=told["done"], total=told["total"] or None, description=told["phase"])
    return told


def _looks(gateway: Gateway, told: Import) -> Iterator[Import]:
    """The import again and again, the last time as it ended; a gateway that is away is waited for."""
    heard = time.monotonic()
    yield told
    while told["state"] in AT_WORK:
        time.sleep(LOOK)
        try:
            told, heard = gateway.at("imports").get(told["id"]), time.monotonic()
        except NotReached:
            if time.monotonic() - heard > PATIENCE:
                raise
            continue
        yield told


def tell(gateway: Gateway, told: Import, file: Path, *, again: str) -> int:
    """Print what became of it, every row that is wrong and what to do next; the exit code."""
    out = console()
    if told["first_errors"]:
        out.print(table(("row", "cell", "field", "code", "what is wrong"), map(_line, told["first_errors"])))
        if (more := told["errors"] - len(told["first_errors"])) > 0:
            out.print(f"and {more:,} more")
    out.print(summary(told))
    if told["errors"]:
        out.print(f"{_saved(gateway, told, file)} has what is wrong beside each row.")
    if told["state"] in ("checked", "stopped"):
        out.print(f"`{again}` writes it." if told["state"] == "checked" else f"`{again}` goes on once that is mended.")
    return 0 if told["state"] in ("done", "checked") else 1


def _line(error: Import) -> tuple[Any, ...]:
    return (*(error[name] for name in ("row", "cell", "field", "code")), f"{error['zh']} {error['en']}")


def summary(told: Import) -> str:
    """In one line: `import refused: 7 of 14 rows are wrong, nothing was written`."""
    match told["state"]:
        case "done":
            return f"import done: {told['total']:,} rows written"
        case "checked":
            return f"import checked: {told['total']:,} rows are good, nothing was written"
        case "refused":
            return f"import refused: {told['wrong_rows']:,} of {told['total']:,} rows are wrong, nothing was written"
        case "stopped":
            return (
                f"import stopped after {told['done']:,} of {told['total']:,} rows: somebody else's records exclude some"
            )
    why = plain(told["problem"]["en"]) if told["problem"] else "nobody knows why"
    return f"import {told['state']}: {why}"


def _saved(gateway: Gateway, told: Import, file: Path) -> Path:
    """The marked sheet beside the original."""
    marked = file.with_name(f"{file.stem}.errors{file.suffix}")
    gateway.at("imports").save(told["id"], "file", into=marked)
    return marked
