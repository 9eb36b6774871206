"""Imports of sheets: beginning one, following it to its end, and showing which rows are wrong."""

from __future__ import annotations

from functools import partial
from operator import itemgetter
from pathlib import Path
from typing import Any

from deploy.cli import following
from deploy.cli.client import Gateway
from deploy.cli.output import console, plain, table

ADVICE = {"checked": "writes it.", "stopped": "goes on once that is mended."}

Import = dict[str, Any]


def begin(gateway: Gateway, service: str, command: str, file: Path, *, import_id: str, dry_run: bool) -> Import:
    """Upload a sheet; confirm an import that was only judged before and is to be written now."""
    import_: Import = gateway.at("imports").upload(file, service, command, key=import_id, dry_run=str(dry_run).lower())
    if import_["state"] in ("checked", "stopped") and not dry_run:
        import_ = gateway.at("imports").post(import_id, "confirm")
    return import_


def follow(gateway: Gateway, import_: Import) -> Import:
    """Show an import's progress until it ends, and return it as it ended."""
    look = partial(gateway.at("imports").get, import_["id"])
    return following.follow(import_, look, describe=itemgetter("phase"))


def show(gateway: Gateway, import_: Import, file: Path, *, again: str) -> int:
    """Print how an import ended, its first wrong rows and what to do next; return the exit code.

    `again` is the command that writes what was only checked. A marked copy of the sheet is saved beside it.
    """
    out = console()
    if import_["first_errors"]:
        out.print(table(("row", "cell", "field", "code", "what is wrong"), map(_error, import_["first_errors"])))
        if (more := import_["errors"] - len(import_["first_errors"])) > 0:
            out.print(f"and {more:,} more")
    if import_["hidden_rows"]:
        out.print(_hidden(import_))
    out.print(summary(import_))
    if import_["errors"]:
        out.print(f"{_save_marked(gateway, import_, file)} has what is wrong beside each row.")
    if advice := ADVICE.get(import_["state"]):
        out.print(f"`{again}` {advice}")
    is_as_wanted = import_["state"] == "done" or (import_["state"] == "checked" and import_["dry_run"])
    return 0 if is_as_wanted else 1


def _error(error: Import) -> tuple[Any, ...]:
    return (*(error[name] for name in ("row", "cell", "field", "code")), f"{error['zh']} {error['en']}")


def _hidden(import_: Import) -> str:
    listed = ", ".join(map(str, import_["first_hidden_rows"]))
    more = " ..." if import_["hidden_rows"] > len(import_["first_hidden_rows"]) else ""
    return f"{import_['hidden_rows']:,} rows are hidden in the sheet, wholly or in part: {listed}{more}"


def summary(import_: Import) -> str:
    """Return an import in one line: `import refused: 7 of 14 rows are wrong, nothing was written`."""
    done, total, wrong = (f"{import_[name]:,}" for name in ("done", "total", "wrong_rows"))
    match import_["state"]:
        case "done":
            return f"import done: {total} rows written"
        case "checked":
            return f"import checked: {total} rows are good, nothing was written"
        case "refused":
            return f"import refused: {wrong} of {total} rows are wrong, nothing was written"
        case "stopped":
            return f"import stopped after {done} of {total} rows: somebody else's records exclude some"
    why = plain(import_["problem"]["en"]) if import_["problem"] else "no reason is known"
    return f"import {import_['state']}: {why}"


def _save_marked(gateway: Gateway, import_: Import, file: Path) -> Path:
    """Save the marked sheet beside the original."""
    marked = file.with_name(f"{file.stem}.errors{file.suffix}")
    gateway.at("imports").save(import_["id"], "file", into=marked)
    return marked
